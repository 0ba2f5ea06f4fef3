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
from rehearsal.realism.shared_segments_kernel import Pairs, YoungEdges, walk_pairs

Array = NDArray[np.float64]

LONG_BLOCK = 20_000_000  # bases; shorter blocks cut too many segments
LENGTHS_CM = (2.0, 3.0)  # least lengths of shared segments
# Generations. At a constant chance to meet, 1 in 10,000 of the segments over 2 cM is older.
OLDEST = 300.0
LEAST_HOMOZYGOUS = 1_500_000  # bases of a run of homozygosity (McQuillan et al. 2008)
PEOPLE = 30  # per country; time and memory grow with the square of the people


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
    country, k = panel.country[chosen], len(panel.codes)
    least = np.array(LENGTHS_CM) / 100
    shortest = min(shortest_span(recombination, least.min()), LEAST_HOMOZYGOUS)
    one, other, left, right = _stretches(small, shortest)
    within = owner[one] == owner[other]
    homozygous, numbers = np.zeros(k), np.zeros((len(least), k, k))
    runs = within & (right - left >= LEAST_HOMOZYGOUS)
    np.add.at(homozygous, country[owner[one[runs]]], (right - left)[runs])
    mass = recombination.get_cumulative_mass
    morgans = mass(right) - mass(left)
    for length, number in zip(least, numbers, strict=True):
        long = ~within & (morgans >= length)
        i, j = country[owner[one[long]]], country[owner[other[long]]]
        np.add.at(number, (i, j), 1)
        np.add.at(number, (j[i != j], i[i != j]), 1)
    return SharedSegments(numbers, homozygous)


def _stretches(
    ts: tskit.TreeSequence, shortest: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], Array, Array]:
    """List stretches with one recent ancestor: two samples, start and end, each of shape (s,)."""
    young = ts.nodes_time[ts.edges_parent] <= OLDEST
    left, right = ts.edges_left[young], ts.edges_right[young]
    edges = YoungEdges(
        left,
        right,
        ts.edges_parent[young],
        ts.edges_child[young],
        np.argsort(left, kind="stable"),
        np.argsort(right, kind="stable"),
    )
    n = ts.num_samples
    pairs = Pairs(np.full((n, n), -1, np.int32), np.zeros((n, n)), np.zeros(n, np.int64))
    found, number = walk_pairs(edges, ts.num_nodes, pairs, np.empty((n, 4)), shortest)
    one, other, start, end = found[:number].T
    return one.astype(np.int64), other.astype(np.int64), start, end


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


def _rank_within(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the members of each group in their order."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], groups[order])
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - starts
    return rank
