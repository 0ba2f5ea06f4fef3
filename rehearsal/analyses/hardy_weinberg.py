"""The exact test of Hardy-Weinberg proportions, of Wigginton, Cutler and Abecasis (2005).

Given the number of alleles, the number of heterozygotes h has the weights
``w(h + 2) / w(h) = 4 * rare(h) * common(h) / ((h + 2) * (h + 1))``, where rare(h) and common(h)
count homozygotes. The p value is the weight of all h that weigh at most as much as the observed
one, divided by that of all. (Am J Hum Genet 76:887, doi:10.1086/429864.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
NEGLIGIBLE = 1e-18  # weight beside the observed one, below which a walk ends
TIE = 1e-7  # weights that differ by less are equal


def exact_test(none: NDArray[np.int64], one: NDArray[np.int64], two: NDArray[np.int64]) -> Numbers:
    """Test many variants.

    Args:
        none: People without the alternate allele, shape (n_variants,).
        one: Heterozygous people.
        two: Homozygous people.

    Returns:
        p values, shape (n_variants,).
    """
    table = np.stack([np.minimum(none, two), one, np.maximum(none, two)], axis=1)
    distinct, back = np.unique(table, axis=0, return_inverse=True)
    rare, heterozygotes, common = distinct.T.astype(np.float64)
    return _test_distinct(rare, heterozygotes, common)[back.ravel()]


def _test_distinct(rare: Numbers, heterozygotes: Numbers, common: Numbers) -> Numbers:
    people = rare + heterozygotes + common
    alleles = 2 * rare + heterozygotes  # of the rarer one
    mode = _mode(alleles, people)
    limit = np.exp(_log_weight(heterozygotes, alleles, people) - _log_weight(mode, alleles, people))
    total, extreme = np.ones_like(mode), np.where(limit >= 1 - TIE, 1.0, 0.0)
    for step in (2.0, -2.0):
        _walk(mode, step, alleles, people, limit, total, extreme)
    return np.minimum(1.0, extreme / total)


def _mode(alleles: Numbers, people: Numbers) -> Numbers:
    """Return the likeliest number of heterozygotes, which is odd if ``alleles`` is."""
    guess = np.floor(alleles * (2 * people - alleles) / (2 * np.maximum(people, 1)))
    guess += (guess - alleles) % 2
    guess = np.clip(guess, alleles % 2, alleles)
    neighbours = np.stack([np.clip(guess + i, alleles % 2, alleles) for i in (-2, 0, 2)])
    best = np.argmax(_log_weight(neighbours, alleles, people), axis=0)
    return np.take_along_axis(neighbours, best[None], axis=0)[0]


def _log_weight(heterozygotes: Numbers, alleles: Numbers, people: Numbers) -> Numbers:
    from scipy.special import gammaln  # at the network only: a node starts without SciPy

    rare = (alleles - heterozygotes) / 2
    common = people - heterozygotes - rare
    homozygotes = gammaln(rare + 1) + gammaln(common + 1)
    weight: Numbers = heterozygotes * np.log(2) - gammaln(heterozygotes + 1) - homozygotes
    return weight


def _walk(
    mode: Numbers,
    step: float,
    alleles: Numbers,
    people: Numbers,
    limit: Numbers,
    total: Numbers,
    extreme: Numbers,
) -> None:
    """Add the weights on one side of the mode to ``total``, and the small ones to ``extreme``."""
    active = np.arange(mode.size)
    heterozygotes, weight = mode.copy(), np.ones_like(mode)
    while active.size:
        low = heterozygotes + min(step, 0.0)  # the smaller of both numbers of this step
        rare = (alleles[active] - low) / 2
        with np.errstate(divide="ignore", invalid="ignore"):  # beyond the ends
            ratio = 4 * rare * (people[active] - low - rare) / ((low + 2) * (low + 1))
            weight = weight * (ratio if step > 0 else 1 / ratio)
        heterozygotes = heterozygotes + step
        there = (heterozygotes >= 0) & (heterozygotes <= alleles[active])
        there &= weight > NEGLIGIBLE * limit[active]
        active, heterozygotes, weight = active[there], heterozygotes[there], weight[there]
        total[active] += weight
        extreme[active] += np.where(weight <= limit[active] * (1 + TIE), weight, 0.0)
