"""The network as a process over sound and faulty nodes: states, deadlines, circuits."""

import http.client
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from string import ascii_uppercase
from urllib.parse import urlsplit

import pytest

from rehearsal.network.launcher import running_network, running_nodes
from rehearsal.network.registry import NodeEntry, write_nodes

from .network_stub import stub_command
from .starting import told_when_ready, wait_until_ended

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

TESTS = Path(__file__).resolve().parents[1]
MANNERS = {
    "AT": "healthy",
    "BE": "boolean",
    "BG": "error500",
    "CZ": "nobody",
    "DE": "get-only",
    "ES": "refusing",
    "FI": "healthy",
    "FR": "hung",
    "GB": "closing",
    "SE": "slow",
}
COUNT = {"query": {"requestedGranularity": "count"}}


LONG_S = 60  # a deadline that no test reaches: the connection below times out before
PATIENCE_S = 30


def ask(service: NodeEntry, path: str, body=None, method=None, **headers: str):
    """Send one request; returns status and body. Raises TimeoutError if the network waits for
    hanging nodes until a deadline of ``LONG_S``."""
    place = urlsplit(service.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=PATIENCE_S)
    given = None if body is None else json.dumps(body)
    connection.request(method or ("GET" if body is None else "POST"), path, given, headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    is_json = response.headers["Content-Type"] == "application/json"
    return response.status, json.loads(text) if is_json else text


def told(body) -> dict[str, dict]:
    return {node["node"]: node for node in body["info"]["nodes"]}


@contextmanager
def network_of(manners: dict[str, str], folder: Path, deadline_s: float = LONG_S, options=()):
    folders = {country: folder / manner for country, manner in manners.items()}
    with (
        running_nodes(folders, folder, 30, stub_command) as nodes,
        running_network(nodes, deadline_s, folder, 30, options) as service,
    ):
        yield service


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with network_of(MANNERS, tmp_path_factory.mktemp("network")) as entry:
        yield entry


@pytest.fixture(scope="module")
def counted(service):
    status, body = ask(service, "/g_variants", COUNT)
    assert status == 200
    return body


def test_every_node_stands_in_the_answer_with_its_state(counted):
    states = {node: one["state"] for node, one in told(counted).items()}
    assert states == {
        "AT": "answered",
        "BE": "answered",
        "BG": "failed",
        "CZ": "failed",
        "DE": "answered",
        "ES": "refused",
        "FI": "answered",
        "FR": "late",
        "GB": "answered",
        "SE": "answered",
    }
    assert list(states) == sorted(MANNERS)
    assert counted["info"]["complete"] is False
    assert counted["info"]["states"] == {"answered": 6, "failed": 2, "refused": 1, "late": 1}


def test_counts_are_added_and_a_yes_without_a_number_is_a_hit_that_is_named(counted):
    assert counted["responseSummary"] == {"exists": True, "numTotalResults": 15}
    assert counted["info"]["uncounted"] == ["BE"]
    assert counted["meta"]["returnedGranularity"] == "count"


def test_a_boolean_hit_alone_makes_the_answer_yes(tmp_path):
    with network_of({"BE": "boolean"}, tmp_path) as one:
        status, body = ask(one, "/g_variants", COUNT)
    assert (status, body["responseSummary"]) == (200, {"exists": True})
    assert body["meta"]["returnedGranularity"] == "boolean"


def test_the_reason_stands_beside_the_state(counted):
    said = told(counted)
    assert "start is negative" in said["ES"]["reason"]
    assert said["ES"]["httpStatus"] == 400
    for node in ("BG", "CZ", "FR"):
        assert said[node]["reason"].startswith("circuit open: "), said[node]
    assert "reason" not in said["AT"]


def test_hung_nodes_cost_nothing_once_their_circuit_is_open(service):
    _, body = ask(service, f"/g_variants?deadlineS={LONG_S}", COUNT)  # it answers in time
    assert (told(body)["FR"]["state"], told(body)["FR"]["latencyMs"]) == ("late", 0)
    assert told(body)["SE"]["state"] == "answered"


@pytest.mark.parametrize("said", ["0", "-1", "61", "nan", "soon", "inf"])
def test_a_deadline_out_of_bounds_is_refused(service, said):
    status, body = ask(service, f"/g_variants?deadlineS={said}")
    assert status == 400
    assert "deadlineS" in body["error"]["errorMessage"]


def test_a_request_may_bring_its_own_deadline(tmp_path):
    """As a parameter or as a header; both run concurrently."""
    with network_of({"AT": "healthy", "SE": "busy"}, tmp_path) as one, ThreadPoolExecutor() as pool:
        (tmp_path / "hang").touch()
        asked = [
            pool.submit(ask, one, "/g_variants?deadlineS=15", COUNT),
            pool.submit(ask, one, "/g_variants", COUNT, **{"X-Rehearsal-Deadline-S": "15"}),
        ]
        for _, body in (request.result() for request in asked):
            assert told(body)["SE"]["state"] == "late"
            assert "no whole answer within 15 s" in told(body)["SE"]["reason"]
            assert told(body)["AT"]["state"] == "answered"
            assert body["info"]["deadlineS"] == 15
        # a deadline that a node cannot meet does not shut it out
        wait_for(one, lambda nodes: nodes["SE"]["strikes"] == 0)
        (tmp_path / "hang").unlink()
        _, body = ask(one, "/g_variants", COUNT)
        assert told(body)["SE"]["state"] == "answered"


def test_a_callers_token_goes_to_the_nodes_except_where_the_registry_gives_one(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("REHEARSAL_TEST_TOKEN", "of-the-registry")
    folders = dict.fromkeys(("AT", "BE"), tmp_path / "token")
    with running_nodes(folders, tmp_path, 30, stub_command) as nodes:
        named = NodeEntry("BE", nodes[1].url, "REHEARSAL_TEST_TOKEN")
        with running_network([nodes[0], named], LONG_S, tmp_path, 30) as one:
            _, body = ask(one, "/g_variants", COUNT, Authorization="Bearer of-the-caller")
    said = {node: answer["reason"] for node, answer in told(body).items()}
    assert said["AT"] == "HTTP 403: authorization: bearer of-the-caller"
    assert said["BE"] == "HTTP 403: authorization: bearer of-the-registry"


def test_when_everybody_refuses_so_does_the_network(tmp_path):
    with network_of({"ES": "refusing", "FR": "refusing"}, tmp_path) as one:
        status, body = ask(one, "/g_variants", COUNT)
    assert status == 400
    assert body["error"]["errorCode"] == 400
    assert "2 of 2 nodes refused: HTTP 400: start is negative" in body["error"]["errorMessage"]
    assert told(body)["ES"]["state"] == "refused"


def test_nobody_in_time_is_504_and_nobody_at_all_502(tmp_path):
    with network_of({"FR": "hung"}, tmp_path / "hung") as one:
        assert ask(one, "/g_variants", COUNT)[0] == 504
    with network_of({"BG": "error500"}, tmp_path / "broken") as one:
        assert ask(one, "/g_variants", COUNT)[0] == 502


def wait_for(service: NodeEntry, reached, timeout_s: float = 60.0) -> None:
    until = time.monotonic() + timeout_s
    while True:
        _, body = ask(service, "/health")
        if reached({node["node"]: node for node in body["nodes"]}):
            return
        assert time.monotonic() < until, body
        time.sleep(0.05)


def test_nodes_that_hang_cost_one_deadline_then_nothing_and_come_back(tmp_path):
    """The duration is tested in virtual time: tests/unit/network/test_service.py."""
    manners = dict.fromkeys([f"H{letter}" for letter in ascii_uppercase[:25]], "healthy")
    hung = {"XB", "XC", "XD"}
    manners |= dict.fromkeys(sorted(hung), "switched")
    with network_of(manners, tmp_path) as one:
        _, body = ask(one, "/g_variants", COUNT)
        assert body["info"]["complete"] is True
        (tmp_path / "hang").touch()
        _, body = ask(one, "/g_variants?deadlineS=15", COUNT)
        assert body["responseSummary"]["numTotalResults"] == 75
        late = {node: said for node, said in told(body).items() if said["state"] == "late"}
        assert set(late) == hung
        assert all("no whole answer within 15 s" in said["reason"] for said in late.values())
        wait_for(one, lambda nodes: all(nodes[node]["circuit"] != "closed" for node in hung))
        _, body = ask(one, "/g_variants", COUNT)
        assert body["responseSummary"]["numTotalResults"] == 75
        assert told(body)["XB"]["reason"].startswith("circuit open: ")
        (tmp_path / "hang").unlink()
        wait_for(one, lambda nodes: all(said["healthy"] for said in nodes.values()))
        _, body = ask(one, "/g_variants", COUNT)
        assert body["info"]["complete"] is True


def test_a_partial_answer_does_not_wait_for_nodes_that_have_just_hung(tmp_path):
    """The wait for slow nodes is tested in virtual time: tests/unit/network."""
    manners = dict.fromkeys([f"H{letter}" for letter in ascii_uppercase[:6]], "healthy")
    manners |= {"XB": "switched", "XC": "switched"}
    with network_of(manners, tmp_path) as one:
        (tmp_path / "hang").touch()
        _, body = ask(one, "/g_variants?partial=true", COUNT)
    said = told(body)
    for node in ("XB", "XC"):
        assert said[node]["state"] == "late"
        assert "when the partial answer left" in said[node]["reason"]
    assert sum(one["state"] == "answered" for one in said.values()) >= len(manners) / 2


def test_one_after_another_each_hung_node_is_given_its_patience(tmp_path):
    manners = {"AT": "healthy", "FI": "healthy", "FR": "hung"}
    with network_of(manners, tmp_path, options=("--collect", "sequential")) as one:
        _, body = ask(one, "/g_variants", COUNT)
    assert told(body)["FR"]["state"] == "late"
    assert told(body)["FR"]["reason"] == "no whole answer within 5 s of its turn"
    assert {told(body)[node]["state"] for node in ("AT", "FI")} == {"answered"}


def test_the_registry_is_read_again_when_it_changes(tmp_path):
    folders = {"AT": tmp_path / "healthy", "BE": tmp_path / "healthy"}
    with (
        running_nodes(folders, tmp_path, 30, stub_command) as nodes,
        running_network(nodes[:1], LONG_S, tmp_path, 30) as one,
    ):
        assert set(told(ask(one, "/g_variants", COUNT)[1])) == {"AT"}
        write_nodes(nodes, tmp_path / "network.yaml")
        wait_for(one, lambda known: set(known) == {"AT", "BE"})
        assert set(told(ask(one, "/g_variants", COUNT)[1])) == {"AT", "BE"}
        (tmp_path / "network.yaml").write_text("nodes: nonsense")
        wait_for(one, lambda known: "nodes" in ask(one, "/health")[1]["registryFault"])
        assert set(told(ask(one, "/g_variants", COUNT)[1])) == {"AT", "BE"}


def test_a_folder_of_endpoint_files_is_a_registry(tmp_path):
    endpoints = tmp_path / "endpoints"
    command = [sys.executable, "-m", "rehearsal", "network", "serve", "--nodes", str(endpoints)]
    command += ["--endpoint-file", str(tmp_path / "service.json")]
    with running_nodes({"AT": tmp_path / "healthy"}, endpoints, 30, stub_command):
        process = subprocess.Popen(command)
        try:
            said = told_when_ready(process, tmp_path / "service.json", 60)
            entry = NodeEntry("network", said["url"])
            assert set(told(ask(entry, "/g_variants", COUNT)[1])) == {"AT"}
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
    assert not (tmp_path / "service.json").exists()


def test_health_is_for_machines_and_for_people(service):
    status, body = ask(service, "/health")
    assert status == 200
    assert body["status"] == "degraded"
    said = {node["node"]: node for node in body["nodes"]}
    assert said["AT"]["healthy"]
    assert not said["CZ"]["healthy"]
    status, page = ask(service, "/health", Accept="text/html")
    assert status == 200
    assert b"Rehearsal network: degraded" in page
    assert page.count(b"<tr") == len(MANNERS) + 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/nothing", None, 404),
        ("/individuals/../runs", None, 404),
        ("/individuals/%2e%2e/runs", None, 404),
        ("/g_variants?partial=perhaps", None, 400),
        ("/g_variants?limit=5", {}, 400),
        ("/g_variants", [], 400),
        ("/g_variants", {"query": 3}, 400),
    ],
)
def test_what_cannot_be_put_to_nodes_is_refused_with_a_reason(service, path, body, status):
    said, answer = ask(service, path, body)
    assert said == status
    assert answer["error"]["errorMessage"]


@pytest.mark.parametrize(
    "body",
    [
        b"x" * 3_000_000,
        b"[" * 100_000,
        b'{"query":' * 10_000,
        b"\x00\xff",
        b'{"query":{"pagination":{"skip":1e99,"limit":-5}}}',
        b'{"query":{"pagination":7}}',
        b'{"query":{"requestParameters":[]}}',
        b'{"query":{"filters":{"a":[]},"requestedGranularity":{}}}',
        b'{"query":{"pagination":{"skip":999999999,"limit":1000}}}',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_hostile_bodies_do_no_harm(service, body):
    place = urlsplit(service.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    connection.request("POST", "/g_variants", body)
    response = connection.getresponse()
    assert response.status in (200, 400, 413)
    json.loads(response.read())
    connection.close()


def test_a_registry_that_cannot_be_used_is_one_line_and_exit_2(tmp_path):
    (tmp_path / "nodes.yaml").write_text("nodes: {FI: {url: 'ftp://x'}}")
    for given in (tmp_path / "nodes.yaml", tmp_path / "absent.yaml"):
        command = [sys.executable, "-m", "rehearsal", "network", "serve", "--nodes", str(given)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1
        assert given.name in done.stderr


def test_neither_nodes_nor_network_outlive_a_killed_parent(tmp_path):
    script = f"""
import sys, time
from pathlib import Path
from string import ascii_uppercase
sys.path.insert(0, {str(TESTS)!r})
from system.test_network_service import network_of
with network_of({{"AT": "healthy"}}, Path({str(tmp_path)!r})) as service:
    print(service.pid, flush=True)
    time.sleep(3600)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until_ended(pid)
