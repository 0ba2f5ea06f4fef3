"""Load, growth and policies over real processes and sockets."""

import json
import socket
import threading
import time
from contextlib import contextmanager

import pandas as pd
import pytest

from rehearsal.evaluation.network_under_test import NetworkUnderTest
from rehearsal.evaluation.suite import beacon_request, write_suite
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.loadtest.beacon_comparison import (
    BeaconAddress,
    compare_beacons,
    paired_ratio,
    pairs_of,
)
from rehearsal.loadtest.collection_policy import measure_policies
from rehearsal.loadtest.growth.measure import GrowthMeasurement, growth_checks
from rehearsal.loadtest.growth.synthetic_nodes import build_nodes
from rehearsal.loadtest.load import figures
from rehearsal.loadtest.load.generators import GeneratorError, Generators
from rehearsal.loadtest.load.histograms import read_log
from rehearsal.loadtest.load.run import LoadSettings, measure_load
from rehearsal.loadtest.load.sender import Call
from rehearsal.loadtest.stub_nodes import ANSWER, StubNodes
from rehearsal.model import Query
from rehearsal.network.registry import NodeEntry

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

STALL_S = 0.4
LONG_S = 60  # a deadline that only who hangs misses


def call(url: str, **more) -> Call:
    about = {"query": "q", "kind": "count", "role": "researcher", "country": "FI"}
    return Call(f"{url}/g_variants", "GET", {}, None, **about | more)


@contextmanager
def server_that_stalls():
    """Answers each request at once, but does nothing at all for STALL_S after the 20th."""
    listener = socket.create_server(("127.0.0.1", 0))
    answered, lock = [0], threading.Lock()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    answer = head + b"%d\r\n\r\n" % len(ANSWER) + ANSWER

    def talk(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                with lock:
                    answered[0] += 1
                    if answered[0] == 20:
                        time.sleep(STALL_S)
                connection.sendall(answer)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def slow(sent) -> int:
    return sum(one.latency_s > STALL_S / 4 for one in sent)


def most_waiting(sent) -> int:
    """The largest number of requests that waited for their answers at one moment."""
    return max(
        sum(other.at_s <= one.at_s < other.at_s + other.latency_s for other in sent) for one in sent
    )


def test_open_loop_shows_a_stall_that_a_closed_loop_hides():
    """At 100 a second 40 requests fall into the stall; who waits for answers sends one of them.

    A slow machine makes only more of the former: latency counts from when a request was to leave.
    """
    with server_that_stalls() as url, Generators([call(url)]) as generators:
        open_loop = generators.send_open([i / 100 for i in range(100)], [0] * 100, LONG_S)
    with server_that_stalls() as url, Generators([call(url)]) as generators:
        closed = generators.send_closed(1, [0] * 100, LONG_S)
    assert [one.state for one in [*open_loop, *closed]] == ["answered"] * 200
    assert slow(open_loop) >= 25
    assert most_waiting(open_loop) >= 25
    assert most_waiting(closed) == 1
    assert max(one.latency_s for one in closed) >= STALL_S


def test_requests_that_nobody_answers_are_late_and_none_is_lost():
    with StubNodes([0.0, 0.0], hung=1) as stubs:
        calls = [call(url) for url in stubs.urls]
        with Generators(calls) as generators:
            sent = generators.send_open([0.0, 0.01, 0.02, 0.03], [0, 1, 0, 1], 10)
            cold = generators.send_open([0.0], [0], LONG_S, cold=True)
    assert [one.call for one in sent] == [0, 1, 0, 1]
    assert [one.state for one in sent] == ["answered", "late"] * 2
    assert all(one.latency_s >= 10 for one in sent if one.state == "late")
    assert cold[0].state == "answered"


def test_a_server_that_is_gone_fails_every_request():
    with StubNodes([0.0]) as stubs:
        gone = stubs.urls[0]
    with Generators([call(gone)]) as generators:
        (one,) = generators.send_open([0.0], [0], LONG_S)
    assert one.state == "failed"
    assert "no connection (Connection refused)" in one.reason


def test_a_generator_that_ends_is_an_error_not_a_figure():
    with StubNodes([0.0]) as stubs, Generators([call(stubs.urls[0])], 1) as generators:
        generators._processes[0].kill()
        with pytest.raises(GeneratorError, match="a load generator has ended"):
            generators.send_open([0.0], [0], LONG_S)


def test_a_ramp_leaves_a_table_its_saturation_and_a_histogram_a_step(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "P99_LIMIT_S", LONG_S)  # a busy machine keeps to it, too
    settings = LoadSettings(10, 20, 0.5, 0.2, 1, 20, {"count": 1}, {"researcher": 1})
    with StubNodes([0.01]) as stubs:
        service = NodeEntry("network", stubs.urls[0])
        calls = [call(service.url, exists=True, count=1)]
        run = measure_load(
            calls, settings, NetworkUnderTest(service, [service], LONG_S), 1, tmp_path
        )
    table = run.table()
    whole = table[(table["kind"] == "all") & (table["role"] == "all")]
    assert whole["rate_per_s"].tolist()[:2] == [10, 20]
    assert set(whole["connections"]) == {"warm", "cold"}
    assert (whole["sent"] == whole["planned"]).all()
    assert (whole["control_n"] > 0).all()
    for name, answered in zip(whole["histogram"], whole["answered"], strict=True):
        assert read_log(tmp_path / name).get_total_count() == answered
    summary = json.loads(json.dumps(run.summary()))
    assert {check["passed"] for check in summary["checks"]} == {True}
    assert summary["conditions"]["load_average_after"] >= 0


def test_growth_over_people_asks_the_same_of_every_size(tmp_path):
    growth = GrowthMeasurement(LONG_S, tmp_path)
    growth.measure_more_people(["BE", "FI"], [40, 80], 10, 1)
    table = growth.table()
    assert table["people"].tolist() == [40, 80]
    assert (table["sent"] == table["answered"]).all()
    assert {check["passed"] for check in growth_checks(table)} == {True}


def test_the_known_policy_pays_for_each_hung_node_and_ours_once(tmp_path):
    rtt_ms = {"BE": 1.0, "FI": 20.0, "PT": 30.0}
    table = measure_policies(rtt_ms, [1, 3], 1, 3.0, tmp_path)
    row = table.set_index(["policy", "hung", "phase"])
    assert set(table["hung"]) == {1}, "nobody would be left of three"
    for phase in ("just hung", "known"):
        assert row.loc[("sequential", 1, phase), "p50_ms"] >= 5000
        assert row.loc[("at-once", 1, phase), "node_late"] == 1
        assert row.loc[("partial", 1, phase), "node_answered"] == 2
    assert row.loc[("at-once", 1, "just hung"), "p50_ms"] >= 3000
    known = row["p50_ms"].xs((1, "known"), level=["hung", "phase"])
    assert known["at-once"] < known["sequential"]


def test_two_beacons_are_asked_in_turn_and_one_that_is_not_there_is_an_error(tmp_path, capfd):
    suite, out = tmp_path / "suite.json", tmp_path / "pairs.parquet"
    request = {"query": {"requestedGranularity": "count"}}
    queries = [Query(f"q{n}", "individuals", "individuals", request) for n in range(4)]
    write_suite(queries, suite)
    with StubNodes([0.03, 0.0]) as stubs:
        slow_one, quick = stubs.urls
        target, against = BeaconAddress("--target", slow_one), BeaconAddress("--against", quick)
        code = compare_beacons(target, "individuals", suite, against, rounds=3, out=out)
    assert code == 0
    table = pd.read_parquet(out)
    assert table["side"].value_counts().to_dict() == dict.fromkeys(
        ("target", "against", "control"), 12
    )
    assert set(table.loc[table["side"] == "target", "place"]) == {0, 1, 2}
    assert paired_ratio(pairs_of(table)).median > 1
    said = capfd.readouterr().out
    assert "presence in 12 of 12 pairs" in said
    assert compare_beacons(BeaconAddress("--target", quick), "individuals", suite, rounds=1) == 1
    assert "target: 4 times: no connection (Connection refused)" in capfd.readouterr().out


def test_a_nodes_folder_is_served_to_be_compared_with(tmp_path, capfd):
    folder = build_nodes(["FI"], 20, tmp_path, 1)["FI"]
    suite = tmp_path / "suite.json"
    request = beacon_request({}, [{"id": SEX_TERMS["female"]}], "count", {"skip": 0, "limit": 1})
    write_suite([Query("women", "individuals", "individuals", request)], suite)
    with StubNodes([0.0]) as stubs:
        target = BeaconAddress("--target", stubs.urls[0])
        code = compare_beacons(
            target, "individuals", suite, BeaconAddress("--against", str(folder))
        )
    assert code == 0
    assert "against         5        0" in capfd.readouterr().out
