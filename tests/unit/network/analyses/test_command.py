"""``rehearsal network analyse``: what cannot be played is one line, before any node is asked."""

import asyncio
import json
import os
import signal

import pytest

from rehearsal.cli import main
from rehearsal.network.analyses.command import _play_until_signal
from rehearsal.network.analyses.coordinator import Loss
from rehearsal.network.analyses.played_analysis import PlayedAnalysis
from rehearsal.network.registry import NodeEntry, write_nodes

LINEAR = {"steps": [{"algorithm": "linear", "parameters": {"outcome": "LOINC:1"}}]}


@pytest.fixture
def analyse(tmp_path, capsys):
    write_nodes([NodeEntry("FI", "http://127.0.0.1:9")], tmp_path / "nodes.yaml")

    def ask(request, *more, nodes="nodes.yaml"):
        """Exit status, and the lines of the standard error."""
        file = tmp_path / "request.json"
        if request is not None:
            file.write_text(request if isinstance(request, str) else json.dumps(request))
        out, listed = tmp_path / "out", tmp_path / nodes
        command = ["network", "analyse", str(file), "--nodes", str(listed), "--out", str(out)]
        with pytest.raises(SystemExit) as ended:
            main([*command, *more])
        return ended.value.code, capsys.readouterr().err.splitlines()

    return ask


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (None, "request.json: expected a JSON file, found an unreadable file"),
        ("{", "request.json: the body: expected JSON, found invalid JSON"),
        ([], "request.json: the body: expected an object, found []"),
        ({}, "request.json: steps: expected at least one step, found none"),
        ({**LINEAR, "stepps": 1}, "deadlineS, found 'stepps'"),
        (
            {**LINEAR, "nodes": ["XX"]},
            "nodes: expected codes of the network's nodes (FI), found XX",
        ),
    ],
)
def test_requests_that_cannot_be_used_are_one_line(analyse, request_, said):
    status, lines = analyse(request_)
    assert status == 2
    assert len(lines) == 1
    assert said in lines[0]


def test_a_token_that_is_not_there_is_one_line(analyse, monkeypatch):
    monkeypatch.delenv("NO_TOKEN", raising=False)
    status, lines = analyse(LINEAR, "--token-variable", "NO_TOKEN")
    assert (status, len(lines)) == (2, 1)
    assert "NO_TOKEN: expected a bearer token, found nothing" in lines[0]


def test_a_key_that_is_not_there_is_one_line(analyse, tmp_path):
    status, lines = analyse(LINEAR, "--coordinator-key", str(tmp_path / "none.pem"))
    assert (status, len(lines)) == (2, 1)
    assert "none.pem: file: expected an Ed25519 private key in PEM" in lines[0]


def test_an_analysis_that_fails_ends_with_1_and_its_report(analyse, tmp_path, capsys):
    status, lines = analyse(LINEAR)
    assert (status, len(lines)) == (1, 1)
    report = json.loads((tmp_path / "out/analysis.json").read_text())
    assert (report["state"], report["reason"]) == ("failed", lines[0])
    (node,) = report["nodes"]
    assert (node["node"], node["state"]) == ("FI", "failed")
    assert node["reason"].startswith("no answer (")


def test_the_last_line_names_the_nodes_that_were_lost(analyse, monkeypatch, capsys):
    async def play(analysis):
        analysis.state = "complete"
        analysis._result.losses.append(Loss("FI", "held", "A person looks at this.", 0))

    monkeypatch.setattr(PlayedAnalysis, "play", play)
    printed = []
    monkeypatch.setattr("builtins.print", lambda line, **_: printed.append(line))
    assert analyse(LINEAR)[0] == 0
    assert printed[-1] == "Complete without FI: the result is that of the other nodes."


def test_a_release_says_that_nobody_gets_the_numbers_of_a_canceled_run(monkeypatch, capsys):
    class Waiting:
        def decide(self, *_):
            return 5.0

    monkeypatch.setattr("rehearsal.node.airlock.desk.desk_of", lambda _: Waiting())
    main(["node", "airlock", "release", "FI", "run-round-0", "--reason", "known"])
    first, second = capsys.readouterr().out.splitlines()
    assert first == "run-round-0: release, after 5 s"
    assert "canceled, as rehearsal network analyse does, nobody can get it" in second


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_runs_at_nodes_before_the_command(number):
    ended = []

    class Endless:
        async def play(self):
            asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), number)
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0)  # as a request to a node
                ended.append("runs")

    with pytest.raises(SystemExit) as left:
        asyncio.run(_play_until_signal(Endless()))
    assert (ended, left.value.code) == (["runs"], 128 + number)
