"""Genotypes of some people of a tree sequence, one chunk of sites at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tskit
from numpy.typing import NDArray

from rehearsal.errors import mismatch

CHUNK_CELLS = 20_000_000  # sites times haplotypes decoded at once
COMMON = 0.05  # smallest frequency of the rarer allele at a common site

TRANSITIONS = ("AG", "GA", "CT", "TC")


@dataclass(frozen=True)
class Haplotypes:
    """The alleles at consecutive sites, derived (1) or not (0).

    ``derived`` has the shape (m, h) for h haplotypes; the two of a person are neighbours where
    people have two. ``positions`` has the shape (m,).
    """

    first_site: int
    positions: NDArray[np.float64]
    derived: NDArray[np.int8]

    def genotypes(self) -> NDArray[np.int8]:
        """Return the number of derived alleles of each person, 0 to 2, shape (m, h / 2)."""
        return self.derived[:, 0::2] + self.derived[:, 1::2]

    def of(self, people: NDArray[np.integer]) -> Haplotypes:
        """Return the haplotypes of some people who have two each, in the given order.

        Args:
            people: 0-based numbers of people.
        """
        columns = np.column_stack([2 * people, 2 * people + 1]).ravel()
        return Haplotypes(self.first_site, self.positions, self.derived[:, columns])


def restrict(
    ts: tskit.TreeSequence, people: NDArray[np.integer], copies: int | None = None
) -> tuple[tskit.TreeSequence, NDArray[np.int64]]:
    """Restrict a tree sequence to some individuals.

    Haplotypes come in the order of ``people``, those of a person by node. Sites without a mutation
    in them are removed.

    Args:
        ts: The tree sequence.
        people: Numbers of the individuals.
        copies: Number of haplotypes that everyone must have. None allows any.

    Returns:
        The smaller tree sequence, and the index into ``people`` of each haplotype.

    Raises:
        ValueError: A person does not have ``copies`` haplotypes.
    """
    nodes = ts.samples()
    rank = np.full(ts.num_individuals + 1, -1, dtype=np.int64)
    rank[people] = np.arange(len(people))
    of_node = rank[ts.nodes_individual[nodes]]
    nodes, of_node = nodes[of_node >= 0], of_node[of_node >= 0]
    order = np.argsort(of_node, kind="stable")
    nodes, of_node = nodes[order], of_node[order]
    if copies and (np.bincount(of_node, minlength=len(people)) != copies).any():
        raise ValueError(mismatch("people", f"{copies} haplotypes each", "another number"))
    return ts.simplify(nodes, record_provenance=False), of_node


def sample_nodes(ts: tskit.TreeSequence, rows: np.ndarray) -> np.ndarray:
    """Return the two sample nodes of each individual.

    Args:
        ts: The tree sequence of an autosomal block.
        rows: Numbers of the individuals.

    Returns:
        Nodes, shape (people, 2).

    Raises:
        ValueError: An individual does not have two: the block is not autosomal.
    """
    nodes = ts.samples()
    owners = ts.nodes_individual[nodes]
    nodes = nodes[np.argsort(owners, kind="stable")]
    counts = np.bincount(owners, minlength=ts.num_individuals)
    if np.any(counts[rows] != 2):
        expected = "two sample nodes each, as on an autosome"
        raise ValueError(mismatch("individuals", expected, "another number"))
    first = np.concatenate([[0], np.cumsum(counts)])[rows]
    return np.column_stack([nodes[first], nodes[first + 1]])


def read_chunks(ts: tskit.TreeSequence) -> Iterator[Haplotypes]:
    """Yield all sites of a tree sequence with the alleles of its samples.

    Args:
        ts: The tree sequence.
    """
    step = max(1, CHUNK_CELLS // max(1, ts.num_samples))
    variant = tskit.Variant(ts)
    for first in range(0, ts.num_sites, step):
        last = min(first + step, ts.num_sites)
        derived = np.empty((last - first, ts.num_samples), dtype=np.int8)
        for row, site in enumerate(range(first, last)):
            variant.decode(site)
            np.greater(variant.genotypes, 0, out=derived[row], casting="unsafe")
        yield Haplotypes(first, ts.sites_position[first:last], derived)


def single_base_sites(ts: tskit.TreeSequence) -> tskit.TreeSequence:
    """Leave out the sites of indels and structural variants.

    Args:
        ts: The tree sequence of a block.

    Returns:
        The same trees with the sites whose alleles are all single bases.
    """
    tables = ts.dump_tables()
    other = np.diff(tables.sites.ancestral_state_offset.astype(np.int64)) != 1
    longer = np.diff(tables.mutations.derived_state_offset.astype(np.int64)) != 1
    other[tables.mutations.site[longer]] = True
    if not other.any():
        return ts
    tables.delete_sites(np.flatnonzero(other), record_provenance=False)
    return tables.tree_sequence()


def transition_counts(ts: tskit.TreeSequence, sites: NDArray[np.integer]) -> tuple[int, int]:
    """Count transitions and transversions among sites with one mutation from base to base.

    Args:
        ts: The tree sequence.
        sites: Ids of the sites.

    Returns:
        The number of transitions and the number of transversions.
    """
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
    """Select the common sites.

    Args:
        frequency: Frequency of the derived allele at each site, shape (m,).

    Returns:
        Indexes of the common sites, and their frequencies.
    """
    common = np.flatnonzero(np.minimum(frequency, 1 - frequency) >= COMMON)
    return common, frequency[common]
