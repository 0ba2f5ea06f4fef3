"""Measuring a network under load: a ramp until it saturates, with warm and cold connections."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.evaluation.network_under_test import NetworkUnderTest
from rehearsal.loadtest.load.figures import Step, in_time_share, load_table, meets, unnamed_nodes
from rehearsal.loadtest.load.generators import Generators
from rehearsal.loadtest.load.histograms import write_log
from rehearsal.loadtest.load.saturation import (
    IN_TIME_SHARE,
    P99_LIMIT_S,
    Saturation,
    find_saturation,
)
from rehearsal.loadtest.load.sender import Call, Sent
from rehearsal.loadtest.load.workload import Workload, control_call, issue_tokens, weights
from rehearsal.loadtest.run_under_test import RunUnderTest
from rehearsal.loadtest.stub_nodes import StubNodes
from rehearsal.logs import tell_progress
from rehearsal.machine import load_average, measurement_conditions
from rehearsal.network.launcher import nodes_at_their_distance, running_network
from rehearsal.node.runtime_files import served_copies

WARM, COLD = "warm", "cold"
WARM_UP_USERS = 8
LOWEST_AGAIN = 3  # repetitions of the lowest rate before it fails a run
WARM_UP_CALLS = 10_000  # more than the time allows


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """The section ``bench.load`` of the configuration; rates in queries per second."""

    first_per_s: float
    highest_per_s: float
    duration_s: float
    warm_up_s: float
    tries: int
    control_per_s: float
    kinds: Mapping[str, float]
    users: Mapping[str, float]


@dataclass(slots=True)
class LoadRun:
    """The results of a load test: its steps in order, and the saturation."""

    calls: list[Call]
    steps: list[Step] = field(default_factory=list)
    saturation: Saturation = field(default_factory=lambda: Saturation(None, None))
    conditions: dict[str, Any] = field(default_factory=dict)

    def table(self) -> pd.DataFrame:
        """Return the table of all steps, as ``load_table`` makes it."""
        return load_table(self.steps, self.calls)

    def summary(self) -> dict[str, Any]:
        """Return the saturation, its objective, the checks and the conditions as plain data."""
        objective = {"in_time_share": IN_TIME_SHARE, "p99_ms": P99_LIMIT_S * 1000}
        return {
            "held_per_s": self.saturation.held_per_s,
            "missed_per_s": self.saturation.missed_per_s,
            "objective": objective,
            "checks": load_checks(self.steps),
            "conditions": self.conditions,
        }


def measure_load_of_run(
    run: RunUnderTest,
    settings: LoadSettings,
    network: Mapping[str, Any],
    pairs: pd.DataFrame,
    seed: int,
    histograms: Path,
    logs: Path,
) -> LoadRun:
    """Serve copies of a run's nodes at their distances, and put load on a network of them.

    Args:
        run: The files of the run.
        settings: The settings of the load test.
        network: The ``network`` section of the configuration.
        pairs: Round-trip times of pairs of countries, as ``rtt_matrix`` returns them.
        seed: Decides which queries are sent.
        histograms: Folder for the histograms, one log per step.
        logs: Folder for the logs of the processes.

    Returns:
        The results.

    Raises:
        InputError: A file of the run cannot be used, or the settings select no query.
    """
    countries, deadline_s = list(run.nodes), network["deadline_s"]
    tokens = issue_tokens(run.issuer, countries)
    workload = Workload(run.queries(), run.expected_answers(), tokens)
    with ExitStack() as stack:
        copies = stack.enter_context(served_copies(run.nodes, logs))
        nodes = stack.enter_context(nodes_at_their_distance(copies, network, pairs, logs))
        running = running_network(nodes, deadline_s, logs, forks=nodes.forks)
        tested = NetworkUnderTest(stack.enter_context(running), nodes, deadline_s)
        calls = workload.calls(countries, tested.service.url)
        return measure_load(calls, settings, tested, seed, histograms)


def measure_load(
    calls: Sequence[Call],
    settings: LoadSettings,
    tested: NetworkUnderTest,
    seed: int,
    histograms: Path,
) -> LoadRun:
    """Increase the load on a network until it misses its objective.

    Args:
        calls: The calls to send.
        settings: The settings of the load test.
        tested: The network.
        seed: Decides which requests are sent, independently of the answers.
        histograms: Folder for the histograms, one log per step.

    Returns:
        The results.

    Raises:
        InputError: The settings select no query.
    """
    with StubNodes([0.0]) as empty, Generators([*calls, control_call(empty.urls[0])]) as generators:
        ramp = _Ramp(list(calls), settings, tested, seed, histograms, generators)
        ramp.warm_up()
        run = ramp.run
        run.saturation = find_saturation(
            ramp.holds, settings.first_per_s, settings.highest_per_s, tries=settings.tries
        )
        at_ease = max(settings.first_per_s, (run.saturation.held_per_s or 0) / 2)
        for connections in (WARM, COLD):
            ramp.step(at_ease, connections)
        for _ in range(LOWEST_AGAIN):
            if _lowest_share(run.steps) < IN_TIME_SHARE:
                ramp.step(settings.first_per_s, WARM)
        run.conditions["load_average_after"] = load_average()
    return run


class _Ramp:
    """A load test with its steps so far."""

    def __init__(
        self,
        calls: list[Call],
        settings: LoadSettings,
        tested: NetworkUnderTest,
        seed: int,
        histograms: Path,
        generators: Generators,
    ) -> None:
        conditions = {
            **measurement_conditions(),
            "load_average_1min": load_average(),
            "nodes": len(tested.nodes),
            "deadline_s": tested.deadline_s,
            "seed": seed,
            **asdict(settings),
        }
        self.run = LoadRun(calls, conditions=conditions)
        self._settings, self._tested = settings, tested
        self._histograms, self._generators = histograms, generators
        self._chance = weights(calls, settings.kinds, settings.users)
        self._random = np.random.default_rng(seed)
        self._control = len(calls)  # index of the call to the empty handler

    def warm_up(self) -> None:
        """Open connections, fill caches, and use the token of every user once."""
        everybody = {(call.role, call.country): i for i, call in enumerate(self.run.calls)}
        order = [*everybody.values(), *self._drawn(WARM_UP_CALLS)]
        self._generators.send_closed(
            WARM_UP_USERS, order, self._tested.deadline_s, self._settings.warm_up_s
        )

    def holds(self, rate: float) -> bool:
        return meets(self.step(rate, WARM))

    def step(self, rate: float, connections: str) -> Step:
        """Put load on the network at one rate, with the control, and write the histogram."""
        duration_s = self._settings.duration_s
        n = max(1, round(rate * duration_s))
        times = [(number / rate, call) for number, call in enumerate(self._drawn(n))]
        every_s = 1 / self._settings.control_per_s
        control_at = np.arange(every_s / 2, duration_s, every_s)
        times = sorted([*times, *((at, self._control) for at in control_at.tolist())])
        before, begun = self._tested.cpu_seconds(), time.time()
        at_s, which = zip(*times, strict=True)
        all_sent = self._generators.send_open(
            at_s, which, self._tested.deadline_s, connections == COLD
        )
        cpu_s = {who: after - before[who] for who, after in self._tested.cpu_seconds().items()}
        sent = [one for one in all_sent if one.call != self._control]
        control = [one for one in all_sent if one.call == self._control]
        step = Step(
            rate,
            duration_s,
            connections,
            sent,
            control,
            nodes=len(self._tested.nodes),
            load_average=load_average(),
            cpu_s=cpu_s,
            notes={"planned": n, "histogram": self._write(sent, rate, connections, begun)},
        )
        self.run.steps.append(step)
        tell_progress(_step_text(step))
        if not meets(step):
            self._settle()
        return step

    def _write(self, sent: Sequence[Sent], rate: float, connections: str, begun: float) -> str:
        name = f"{len(self.run.steps):02}-{connections}-{rate:.4g}.hlog"
        counted = [(one.at_s, one.latency_s) for one in sent if one.state in ("answered", "late")]
        comment = f"{rate:.4g} queries a second for {self._settings.duration_s:g} s, {connections}"
        write_log(self._histograms / name, counted, begun, comment)
        return name

    def _settle(self) -> None:
        """Wait until the network answers again, so that the next step is not affected."""
        until = time.monotonic() + 2 * self._tested.deadline_s
        while time.monotonic() < until:
            (one,) = self._generators.send_open([0.0], [self._first], self._tested.deadline_s)
            if one.state in ("answered", "refused") and one.latency_s < P99_LIMIT_S:
                return
            time.sleep(0.2)

    @property
    def _first(self) -> int:
        return int(np.argmax(self._chance))

    def _drawn(self, number: int) -> list[int]:
        return self._random.choice(len(self._chance), number, p=self._chance).tolist()


def _step_text(step: Step) -> str:
    states = [one.state for one in step.sent]
    counts = " ".join(f"{states.count(s)} {s}" for s in dict.fromkeys(states))
    return f"{step.rate_per_s:.4g}/s {step.connections}: {counts}; meets: {meets(step)}"


def load_checks(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Make the checks that must hold on any machine.

    Nothing may be lost or wrong, and QS-02 must hold at the lowest rate.

    Args:
        steps: The steps of the load test.

    Returns:
        Checks in the form of ``report.summary.CheckResults``.
    """
    lost = sum(step.notes["planned"] - len(step.sent) for step in steps)
    unnamed = sum(unnamed_nodes(step) for step in steps)
    sent = [one for step in steps for one in step.sent]
    wrong = sum(one.equal is False for one in sent)
    verified = sum(one.equal is not None for one in sent)
    lowest, share = min(step.rate_per_s for step in steps), _lowest_share(steps)
    return [
        _check("load: queries without a recorded outcome", 0, lost, lost == 0),
        _check("load: nodes without a recorded outcome in answers", 0, unnamed, unnamed == 0),
        _check(
            "load: answers that differ from the truth",
            "0 of those that can be compared",
            f"{wrong} of {verified}",
            wrong == 0 and verified > 0,
        ),
        _check(
            f"load: share answered within the deadline at the lowest rate, {lowest:g} per second",
            f"at least {IN_TIME_SHARE:g}",
            share,
            share >= IN_TIME_SHARE,
        ),
    ]


def _lowest_share(steps: Sequence[Step]) -> float:
    """The best share answered in time among the steps at the lowest rate.

    Other work on the machine makes a step worse, never better.
    """
    lowest = min(step.rate_per_s for step in steps)
    return max(in_time_share(step.sent) for step in steps if step.rate_per_s == lowest)


def _check(name: str, expected: Any, observed: Any, passed: bool) -> dict[str, Any]:
    return {"name": name, "expected": expected, "observed": observed, "passed": bool(passed)}
