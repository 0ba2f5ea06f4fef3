"""Cells of few people are counted with later ones, so that no count is small and nobody is lost."""

import numpy as np
import pytest

from rehearsal.node.wes.pooled_cells import POOLED, pool_small_cells


def test_small_cells_are_counted_in_later_ones_and_the_last_with_those_before():
    events = [0, 3, 2, 0, 6, 5, 1, 0]
    censored = [7, 0, 0, 0, 2, 4, 0, 1]
    pooled = pool_small_cells(np.array([events, censored]), 5)
    x = POOLED
    assert pooled.tolist() == [[0, x, 5, 0, x, x, x, 12], [7, x, 0, 0, x, x, x, 7]]


def test_no_count_is_small_and_the_sums_stay():
    random = np.random.default_rng(4)
    for _ in range(200):
        counts = random.poisson(random.uniform(0, 4), (2, 30))
        if ((counts.sum(axis=1) > 0) & (counts.sum(axis=1) < 5)).any():
            continue
        pooled = pool_small_cells(counts, 5)
        told = np.maximum(pooled, 0)
        assert told.sum(axis=1).tolist() == counts.sum(axis=1).tolist()
        assert not ((told > 0) & (told < 5)).any()
        assert ((pooled == POOLED)[0] == (pooled == POOLED)[1]).all()


def test_few_people_in_all_cells_together_are_refused():
    with pytest.raises(ValueError, match="nobody or at least 5 people"):
        pool_small_cells(np.array([[2, 0, 2], [90, 90, 90]]), 5)
