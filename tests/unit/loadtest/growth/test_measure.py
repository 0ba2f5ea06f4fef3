"""What is made of the steps of growth."""

import pandas as pd
import pytest

from rehearsal.loadtest.growth.measure import fit_exponents


def test_an_axis_with_fewer_than_three_steps_is_not_fitted():
    steps = {"axis": "users", "users": [1, 10, 100], "in_time_share": 1.0}
    measures = {name: [1.0, 10.0, 100.0] for name in ("p50_ms", "p99_ms", "queries_per_s")}
    cpu = dict.fromkeys(("network_cpu_ms_per_query", "nodes_cpu_ms_per_query"), 5.0)
    table = pd.DataFrame(steps | measures | cpu)
    found = fit_exponents(table).set_index("measure")["exponent"]
    assert found["p50_ms"] == pytest.approx(1)
    assert found["nodes_cpu_ms_per_query"] == pytest.approx(0)
    assert fit_exponents(table.head(2)).empty
    assert fit_exponents(table.assign(in_time_share=[1, 1, 0.5])).empty, (
        "the last was the deadline's"
    )
