"""Distance that was measured, and the network from each capital."""

import asyncio
from random import Random

import pandas as pd
import pytest

from rehearsal.loadtest import measured_distance
from rehearsal.loadtest.measured_distance import CONTROL, distance_checks, measure_distance
from rehearsal.loadtest.origin_latency import FarClient, capitals_checks, one_of_each_kind
from rehearsal.model import Answer, Query
from rehearsal.network.client import NodeRequest
from rehearsal.network.registry import NodeEntry
from rehearsal.web.latency import Line

NETWORK = {"asker": "BE", "emulation": "delay", "bandwidth_mbps": 1000, "jitter_ms": 0, "loss": 0}
PAIRS = pd.DataFrame(
    [("BE", "BE", 1.5), ("BE", "FI", 38.0)], columns=["asker", "country", "rtt_ms"]
).assign(bandwidth_mbps=float("nan"))


@pytest.fixture
def only_delay(monkeypatch):
    monkeypatch.setattr(
        measured_distance, "emulation_support", lambda: {"delay": "", "tun": "no /dev/net/tun"}
    )


def test_a_way_that_is_not_possible_is_a_row_that_says_why(only_delay):
    table = measure_distance(NETWORK, PAIRS, ["BE", "FI"], rounds=5)
    (tun,) = table[table["way"] == "tun"].itertuples()
    assert (tun.n, tun.reason) == (0, "no /dev/net/tun")
    delay = table[table["way"] == "delay"]
    assert delay["expected_ms"].tolist() == [1.5, 38.0]
    assert (delay["measured_ms"] >= delay["expected_ms"]).all()
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


def test_a_far_client_adds_the_distance_to_what_a_node_takes():
    class Near:
        async def put(self, node, request, started, deadline_s):
            taken = asyncio.get_running_loop().time() - started
            return Answer("q", node.country, "answered", 200, {}, taken, 1_000_000)

    async def ask():
        far = FarClient(Near(), {"FI": Line(20.0, bandwidth_mbps=800)}, Random(1))
        started = asyncio.get_running_loop().time()
        return await far.put(NodeEntry("FI", "http://x"), NodeRequest("info"), started, 1.0)

    assert 0.03 <= asyncio.run(ask()).latency_s < 1  # 20 ms there and back, 10 ms for its bytes


def test_queries_come_kinds_by_turns_and_are_well_formed():
    kinds = ["count", "count", "gene", "ill_formed", "range"]
    suite = [Query(f"{kind}-{n}", kind, "g_variants", {}) for n, kind in enumerate(kinds)]
    suite.append(Query("public", "absent", "g_variants", {}, tier="public"))
    names = [query.id for query in one_of_each_kind(suite, 4)]
    assert names == ["count-0", "gene-2", "range-4", "count-1"]


def test_a_capital_that_misses_qs02_fails_the_check():
    (check,) = capitals_checks(pd.DataFrame({"qs02": [1.0, 0.94]}))
    assert (check["expected"], check["observed"], check["passed"]) == (2, 1, False)
