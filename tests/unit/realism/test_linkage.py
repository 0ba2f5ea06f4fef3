"""Linkage disequilibrium by distance."""

import numpy as np
import pytest

from rehearsal.realism.linkage import LINKAGE_DISTANCES, linkage_sums


def test_linkage_is_the_squared_correlation_less_its_bias():
    rng = np.random.default_rng(3)
    genotypes = rng.integers(0, 3, (60, 40)).astype(np.int8)
    genotypes[30] = genotypes[29]
    positions = np.sort(rng.choice(40_000, 60, replace=False)).astype(float)
    sums, pairs = linkage_sums(genotypes, positions)
    squares = np.corrcoef(genotypes) ** 2
    apart = np.triu(positions[None, :] - positions[:, None])
    for index, distance in enumerate(LINKAGE_DISTANCES):
        close = (apart >= 0.9 * distance) & (apart < 1.1 * distance)
        assert pairs[index] == close.sum()
        assert sums[index] == pytest.approx(squares[close].sum() - close.sum() / 39, abs=1e-4)
    assert pairs[2] > 10
