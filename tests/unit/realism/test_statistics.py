import numpy as np
import pytest

from rehearsal.realism.statistics import correlation, slope


def test_without_spread_there_is_no_correlation():
    assert np.isnan(correlation(np.ones(4), np.arange(4)))
    assert np.isnan(slope(np.arange(3), np.ones(3)))
    assert slope(2 * np.arange(3), np.arange(3)) == pytest.approx(2)
