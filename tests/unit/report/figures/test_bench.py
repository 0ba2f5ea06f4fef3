"""The figures of the bench draw what was measured and describe it in words."""

import pandas as pd
import pytest

from rehearsal.report.figures.bench import growth_figure, load_figure, policy_figure
from rehearsal.report.figures.rendering import save_still


def load_table():
    rates, p99 = [8.0, 16.0, 32.0, 32.0], [50.0, 80.0, 3000.0, 900.0]
    table = pd.DataFrame({"rate_per_s": rates, "p99_ms": p99})
    shares = {"p50_ms": 20.0, "p95_ms": 40.0, "control_p99_ms": [1.0, 1.0, 1.0, None]}
    return table.assign(**shares, kind="all", role="all", connections="warm")


@pytest.mark.parametrize(
    "held, words", [(32.0, "up to 32 queries per second"), (None, "No rate met")]
)
def test_load_is_drawn_as_each_rate_came_out_best(tmp_path, held, words):
    chart = load_figure(load_table(), {"held_per_s": held, "objective": {"p99_ms": 1000}})
    assert words in chart.description
    values = next(layer.data.values for layer in chart.layer if len(layer.data.values) > 1)
    assert [p["ms"] for p in values if p["share"] == "99%"] == [50.0, 80.0, 900.0]
    save_still(chart, tmp_path / "load.svg")
    assert (tmp_path / "load.svg").read_text().startswith("<svg")


def test_growth_names_its_exponents_and_leaves_out_what_was_not_measured(tmp_path):
    growth = pd.DataFrame({"axis": "users", "users": [1, 10, 100], "p50_ms": [5.0, 50.0, 500.0]})
    cpu = {"network_cpu_ms_per_query": 4.0, "nodes_cpu_ms_per_query": [float("nan")] * 3}
    fits = pd.DataFrame({"axis": ["users"], "measure": ["p50_ms"], "exponent": [1.0]})
    chart = growth_figure(growth.assign(**cpu), fits, "users")
    values = chart.data.values
    assert {point["measure"] for point in values} == {
        "median latency, exponent 1.00",
        "CPU time of the network",
    }
    save_still(chart, tmp_path / "growth.svg")


def test_policies_stand_side_by_side_for_each_number_of_hung_nodes(tmp_path):
    rows = [
        {"policy": policy, "hung": 1, "phase": phase, "p50_ms": 5000.0}
        for policy in ("at-once", "partial", "sequential")
        for phase in ("just hung", "known")
    ]
    chart = policy_figure(pd.DataFrame(rows))
    cases = {row["case"] for row in chart.data.values}
    assert cases == {"1 hung", "1 hung, just now"}
    assert "5.00 s" in chart.description
    save_still(chart, tmp_path / "policy.svg")
