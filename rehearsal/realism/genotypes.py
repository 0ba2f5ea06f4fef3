"""Genotypes of some people of a tree sequence, a chunk of sites at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tskit
from numpy.typing import NDArray

CHUNK_CELLS = 20_000_000  # sites times haplotypes that are decoded at once
COMMON = 0.05  # the rarer allele of a common site is at least as frequent

TRANSITIONS = ("AG", "GA", "CT", "TC")


@dataclass(frozen=True)
class Haplotypes:
    """Alleles at some sites in a row, as derived (1) or not (0).

    ``derived`` is (m, h) with h haplotypes; two of a person stand side by side where people have
    two. ``positions`` is (m,).
    """

    first_site: int
    positions: NDArray[np.float64]
    derived: NDArray[np.int8]

    def genotypes(self) -> NDArray[np.int8]:
        """Derived alleles of each person, 0 to 2, (m, h / 2)."""
        return self.derived[:, 0::2] + self.derived[:, 1::2]

    def of(self, people: NDArray[np.integer]) -> Haplotypes:
        """Those of some people who have two each, in the order given."""
        columns = np.column_stack([2 * people, 2 * people + 1]).ravel()
        return Haplotypes(self.first_site, self.positions, self.derived[:, columns])


def restrict(
    ts: tskit.TreeSequence, people: NDArray[np.integer], copies: int | None = None
) -> tuple[tskit.TreeSequence, NDArray[np.int64]]:
    """The history of these individuals only, and the index into ``people`` of each haplotype.

    Haplotypes come in the order of ``people``, those of a person by node. Sites that carry no
    mutation of theirs go. Raises ValueError when ``copies`` is given and a person has not as many.
    """
    nodes = ts.samples()
    rank = np.full(ts.num_individuals + 1, -1, dtype=np.int64)
    rank[people] = np.arange(len(people))
    of_node = rank[ts.nodes_individual[nodes]]
    nodes, of_node = nodes[of_node >= 0], of_node[of_node >= 0]
    order = np.argsort(of_node, kind="stable")
    nodes, of_node = nodes[order], of_node[order]
    if copies and (np.bincount(of_node, minlength=len(people)) != copies).any():
        raise ValueError(f"expected {copies} haplotypes of every person")
    return ts.simplify(nodes, record_provenance=False), of_node


def sample_nodes(ts: tskit.TreeSequence, rows: np.ndarray) -> np.ndarray:
    """The two sample nodes of each of these individuals, as an array of shape (people, 2).

    Raises ValueError when one does not have exactly two: the block is not autosomal.
    """
    nodes = ts.samples()
    owners = ts.nodes_individual[nodes]
    nodes = nodes[np.argsort(owners, kind="stable")]
    counts = np.bincount(owners, minlength=ts.num_individuals)
    if np.any(counts[rows] != 2):
        raise ValueError("expected two sample nodes for every individual, an autosome")
    first = np.concatenate([[0], np.cumsum(counts)])[rows]
    return np.column_stack([nodes[first], nodes[first + 1]])


def read_chunks(ts: tskit.TreeSequence) -> Iterator[Haplotypes]:
    """All sites of a tree sequence with the alleles of its samples, in chunks."""
    step = max(1, CHUNK_CELLS // max(1, ts.num_samples))
    variant = tskit.Variant(ts)
    for first in range(0, ts.num_sites, step):
        last = min(first + step, ts.num_sites)
        derived = np.empty((last - first, ts.num_samples), dtype=np.int8)
        for row, site in enumerate(range(first, last)):
            variant.decode(site)
            np.greater(variant.genotypes, 0, out=derived[row], casting="unsafe")
        yield Haplotypes(first, ts.sites_position[first:last], derived)


def transition_counts(ts: tskit.TreeSequence, sites: NDArray[np.integer]) -> tuple[int, int]:
    """How many of these sites are transitions and transversions: base to base by one mutation."""
    single = sites[np.bincount(ts.mutations_site, minlength=ts.num_sites)[sites] == 1]
    mutation = np.searchsorted(ts.mutations_site, single)
    old, new = ts.sites_ancestral_state[single], ts.mutations_derived_state[mutation]
    base = (np.strings.str_len(old) == 1) & (np.strings.str_len(new) == 1)
    changes = np.strings.add(old[base], new[base])
    transitions = sum(int((changes == change).sum()) for change in TRANSITIONS)
    return transitions, int(base.sum()) - transitions


def common_frequency(
    frequency: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which sites are common, and their frequencies."""
    common = np.flatnonzero(np.minimum(frequency, 1 - frequency) >= COMMON)
    return common, frequency[common]
