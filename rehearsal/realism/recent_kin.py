"""Signs of recent kinship: shared doubletons, shared segments, and runs of homozygosity.

Segments are those of the tree sequence: stretches of which two haplotypes have the same most recent
common ancestor. Software that finds segments in genotypes misses some of 2 cM.
"""

from __future__ import annotations

from dataclasses import dataclass

import msprime
import numpy as np
import tskit
from numpy.typing import NDArray

from rehearsal.realism.genotypes import restrict
from rehearsal.realism.panel import MeasuredPeople

Array = NDArray[np.float64]

LONG_BLOCK = 20_000_000  # bases; shorter blocks cut too many segments
LENGTHS_CM = (2.0, 3.0)  # least lengths of shared segments
# Generations. At a constant chance to meet, 1 in 10,000 of the segments over 2 cM is older.
OLDEST = 300.0
LEAST_HOMOZYGOUS = 1_500_000  # bases of a run of homozygosity (McQuillan et al. 2008)
PEOPLE = 10  # per country; the number of pairs grows with its square


@dataclass(frozen=True)
class SharedSegments:
    """Shared segments in a long block, among the first ``PEOPLE`` members of each country."""

    numbers: Array  # segments between people, by least length and the countries of the two, (2,k,k)
    homozygous: Array  # bases in runs of homozygosity by country, (k,)


def shared_doubletons(genotypes: NDArray[np.int8], dense: NDArray[np.float32]) -> Array:
    """Count sites with two copies, in two people, by the countries of the two.

    Args:
        genotypes: Derived alleles of each person, shape (m, n).
        dense: 1 where a person is of a country, shape (n, k).

    Returns:
        Numbers, symmetric, shape (k, k).
    """
    two = (genotypes.sum(axis=1, dtype=np.int64) == 2) & (genotypes.max(axis=1, initial=0) == 1)
    copies = genotypes[two].astype(np.float32) @ dense
    found = (copies.T @ copies).astype(np.float64)
    inside = (copies == 2).sum(axis=0)
    found[np.diag_indices_from(found)] = inside
    return found


def kin_members(panel: MeasuredPeople) -> NDArray[np.int64]:
    """Select the members whose segments are measured: the first ``PEOPLE`` of each country.

    Args:
        panel: The measured people.

    Returns:
        Indices into ``panel.members``, in order.
    """
    return np.flatnonzero(_rank_within(panel.country) < PEOPLE)


def pairs_of_people(panel: MeasuredPeople) -> Array:
    """Count the pairs of people whose segments are measured, by country, shape (k, k).

    Args:
        panel: The measured people.
    """
    number = np.bincount(panel.country[kin_members(panel)], minlength=len(panel.codes))
    pairs = np.outer(number, number).astype(np.float64)
    pairs[np.diag_indices_from(pairs)] = number * (number - 1) / 2
    return pairs


def shared_segments(
    ts: tskit.TreeSequence, panel: MeasuredPeople, recombination: msprime.RateMap
) -> SharedSegments:
    """Find the segments that members share, and those that are homozygous within one.

    Args:
        ts: The tree sequence of an autosomal block.
        panel: The measured people.
        recombination: The map of the whole contig, in Morgans per base.
    """
    chosen = kin_members(panel)
    small, owner = restrict(ts, panel.members[chosen], copies=2)
    tables = small.dump_tables()
    tables.sites.clear()
    tables.mutations.clear()
    bare = tables.tree_sequence()
    country, k = panel.country[chosen], len(panel.codes)
    homozygous = np.zeros(k)
    np.add.at(homozygous, country, [_homozygous(bare, owner, i) for i in range(len(chosen))])
    return SharedSegments(_numbers(bare, country[owner], owner, k, recombination), homozygous)


def _numbers(
    ts: tskit.TreeSequence,
    country: NDArray[np.int64],
    owner: NDArray[np.int64],
    k: int,
    recombination: msprime.RateMap,
) -> Array:
    """Count segments between people by least length and countries, shape (2, k, k)."""
    numbers = np.zeros((len(LENGTHS_CM), k, k))
    least = np.array(LENGTHS_CM) / 100
    shortest = shortest_span(recombination, least.min())
    found = ts.ibd_segments(within=ts.samples(), max_time=OLDEST, store_segments=True)
    for (one, other), pieces in found.items():
        if owner[one] == owner[other] or pieces.total_span < shortest:
            continue
        ends = recombination.get_cumulative_mass(_whole_segments(pieces))
        number = ((ends[1] - ends[0])[:, None] >= least).sum(axis=0)
        i, j = country[one], country[other]
        numbers[:, i, j] += number
        numbers[:, j, i] += number if i != j else 0
    return numbers


def shortest_span(recombination: msprime.RateMap, morgans: float) -> float:
    """Find the length in bases of the shortest stretch that has some genetic length.

    Args:
        recombination: A map.
        morgans: The genetic length.

    Returns:
        Bases. Infinity if the whole map is shorter.
    """
    # One end of the shortest stretch is where the rate changes.
    position = recombination.position
    along = recombination.get_cumulative_mass(position)
    right = np.interp(along + morgans, along, position, right=np.inf)
    left = np.interp(along - morgans, along, position, left=-np.inf)
    return float(min((right - position).min(), (position - left).min()))


def _whole_segments(pieces: tskit.IdentitySegmentList) -> Array:
    """Join the pieces of a pair with one common ancestor, and return starts and ends, (2, s).

    tskit cuts a segment where a lineage to the ancestor gains or loses a node, such as the common
    ancestor of one of the two and a third haplotype.
    """
    order = np.argsort(pieces.left)
    left, right, node = pieces.left[order], pieces.right[order], pieces.node[order]
    starts = np.append(True, (left[1:] != right[:-1]) | (node[1:] != node[:-1]))
    return np.stack([left[starts], right[np.append(starts[1:], True)]])


def _homozygous(ts: tskit.TreeSequence, owner: NDArray[np.int64], person: int) -> float:
    """Sum the bases of a person's runs of homozygosity, of any age."""
    edges = ts.simplify(np.flatnonzero(owner == person), record_provenance=False).tables.edges
    spans = (edges.right - edges.left)[edges.child == 0]
    return float(spans[spans >= LEAST_HOMOZYGOUS].sum())


def _rank_within(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the members of each group in their order."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], groups[order])
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - starts
    return rank
