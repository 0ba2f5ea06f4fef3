"""Kinship estimated from genotypes."""

import numpy as np
import pytest

from rehearsal.realism.kinship import king_robust, kinship_by_kind
from rehearsal.realism.measures import (
    join,
)


def test_kinship_follows_the_pedigree_with_much_sequence():
    """Mendelian inheritance at 4,000 independent sites: the estimator finds every degree."""
    rng = np.random.default_rng(7)
    frequency = rng.uniform(0.2, 0.8, 4_000)

    def founder():
        return rng.random((2, 4_000)) < frequency

    def child(*parents):
        pick = rng.integers(0, 2, (2, 4_000))
        return np.array(
            [np.take_along_axis(p, row[None], 0)[0] for p, row in zip(parents, pick, strict=True)]
        )

    grandparents, spouses = (founder(), founder()), (founder(), founder())
    one, two = child(*grandparents), child(*grandparents)
    cousins = child(one, spouses[0]), child(two, spouses[1])
    pairs = {0.25: (one, two), 0.0625: cousins, 0.0: spouses}
    for expected, pair in pairs.items():
        first, second = (person.sum(axis=0) for person in pair)
        sums = _pair_sums(first, second)
        assert king_robust(sums)[0] == pytest.approx(expected, abs=0.03)


def _pair_sums(first, second):
    class Sums:
        pair_both_heterozygous = np.array([((first == 1) & (second == 1)).sum()])
        pair_opposite = np.array([(np.abs(first - second) == 2).sum()])
        pair_heterozygous = np.array([[(first == 1).sum(), (second == 1).sum()]])

    return Sums()


def test_parents_and_children_share_half_in_every_block(cohort, measured):
    table = kinship_by_kind(join(measured.values()), cohort.panel)
    row = table.loc["parent and child"]
    assert row["mean"] == pytest.approx(0.25, abs=0.05)
    assert row["low"] < row["expected"] < row["high"]
    assert row["pairs"] == 100
