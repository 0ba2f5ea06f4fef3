"""Sums of a Cox regression."""

import numpy as np
import pytest

from rehearsal.node.scoring.cox import derivatives


def test_derivatives_are_those_of_the_partial_likelihood():
    """Compare with numeric derivatives of Efron's likelihood."""
    random = np.random.default_rng(3)
    score = random.normal(size=60)
    left = random.integers(40, 50, 60)
    ill = random.random(60) < 0.6

    def log_likelihood(b):
        total = 0.0
        for year in sorted(set(left[ill])):
            now = ill & (left == year)
            at_risk, tied = np.exp(b * score[left >= year]).sum(), np.exp(b * score[now]).sum()
            total += b * score[now].sum()
            total -= sum(np.log(at_risk - k / now.sum() * tied) for k in range(now.sum()))
        return total

    b, step = 0.4, 1e-4
    told = derivatives(score, left, ill, b)
    low, here, high = (log_likelihood(b + d) for d in (-step, 0, step))
    assert told.gradient == pytest.approx((high - low) / (2 * step), rel=1e-6)
    assert told.information == pytest.approx(-(high - 2 * here + low) / step**2, rel=1e-4)
    assert (told.people, told.events) == (60, ill.sum())
