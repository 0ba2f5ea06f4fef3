"""Signs of recent kinship: shared doubletons, shared segments, and runs of homozygosity.

Segments are those of the tree sequence: stretches that two haplotypes inherit from one ancestor
without a crossover in between. Software that finds segments in genotypes misses some of 2 cM.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tskit
from numpy.typing import NDArray

from rehearsal.realism.genotypes import restrict
from rehearsal.realism.panel import MeasuredPeople

Array = NDArray[np.float64]

BASES_A_CENTIMORGAN = 1e6 / 1.1  # mean of the genome
LONG_BLOCK = 20_000_000  # bases; shorter blocks cut too many segments
LENGTHS_CM = (2.0, 3.0)  # least lengths of shared segments
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


def shared_segments(ts: tskit.TreeSequence, panel: MeasuredPeople) -> SharedSegments:
    """Find the segments that members share, and those that are homozygous within one.

    Args:
        ts: The tree sequence of an autosomal block.
        panel: The measured people.
    """
    chosen = kin_members(panel)
    small, owner = restrict(ts, panel.members[chosen], copies=2)
    country = panel.country[chosen][owner]
    k = len(panel.codes)
    numbers, homozygous = np.zeros((len(LENGTHS_CM), k, k)), np.zeros(k)
    least = min(LENGTHS_CM[0] * BASES_A_CENTIMORGAN, LEAST_HOMOZYGOUS)
    found = small.ibd_segments(
        within=small.samples(), min_span=least, store_pairs=True, store_segments=True
    )
    for (one, other), segments in found.items():
        spans = np.array([segment.right - segment.left for segment in segments])
        if owner[one] == owner[other]:
            homozygous[country[one]] += spans[spans >= LEAST_HOMOZYGOUS].sum()
            continue
        i, j = country[one], country[other]
        for index, length in enumerate(LENGTHS_CM):
            number = (spans >= length * BASES_A_CENTIMORGAN).sum()
            numbers[index, i, j] += number
            numbers[index, j, i] += number if i != j else 0
    return SharedSegments(numbers, homozygous)


def _rank_within(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the members of each group in their order."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], groups[order])
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - starts
    return rank
