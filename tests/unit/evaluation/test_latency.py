"""Latency figures and the QS-02 verdict."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.evaluation.latency import latency_table, percentile, qs02


def answers(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["kind", "node", "state", "latency_ms"])
    return frame.assign(bytes=100, verdict=frame["state"].replace("answered", "right"))


@settings(deadline=None)  # other work on the machine must not fail the test
@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([50, 95, 99, 100]))
def test_a_percentile_was_observed_and_enough_do_not_exceed_it(values: list[float], share: int):
    found = percentile(np.array(values), share)
    assert found in values
    assert sum(value <= found for value in values) >= share / 100 * len(values)
    assert sum(value < found for value in values) < share / 100 * len(values)


def test_figures_are_by_kind_and_node_and_count_replies_only():
    frame = answers(
        ("count", "FI", "answered", 10.0),
        ("count", "FI", "refused", 30.0),
        ("count", "FI", "late", 10000.0),
        ("range", "FI", "answered", 20.0),
        ("count", "network", "answered", 40.0),
    )
    table = latency_table(frame, answers(("control", "FI", "answered", 1.0)))
    rows = table.set_index(["kind", "node"])
    count = rows.loc[("count", "FI")]
    assert (count["n"], count["unanswered"], count["p50_ms"], count["max_ms"]) == (2, 1, 10, 30)
    assert count["queries_per_s"] == pytest.approx(50)
    assert rows.loc[("all", "FI"), "n"] == 3
    assert rows.loc[("all", "network"), "p99_ms"] == 40
    assert rows.loc[("control", "FI"), "p50_ms"] == 1
    assert ("all", "control") not in rows.index


def test_a_node_that_never_answered_has_a_row_without_figures():
    table = latency_table(answers(("count", "FI", "late", 10000.0)), answers())
    row = table.set_index(["kind", "node"]).loc[("count", "FI")]
    assert row["n"] == 0
    assert row["unanswered"] == 1
    assert np.isnan(row["p50_ms"])


def test_qs02_counts_answers_in_time_and_refusals_that_are_right():
    frame = answers(
        ("count", "FI", "answered", 9999.0),
        ("count", "SE", "refused", 5.0),
        ("count", "NO", "answered", 10001.0),
        ("count", "EE", "failed", 5.0),
        ("count", "DK", "late", 10000.0),
        ("count", "network", "late", 10000.0),
    )
    verdict = qs02(frame, 10)
    assert (verdict.asked, verdict.in_time) == (5, 1)
    for right in ("right", "incomplete"):  # such as of an ill-formed query
        frame.loc[frame["node"] == "SE", "verdict"] = right
        verdict = qs02(frame, 10)
        assert (verdict.asked, verdict.in_time) == (5, 2)
    assert verdict.success_rate == 0.4
    assert not verdict.passed


def test_qs02_passes_at_95_percent_but_not_without_queries():
    rows = [("count", f"N{number}", "answered", 1.0) for number in range(19)]
    assert qs02(answers(*rows, ("count", "X", "late", 1.0)), 10).passed
    assert not qs02(answers(), 10).passed
