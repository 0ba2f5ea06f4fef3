"""Power and area under the curve, computed by hand."""

import numpy as np
import pytest

from rehearsal.attack.power import area_under_curve, power, upper_bound


def test_answers_without_information_have_the_power_of_their_false_positives():
    assert power(np.zeros(70), np.zeros(70), 0.05) == pytest.approx(0.05)
    assert area_under_curve(np.zeros(70), np.zeros(30)) == 0.5


def test_power_and_area_of_scores_computed_by_hand():
    outside = np.arange(20.0)
    inside = np.array([18.5, 19.0, 19.5, 30.0])
    # one in twenty is accused: all above 18, which is only the non-member at 19
    assert power(inside, outside, 0.05) == 1.0
    assert power(np.array([17.0, 18.0, 30.0]), outside, 0.05) == pytest.approx(1 / 3)
    assert area_under_curve(inside, outside) == pytest.approx((19 + 19.5 + 20 + 20) / 80)


def test_the_upper_bound_of_scores_without_information_is_their_power():
    nothing = np.zeros(300)
    bound = upper_bound(nothing, nothing, 0.05, np.random.default_rng(1))
    assert bound == pytest.approx(0.05)


def test_the_upper_bound_counts_the_uncertainty_of_power_and_threshold():
    random = np.random.default_rng(1)
    one, other = random.normal(size=(2, 2_000))
    bound = upper_bound(one, other, 0.05, np.random.default_rng(2))
    # a share of 0.05 among 2,000 has a standard error of 0.0049, and so has the threshold's share
    assert 0.75 * 1.645 * 0.0069 < bound - power(one, other, 0.05) < 1.4 * 1.645 * 0.0069
    assert upper_bound(other + 10, other, 0.05, np.random.default_rng(3)) == 1.0
