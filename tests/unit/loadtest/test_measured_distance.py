"""Distance that was measured, beside what the table says."""

import asyncio

import pandas as pd
import pytest

from rehearsal.loadtest import measured_distance
from rehearsal.loadtest.measured_distance import CONTROL, distance_checks, measure_distance

from ..virtual_time import run_in_virtual_time

NETWORK = {"asker": "BE", "emulation": "delay", "bandwidth_mbps": 1000, "jitter_ms": 0, "loss": 0}
PAIRS = pd.DataFrame(
    [("BE", "BE", 1.5), ("BE", "FI", 38.0)], columns=["asker", "country", "rtt_ms"]
).assign(bandwidth_mbps=float("nan"))


@pytest.fixture
def only_delay(monkeypatch):
    """No way but the delays of answers, and those in virtual time."""
    monkeypatch.setattr(asyncio, "run", run_in_virtual_time)
    monkeypatch.setattr(
        measured_distance, "emulation_support", lambda: {"delay": "", "tun": "no /dev/net/tun"}
    )


def test_a_way_that_is_not_possible_is_a_row_that_says_why(only_delay):
    table = measure_distance(NETWORK, PAIRS, ["BE", "FI"], rounds=5)
    (tun,) = table[table["way"] == "tun"].itertuples()
    assert (tun.n, tun.reason) == (0, "no /dev/net/tun")
    delay = table[table["way"] == "delay"]
    assert delay["expected_ms"].tolist() == [1.5, 38.0]
    assert delay["measured_ms"].tolist() == pytest.approx([1.5, 38.0], abs=1e-4)  # and two bytes
    assert delay["control_ms"].tolist() == pytest.approx([0.0, 0.0], abs=1e-9)
    assert delay["within"].all()
    assert [check["name"].split(":")[0] for check in distance_checks(table)] == [
        "distance by delay"
    ]


@pytest.mark.parametrize(
    ("taken_ms", "within"), [(38.9, True), (39.1, True), (39.3, False), (36.9, False)]
)
def test_a_distance_may_be_off_by_a_millisecond_beside_what_the_machine_is_late(taken_ms, within):
    times = {"FI": [taken_ms] * 5, CONTROL: [0.2] * 5}
    table = pd.DataFrame(measured_distance._rows("tun", "tcp", {"FI": 38.0}, times))
    (check,) = distance_checks(table)
    assert check["passed"] is within
    assert (check["expected"], check["observed"]) == (1, int(within))


def test_what_the_suite_saw_stands_beside_and_is_not_judged(only_delay):
    latency = pd.DataFrame(
        [("control", "FI", 60.0, 70.0, 20), ("control", "empty handler", 0.2, 0.3, 20)],
        columns=["kind", "node", "p50_ms", "p95_ms", "n"],
    )
    table = measure_distance(NETWORK, PAIRS, ["BE", "FI"], 5, latency)
    (http,) = table[table["measured_by"] == "http"].itertuples()
    assert (http.country, http.measured_ms, http.off_ms) == ("FI", 60.0, 22.0)
    assert {check["name"].split(":")[0] for check in distance_checks(table)} == {
        "distance by delay"
    }
