"""What callers see of the state of a run: it changes at steps of time only."""

import asyncio
from types import SimpleNamespace

import pytest
from pyroaring import BitMap

from rehearsal.node.airlock.airlock import TIME_STEP_S
from rehearsal.node.settings.analysis_settings import AnalysisSettings
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes.algorithms import read_algorithm
from rehearsal.node.wes.coordinators import Coordinators
from rehearsal.node.wes.request import RunRequest
from rehearsal.node.wes.round_endpoints import RoundEndpoints
from rehearsal.node.wes.run import Run
from rehearsal.node.wes.runs import Runs
from rehearsal.web.problem import Problem

from ...node_algorithms import write_algorithm


class Clock:
    """Time that a test moves on."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        for module in ("run", "round_endpoints"):
            monkeypatch.setattr(f"rehearsal.node.wes.{module}.time", self)

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def run(clock, tmp_path):
    algorithm = read_algorithm(write_algorithm(tmp_path / "counting"))
    request = RunRequest("counting", {}, {}, {})
    return Run(
        *("run", algorithm, "somebody", "DUO:0000006", request, (), BitMap([1]), ""),
        began=clock.now,
    )


def told(run, clock, offset):
    clock.now = run.began + offset
    return run.shown_state()


def test_states_show_at_steps_of_time(run, clock):
    moments = {"INITIALIZING": 0.1, "RUNNING": 0.6, "PAUSED": 1.01, "COMPLETE": 1.99}
    for state, at in moments.items():
        clock.now = run.began + at
        run.end(state) if state == "COMPLETE" else run.move(state)
    shown = [told(run, clock, quarter * TIME_STEP_S) for quarter in range(9)]
    assert shown == [
        *("QUEUED", "INITIALIZING", "INITIALIZING", "RUNNING", "RUNNING"),
        *("PAUSED", "PAUSED", "PAUSED", "COMPLETE"),
    ]
    assert told(run, clock, 1.995) == "PAUSED"


def test_the_end_has_the_time_of_a_step(run, clock):
    clock.now += 0.13
    run.end("COMPLETE")
    assert run.ended == pytest.approx(run.created + TIME_STEP_S)
    assert run.shows_end_in() == pytest.approx(0.12)


def test_what_no_algorithm_times_shows_at_once(run, clock):
    clock.now += 0.13
    run.end("CANCELED")
    assert run.shown_state() == "CANCELED"
    run.withdraw()
    assert run.shown_state() == "SYSTEM_ERROR"


def test_an_ended_run_does_not_go_on(run):
    run.end("CANCELED")
    run.move("RUNNING")
    run.end("COMPLETE")
    assert run.state == "CANCELED"


def test_counts_and_rounds_tell_of_an_end_when_the_state_does(run, clock, tmp_path):
    runs = Runs(AnalysisSettings(), tmp_path, tmp_path, None, None)
    runs._runs[run.id] = run
    settings = NodeSettings.for_country("FI", "Finland")
    rounds = RoundEndpoints(settings, Coordinators([]), lambda request: run, runs)

    request = SimpleNamespace(path_params={"round": "0"})

    def sees_the_end():
        try:
            asyncio.run(rounds.find_result(request, 0.0))
        except Problem as problem:
            return problem.status == 410
        return False

    run.move("RUNNING")
    clock.now = run.began + 0.3
    run.end("EXECUTOR_ERROR", "failed")
    clock.now = run.began + 0.49
    assert not sees_the_end() and runs.counts()["RUNNING"] == 1
    clock.now = run.began + 0.5
    assert sees_the_end() and runs.counts()["EXECUTOR_ERROR"] == 1
