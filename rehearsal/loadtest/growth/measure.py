"""Measures the same queries over more nodes, more people and more users at once.

Distance is left out: what grows is the work, not the way. The figures that a busy machine spoils
least are the CPU seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.evaluation.latency import percentile
from rehearsal.loadtest.environment import cpu_seconds, load_average
from rehearsal.loadtest.growth.power import fit_power
from rehearsal.loadtest.load.figures import MS, commonest_reason, figures
from rehearsal.loadtest.load.generators import Generators
from rehearsal.loadtest.load.saturation import IN_TIME_SHARE
from rehearsal.loadtest.load.sender import Call
from rehearsal.loadtest.load.workload import control_call
from rehearsal.loadtest.stub_nodes import StubNodes
from rehearsal.model import Query
from rehearsal.network.launcher import RunningNodes, running_network, running_nodes
from rehearsal.network.registry import NodeEntry

NODES, PEOPLE, USERS = "nodes", "people", "users"
CONTROL_AT_S = np.arange(0, 0.5, 0.02).tolist()  # when control requests leave, before each step
USERS_CALLS = 200_000  # more than there is time for
MEASURES = (
    "p50_ms",
    "p99_ms",
    "network_cpu_ms_per_query",
    "nodes_cpu_ms_per_query",
    "queries_per_s",
)

# makes the calls from the countries behind a network and its URL
CallsTo = Callable[[Sequence[str], str], list[Call]]


@dataclass(slots=True)
class Growth:
    """A row a step; collects them."""

    deadline_s: float
    logs: Path
    rows: list[dict[str, Any]] = field(default_factory=list)

    def over_nodes(
        self,
        calls_to: CallsTo,
        nodes: RunningNodes,
        numbers: Sequence[int],
        people: Mapping[str, int],
    ) -> None:
        """The same calls, one after the other, to networks of the first so many nodes.

        ``calls_to``: the calls to a network, and what is true of its nodes. ``people``: by country.
        """
        for number in [one for one in numbers if one <= len(nodes)]:
            some = nodes[:number]
            codes = [node.country for node in some]
            network = running_network(some, self.deadline_s, self.logs, forks=nodes.forks)
            with network as service:
                calls = calls_to(codes, service.url)
                at = _at(NODES, number, sum(int(people[code]) for code in codes), 1)
                with _asking(calls, 1) as generators:
                    self._step(generators, calls, service, some, at, range(len(calls)))

    def over_users(
        self,
        calls: Sequence[Call],
        service: NodeEntry,
        nodes: Sequence[NodeEntry],
        numbers: Sequence[int],
        people: Mapping[str, int],
        duration_s: float,
    ) -> None:
        """So many users who each ask, wait and ask again, for ``duration_s`` seconds."""
        order = np.resize(np.arange(len(calls)), USERS_CALLS).tolist()
        everybody = sum(int(people[node.country]) for node in nodes)
        with _asking(calls, min(max(numbers, default=1), 2)) as generators:
            for number in numbers:
                at = _at(USERS, len(nodes), everybody, number)
                self._step(generators, calls, service, nodes, at, order, duration_s)

    def over_people(
        self, countries: Sequence[str], numbers: Sequence[int], queries: int, seed: int
    ) -> None:
        """The same questions to synthetic nodes, so many people at all of them together."""
        from rehearsal.loadtest.growth import (
            synthetic,  # compiled code, not needed in a short bench
        )

        for people in numbers:
            each = max(1, round(people / len(countries)))
            with ExitStack() as stack:
                folder = Path(stack.enter_context(TemporaryDirectory()))
                folders = synthetic.build_nodes(countries, each, folder, seed)
                nodes = stack.enter_context(running_nodes(folders, {}, 0, self.logs))
                network = running_network(nodes, self.deadline_s, self.logs, forks=nodes.forks)
                service = stack.enter_context(network)
                of_each = math.ceil(queries / 5)
                calls = synthetic.make_calls(each, len(nodes), service.url, seed, of_each)
                at = _at(PEOPLE, len(nodes), each * len(nodes), 1)
                with _asking(calls, 1) as generators:
                    self._step(generators, calls, service, nodes, at, range(len(calls)))

    def _step(
        self,
        generators: Generators,
        calls: Sequence[Call],
        service: NodeEntry,
        nodes: Sequence[NodeEntry],
        at: Mapping[str, Any],
        order: Sequence[int],
        duration_s: float = math.inf,
    ) -> None:
        """One row; every call is asked once before, so that caches are as warm in all steps."""
        processes = {"network": [service], "nodes": nodes}
        users = at["users"]
        generators.send_closed(min(users, 8), range(len(calls)), self.deadline_s)
        control = [len(calls)] * len(CONTROL_AT_S)
        idle = generators.send_open(CONTROL_AT_S, control, self.deadline_s)
        before = {who: cpu_seconds(some) for who, some in processes.items()}
        sent = generators.send_closed(users, order, self.deadline_s, duration_s)
        after = {who: cpu_seconds(some) for who, some in processes.items()}
        ended_s = max(one.at_s + one.latency_s for one in sent)
        control_ms = np.array([one.latency_s * MS for one in idle])
        self.rows.append(
            {
                **at,
                **figures(sent),
                "queries_per_s": sum(one.state == "answered" for one in sent) / ended_s,
                **{
                    f"{who}_cpu_ms_per_query": (after[who] - before[who]) * MS / len(sent)
                    for who in processes
                },
                **{f"control_p{share}_ms": percentile(control_ms, share) for share in (50, 99)},
                "load_average_1min": load_average(),
                "reason": commonest_reason(sent),
            }
        )
        row = self.rows[-1]
        print(f"{dict(at)}: p50 {row['p50_ms']:.1f} ms, {row['queries_per_s']:.1f}/s", flush=True)

    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows)


@contextmanager
def _asking(calls: Sequence[Call], number: int) -> Iterator[Generators]:
    """So many processes that send the calls, and after them in number one to an empty handler."""
    with StubNodes([0.0]) as empty, Generators([*calls, control_call(empty.urls[0])], number) as g:
        yield g


def _at(axis: str, nodes: int, people: int, users: int) -> dict[str, Any]:
    return {"axis": axis, "nodes": nodes, "people": people, "users": users}


def chosen(suite: Sequence[Query], number: int) -> list[Query]:
    """About so many of the queries that have a right answer, of all kinds alike."""
    able = [query for query in suite if query.tier == "controlled" and query.kind != "ill_formed"]
    return able[:: max(1, len(able) // number)][:number]


def fits(table: pd.DataFrame) -> pd.DataFrame:
    """A row an axis and measure: exponent, standard error, coefficient, r_squared, points.

    Only steps count in which ``IN_TIME_SHARE`` was answered in time: beyond, latency is the
    deadline's and says nothing of growth. An axis with fewer than three such steps has none.
    """
    rows = []
    kept_up = table[table["in_time_share"] >= IN_TIME_SHARE]
    for axis, steps in kept_up.groupby("axis", sort=False):
        if steps[axis].nunique() < 3:
            continue
        for measure in MEASURES:
            power = fit_power(steps[axis].tolist(), steps[measure].tolist())
            rows.append(
                {
                    "axis": axis,
                    "measure": measure,
                    "exponent": power.exponent,
                    "standard_error": power.standard_error,
                    "coefficient": power.coefficient,
                    "r_squared": power.r_squared,
                    "points": power.points,
                }
            )
    columns = ["axis", "measure", "exponent", "standard_error", "coefficient", "r_squared"]
    return pd.DataFrame(rows, columns=[*columns, "points"])


def growth_checks(table: pd.DataFrame) -> list[dict[str, Any]]:
    """What must hold whatever the machine."""
    wrong, verified = int(table["wrong"].sum()), int(table["verified"].sum())
    return [
        {
            "name": "growth: answers that differ from what the tables say",
            "expected": "0 of those that can be compared",
            "observed": f"{wrong} of {verified}",
            "passed": wrong == 0 and verified > 0,
        }
    ]
