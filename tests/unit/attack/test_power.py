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
    nothing = np.zeros((300, 2))
    assert upper_bound(nothing, nothing, 0.05, seed=1) == pytest.approx(0.05)


def test_the_upper_bound_counts_the_uncertainty_of_power_and_threshold():
    random = np.random.default_rng(1)
    one, other = random.normal(size=(2, 2_000, 1))
    bound = upper_bound(one, other, 0.05, seed=2)
    # a share of 0.05 among 2,000 has a standard error of 0.0049, and so has the threshold's share
    assert 0.75 * 1.645 * 0.0069 < bound - power(one, other, 0.05) < 1.4 * 1.645 * 0.0069
    assert upper_bound(other + 10, other, 0.05, seed=3) == 1.0


def test_only_draws_that_differ_make_the_upper_bound_tighter():
    one, other = np.random.default_rng(1).normal(size=(2, 500, 4))
    first = one[:, :1], other[:, :1]
    four_draws = upper_bound(one, other, 0.05, seed=2) - power(one, other, 0.05)
    one_draw = upper_bound(*first, 0.05, seed=2) - power(*first, 0.05)
    # four times as many independent scores halve the standard error
    assert 0.35 * one_draw < four_draws < 0.75 * one_draw
    repeated = [np.repeat(scores, 4, axis=1) for scores in first]
    assert upper_bound(*repeated, 0.05, seed=2) == pytest.approx(upper_bound(*first, 0.05, seed=2))


def test_the_upper_bound_agrees_with_a_bootstrap_one_sample_at_a_time():
    random = np.random.default_rng(4)
    one, other = random.normal(size=(2, 200, 3)).round(1)
    one += 0.3
    powers = []
    for _ in range(1_000):
        chosen = random.integers(200, size=200)
        powers.append(power(one[chosen], other[chosen], 0.05))
    expected = np.quantile(powers, 0.95)
    assert upper_bound(one, other, 0.05, seed=5) == pytest.approx(expected, abs=0.01)
