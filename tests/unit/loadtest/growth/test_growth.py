"""How steeply something grows, and the synthetic nodes that it is measured over."""

import math

import numpy as np
import pandas as pd
import pytest

from rehearsal.loadtest.growth import synthetic
from rehearsal.loadtest.growth.measure import fits
from rehearsal.loadtest.growth.power import fit_power
from rehearsal.node.server import open_node


def test_an_exact_power_law_is_found_exactly():
    x = [1, 2, 4, 8, 16, 28]
    power = fit_power(x, [3 * value**0.7 for value in x])
    assert power.exponent == pytest.approx(0.7)
    assert power.coefficient == pytest.approx(3)
    assert power.standard_error == pytest.approx(0, abs=1e-9)
    assert power.points == 6


def test_the_standard_error_is_that_of_a_regression_slope():
    x = np.array([1.0, 2, 4, 8, 16])
    log_x = np.log(x)
    scatter = np.array([0.1, -0.1, 0.05, -0.1, 0.05])
    power = fit_power(x, np.exp(log_x + scatter))
    design = np.column_stack([np.ones(5), log_x])
    estimate, (residual,), *_ = np.linalg.lstsq(design, log_x + scatter)
    covariance = residual / 3 * np.linalg.inv(design.T @ design)
    assert power.exponent == pytest.approx(estimate[1])
    assert power.standard_error == pytest.approx(math.sqrt(covariance[1, 1]))


def test_zeros_and_gaps_are_left_out_and_two_points_have_no_error():
    power = fit_power([0, 1, 2, 4], [5, 1, 2, math.nan])
    assert power.exponent == pytest.approx(1)
    assert power.points == 2
    assert math.isnan(power.standard_error)
    with pytest.raises(ValueError, match="at least two different x"):
        fit_power([2, 2], [1, 3])


def test_an_axis_with_fewer_than_three_steps_is_not_fitted():
    steps = {"axis": "users", "users": [1, 10, 100], "in_time_share": 1.0}
    measures = {name: [1.0, 10.0, 100.0] for name in ("p50_ms", "p99_ms", "queries_per_s")}
    cpu = dict.fromkeys(("network_cpu_ms_per_query", "nodes_cpu_ms_per_query"), 5.0)
    table = pd.DataFrame(steps | measures | cpu)
    found = fits(table).set_index("measure")["exponent"]
    assert found["p50_ms"] == pytest.approx(1)
    assert found["nodes_cpu_ms_per_query"] == pytest.approx(0)
    assert fits(table.head(2)).empty
    assert fits(table.assign(in_time_share=[1, 1, 0.5])).empty, "the last was the deadline's"


def test_synthetic_nodes_can_be_served_and_hold_the_same_sites_in_every_size(tmp_path):
    folders = synthetic.build_nodes(["BE", "FI"], 20, tmp_path / "small", 1)
    synthetic.build_nodes(["BE"], 60, tmp_path / "large", 1)
    holdings = open_node(folders["FI"])
    assert holdings.settings.country_code == "FI"
    assert len(holdings.variants.individuals) == 20
    first, last = synthetic.FIRST, synthetic.FIRST + synthetic.APART * (synthetic.SITES - 1)
    for folder in (folders["FI"], tmp_path / "large" / "BE"):
        variants = open_node(folder).variants
        rows = list(variants.overlapping(synthetic.CONTIG, first, last + 1))
        assert len(rows) == synthetic.SITES
        assert all(len(row.carriers()) for row in rows[:50])
