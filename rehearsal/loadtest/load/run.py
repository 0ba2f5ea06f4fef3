"""Measures a running network under load: a ramp up to its knee, warm and cold connections."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.loadtest.environment import cpu_seconds, load_average, machine
from rehearsal.loadtest.load.figures import Step, in_time_share, load_table, meets, unnamed_nodes
from rehearsal.loadtest.load.generators import Generators
from rehearsal.loadtest.load.histograms import write_log
from rehearsal.loadtest.load.saturation import IN_TIME_SHARE, P99_LIMIT_S, Knee, find_knee
from rehearsal.loadtest.load.sender import Call, Sent
from rehearsal.loadtest.load.workload import control_call, weights
from rehearsal.loadtest.stub_nodes import StubNodes
from rehearsal.network.registry import NodeEntry

WARM, COLD = "warm", "cold"
WARM_UP_USERS = 8
LOWEST_AGAIN = 3  # times that the lowest rate is tried again before it fails a run
WARM_UP_CALLS = 10_000  # more than there is time for


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """The section ``bench.load`` of the configuration; rates in queries a second."""

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
    """All steps of a run of load, in their order, and the knee between them."""

    calls: list[Call]
    steps: list[Step] = field(default_factory=list)
    knee: Knee = field(default_factory=lambda: Knee(None, None))
    conditions: dict[str, Any] = field(default_factory=dict)

    def table(self) -> pd.DataFrame:
        return load_table(self.steps, self.calls)

    def summary(self) -> dict[str, Any]:
        """The knee with what it rests on, and the checks, as plain JSON values."""
        objective = {"in_time_share": IN_TIME_SHARE, "p99_ms": P99_LIMIT_S * 1000}
        return {
            "held_per_s": self.knee.held_per_s,
            "missed_per_s": self.knee.missed_per_s,
            "objective": objective,
            "checks": load_checks(self.steps),
            "conditions": self.conditions,
        }


def measure_load(
    calls: Sequence[Call],
    settings: LoadSettings,
    service: NodeEntry,
    nodes: Sequence[NodeEntry],
    deadline_s: float,
    seed: int,
    logs: Path,
) -> LoadRun:
    """Ramp the load on ``service``, the network of ``nodes``, until it misses its objective.

    ``logs``: a folder for the histograms, a log a step. The same requests at the same rate are
    asked whatever happens: ``seed`` decides which. Raises InputError when the settings leave
    nothing to ask.
    """
    with StubNodes([0.0]) as empty, Generators([*calls, control_call(empty.urls[0])]) as generators:
        ramp = _Ramp(list(calls), settings, service, nodes, deadline_s, seed, logs, generators)
        ramp.warm_up()
        run = ramp.run
        run.knee = find_knee(
            ramp.holds, settings.first_per_s, settings.highest_per_s, tries=settings.tries
        )
        at_ease = max(settings.first_per_s, (run.knee.held_per_s or 0) / 2)
        for connections in (WARM, COLD):
            ramp.step(at_ease, connections)
        for _ in range(LOWEST_AGAIN):
            if _lowest_share(run.steps) < IN_TIME_SHARE:
                ramp.step(settings.first_per_s, WARM)
        run.conditions["load_average_after"] = load_average()
    return run


class _Ramp:
    """One run of load; remembers its steps."""

    def __init__(
        self,
        calls: list[Call],
        settings: LoadSettings,
        service: NodeEntry,
        nodes: Sequence[NodeEntry],
        deadline_s: float,
        seed: int,
        logs: Path,
        generators: Generators,
    ) -> None:
        conditions = machine() | {"nodes": len(nodes), "deadline_s": deadline_s, "seed": seed}
        self.run = LoadRun(calls, conditions=conditions | asdict(settings))
        self._settings, self._deadline_s = settings, deadline_s
        self._processes = {"network": [service], "nodes": nodes}
        self._nodes, self._logs, self._generators = len(nodes), logs, generators
        self._chance = weights(calls, settings.kinds, settings.users)
        self._random = np.random.default_rng(seed)
        self._control = len(calls)  # the number of the call to the empty handler

    def warm_up(self) -> None:
        """Open connections, fill caches, and show everybody's token once."""
        everybody = {(call.role, call.country): i for i, call in enumerate(self.run.calls)}
        order = [*everybody.values(), *self._drawn(WARM_UP_CALLS)]
        self._generators.send_closed(
            WARM_UP_USERS, order, self._deadline_s, self._settings.warm_up_s
        )

    def holds(self, rate: float) -> bool:
        return meets(self.step(rate, WARM))

    def step(self, rate: float, connections: str) -> Step:
        """Load at one rate, the control beside it, and its histogram."""
        duration_s = self._settings.duration_s
        n = max(1, round(rate * duration_s))
        times = [(number / rate, call) for number, call in enumerate(self._drawn(n))]
        every_s = 1 / self._settings.control_per_s
        control_at = np.arange(every_s / 2, duration_s, every_s)
        times = sorted([*times, *((at, self._control) for at in control_at.tolist())])
        before, begun = self._cpu_s(), time.time()
        at_s, which = zip(*times, strict=True)
        all_sent = self._generators.send_open(at_s, which, self._deadline_s, connections == COLD)
        cpu_s = {who: after - before[who] for who, after in self._cpu_s().items()}
        sent = [one for one in all_sent if one.call != self._control]
        control = [one for one in all_sent if one.call == self._control]
        step = Step(
            *(rate, duration_s, connections, sent, control, self._nodes, load_average(), cpu_s),
            {"planned": n, "histogram": self._write(sent, rate, connections, begun)},
        )
        self.run.steps.append(step)
        print(_said(step), flush=True)
        if not meets(step):
            self._settle()
        return step

    def _write(self, sent: Sequence[Sent], rate: float, connections: str, begun: float) -> str:
        name = f"{len(self.run.steps):02}-{connections}-{rate:.4g}.hlog"
        counted = [(one.at_s, one.latency_s) for one in sent if one.state in ("answered", "late")]
        comment = f"{rate:.4g} queries a second for {self._settings.duration_s:g} s, {connections}"
        write_log(self._logs / name, counted, begun, comment)
        return name

    def _settle(self) -> None:
        """Wait until the network answers again: one step must not suffer from the one before."""
        until = time.monotonic() + 2 * self._deadline_s
        while time.monotonic() < until:
            (one,) = self._generators.send_open([0.0], [self._first], self._deadline_s)
            if one.state in ("answered", "refused") and one.latency_s < P99_LIMIT_S:
                return
            time.sleep(0.2)

    @property
    def _first(self) -> int:
        return int(np.argmax(self._chance))

    def _drawn(self, number: int) -> list[int]:
        return self._random.choice(len(self._chance), number, p=self._chance).tolist()

    def _cpu_s(self) -> dict[str, float]:
        return {who: cpu_seconds(some) for who, some in self._processes.items()}


def _said(step: Step) -> str:
    states = [one.state for one in step.sent]
    counts = " ".join(f"{states.count(s)} {s}" for s in dict.fromkeys(states))
    return f"{step.rate_per_s:.4g}/s {step.connections}: {counts}; meets: {meets(step)}"


def load_checks(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """What must hold whatever the machine: nothing lost, nothing wrong, and QS-02 at the lowest
    rate. As ``report.summary.Check`` has it."""
    lost = sum(step.notes["planned"] - len(step.sent) for step in steps)
    unnamed = sum(unnamed_nodes(step) for step in steps)
    sent = [one for step in steps for one in step.sent]
    wrong = sum(one.equal is False for one in sent)
    verified = sum(one.equal is not None for one in sent)
    lowest, share = min(step.rate_per_s for step in steps), _lowest_share(steps)
    return [
        _check("load: queries lost without a mark", 0, lost, lost == 0),
        _check("load: nodes missing from answers without a mark", 0, unnamed, unnamed == 0),
        _check(
            "load: answers that differ from the truth",
            "0 of those that can be compared",
            f"{wrong} of {verified}",
            wrong == 0 and verified > 0,
        ),
        _check(
            f"load: share answered within the deadline at the lowest rate, {lowest:g} a second",
            f"at least {IN_TIME_SHARE:g}",
            share,
            share >= IN_TIME_SHARE,
        ),
    ]


def _lowest_share(steps: Sequence[Step]) -> float:
    """The share answered in time at the lowest rate, as it came out best.

    Other work on the machine makes a step worse, never better.
    """
    lowest = min(step.rate_per_s for step in steps)
    return max(in_time_share(step.sent) for step in steps if step.rate_per_s == lowest)


def _check(name: str, expected: Any, observed: Any, passed: bool) -> dict[str, Any]:
    return {"name": name, "expected": expected, "observed": observed, "passed": bool(passed)}
