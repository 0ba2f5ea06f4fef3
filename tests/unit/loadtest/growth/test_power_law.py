"""How steeply something grows."""

import math

import numpy as np
import pytest

from rehearsal.loadtest.growth.power_law import fit_power_law


def test_an_exact_power_law_is_found_exactly():
    x = [1, 2, 4, 8, 16, 28]
    power = fit_power_law(x, [3 * value**0.7 for value in x])
    assert power.exponent == pytest.approx(0.7)
    assert power.coefficient == pytest.approx(3)
    assert power.standard_error == pytest.approx(0, abs=1e-9)
    assert power.points == 6


def test_the_standard_error_is_that_of_a_regression_slope():
    x = np.array([1.0, 2, 4, 8, 16])
    log_x = np.log(x)
    scatter = np.array([0.1, -0.1, 0.05, -0.1, 0.05])
    power = fit_power_law(x, np.exp(log_x + scatter))
    design = np.column_stack([np.ones(5), log_x])
    estimate, (residual,), *_ = np.linalg.lstsq(design, log_x + scatter)
    covariance = residual / 3 * np.linalg.inv(design.T @ design)
    assert power.exponent == pytest.approx(estimate[1])
    assert power.standard_error == pytest.approx(math.sqrt(covariance[1, 1]))


def test_zeros_and_gaps_are_left_out_and_two_points_have_no_error():
    power = fit_power_law([0, 1, 2, 4], [5, 1, 2, math.nan])
    assert power.exponent == pytest.approx(1)
    assert power.points == 2
    assert math.isnan(power.standard_error)
    with pytest.raises(ValueError, match="at least two different x"):
        fit_power_law([2, 2], [1, 3])
