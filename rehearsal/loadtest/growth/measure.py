"""Measuring the same queries over more nodes, more people, and more simultaneous users.

Distance is not emulated, because only the work grows. CPU seconds are the figures that other load
on the machine affects least.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.evaluation.latency import percentile
from rehearsal.evaluation.network_under_test import NetworkUnderTest
from rehearsal.loadtest.growth.power_law import fit_power_law
from rehearsal.loadtest.load.figures import MS, commonest_reason, figures
from rehearsal.loadtest.load.generators import Generators
from rehearsal.loadtest.load.saturation import IN_TIME_SHARE
from rehearsal.loadtest.load.sender import Call
from rehearsal.loadtest.load.workload import RESEARCHER, Workload, control_call, issue_tokens
from rehearsal.loadtest.query_selection import select_evenly
from rehearsal.loadtest.run_under_test import RunUnderTest
from rehearsal.loadtest.stub_nodes import StubNodes
from rehearsal.logs import tell_progress
from rehearsal.machine import load_average
from rehearsal.network.launcher import RunningNodes, running_network, running_nodes
from rehearsal.node.runtime_files import served_copies

NODES, PEOPLE, USERS = "nodes", "people", "users"
CONTROL_AT_S = np.arange(0, 0.5, 0.02).tolist()  # times of control requests, before each step
USERS_CALLS = 200_000  # more than the time allows
MEASURES = (
    "p50_ms",
    "p99_ms",
    "network_cpu_ms_per_query",
    "nodes_cpu_ms_per_query",
    "queries_per_s",
)


@dataclass(frozen=True, slots=True)
class GrowthSettings:
    """The section ``bench.growth`` of the configuration."""

    nodes: Sequence[int]  # numbers of nodes
    people: Sequence[int]  # numbers of people at all synthetic nodes together
    users: Sequence[int]  # numbers of simultaneous users
    queries: int  # sent at each number of nodes or people
    duration_s: float  # of each number of users


def measure_growth(
    run: RunUnderTest,
    settings: GrowthSettings,
    deadline_s: float,
    people: Mapping[str, int],
    seed: int,
    logs: Path,
) -> pd.DataFrame:
    """Serve copies of a run's nodes, without distance, and measure along all three axes.

    Args:
        run: The files of the run.
        settings: The steps of each axis.
        deadline_s: Deadline of a query, in seconds.
        people: Numbers of people by country.
        seed: Seed of the synthetic nodes.
        logs: Folder for the logs of the processes.

    Returns:
        One row per step; docs/operate/load.md explains the columns.

    Raises:
        InputError: A file of the run cannot be used.
    """
    queries = select_evenly(run.queries(), settings.queries)
    tokens = issue_tokens(run.issuer, [run.asker])
    researchers = {who: token for who, token in tokens.items() if who[0] == RESEARCHER}
    workload = Workload(queries, run.expected_answers(), researchers)
    growth = GrowthMeasurement(deadline_s, logs)
    with ExitStack() as stack:
        copies = stack.enter_context(served_copies(run.nodes, logs))
        nodes = stack.enter_context(running_nodes(copies, logs))
        growth.measure_more_nodes(workload, nodes, settings.nodes, people)
        running = running_network(nodes, deadline_s, logs, forks=nodes.forks)
        tested = NetworkUnderTest(stack.enter_context(running), nodes, deadline_s)
        calls = workload.calls(list(run.nodes), tested.service.url)
        growth.measure_more_users(calls, tested, settings.users, people, settings.duration_s)
    growth.measure_more_people(list(run.nodes), settings.people, settings.queries, seed)
    return growth.table()


@dataclass(slots=True)
class GrowthMeasurement:
    """A measurement of growth, which collects one row per step."""

    deadline_s: float  # of a query
    logs: Path  # folder for the logs of the processes
    rows: list[dict[str, Any]] = field(default_factory=list)

    def measure_more_nodes(
        self,
        workload: Workload,
        nodes: RunningNodes,
        numbers: Sequence[int],
        people: Mapping[str, int],
    ) -> None:
        """Send the same queries, one after another, to networks of different numbers of nodes.

        Args:
            workload: The queries.
            nodes: The running nodes; a network uses the first ones.
            numbers: Numbers of nodes.
            people: Numbers of people by country.
        """
        for number in [one for one in numbers if one <= len(nodes)]:
            some = nodes[:number]
            countries = [node.country for node in some]
            network = running_network(some, self.deadline_s, self.logs, forks=nodes.forks)
            with network as service:
                calls = workload.calls(countries, service.url)
                at = _at(NODES, number, sum(int(people[country]) for country in countries), 1)
                tested = NetworkUnderTest(service, some, self.deadline_s)
                with _generators(calls, 1) as generators:
                    self._measure_step(generators, calls, tested, at, range(len(calls)))

    def measure_more_users(
        self,
        calls: Sequence[Call],
        tested: NetworkUnderTest,
        numbers: Sequence[int],
        people: Mapping[str, int],
        duration_s: float,
    ) -> None:
        """Send queries of different numbers of users, each of whom waits for every answer.

        Args:
            calls: The calls.
            tested: The network.
            numbers: Numbers of users.
            people: Numbers of people by country.
            duration_s: How long each step lasts, in seconds.
        """
        order = np.resize(np.arange(len(calls)), USERS_CALLS).tolist()
        everybody = sum(int(people[node.country]) for node in tested.nodes)
        with _generators(calls, min(max(numbers, default=1), 2)) as generators:
            for number in numbers:
                at = _at(USERS, len(tested.nodes), everybody, number)
                self._measure_step(generators, calls, tested, at, order, duration_s)

    def measure_more_people(
        self, countries: Sequence[str], numbers: Sequence[int], queries: int, seed: int
    ) -> None:
        """Send the same queries to synthetic nodes with different numbers of people.

        Args:
            countries: The countries of the nodes.
            numbers: Numbers of people at all nodes together.
            queries: How many queries are sent.
            seed: Seed of the nodes and queries.
        """
        # imported here: compiled code that a short bench does not need
        from rehearsal.loadtest.growth import synthetic_nodes

        for people in numbers:
            each = max(1, round(people / len(countries)))
            with ExitStack() as stack:
                folder = Path(stack.enter_context(TemporaryDirectory()))
                folders = synthetic_nodes.build_nodes(countries, each, folder, seed)
                nodes = stack.enter_context(running_nodes(folders, self.logs))
                network = running_network(nodes, self.deadline_s, self.logs, forks=nodes.forks)
                tested = NetworkUnderTest(stack.enter_context(network), nodes, self.deadline_s)
                of_each = math.ceil(queries / 5)
                calls = synthetic_nodes.make_calls(
                    each, len(nodes), tested.service.url, seed, of_each
                )
                at = _at(PEOPLE, len(nodes), each * len(nodes), 1)
                with _generators(calls, 1) as generators:
                    self._measure_step(generators, calls, tested, at, range(len(calls)))

    def _measure_step(
        self,
        generators: Generators,
        calls: Sequence[Call],
        tested: NetworkUnderTest,
        at: Mapping[str, Any],
        order: Sequence[int],
        duration_s: float = math.inf,
    ) -> None:
        """Measure a step; every call is sent once before, so that caches are equally warm."""
        users = at["users"]
        generators.send_closed(min(users, 8), range(len(calls)), self.deadline_s)
        control = [len(calls)] * len(CONTROL_AT_S)
        idle = generators.send_open(CONTROL_AT_S, control, self.deadline_s)
        before = tested.cpu_seconds()
        sent = generators.send_closed(users, order, self.deadline_s, duration_s)
        after = tested.cpu_seconds()
        ended_s = max(one.at_s + one.latency_s for one in sent)
        control_ms = np.array([one.latency_s * MS for one in idle])
        self.rows.append(
            {
                **at,
                **figures(sent),
                "queries_per_s": sum(one.state == "answered" for one in sent) / ended_s,
                **{
                    f"{who}_cpu_ms_per_query": (after[who] - before[who]) * MS / len(sent)
                    for who in before
                },
                **{f"control_p{share}_ms": percentile(control_ms, share) for share in (50, 99)},
                "load_average_1min": load_average(),
                "reason": commonest_reason(sent),
            }
        )
        row = self.rows[-1]
        size = ", ".join(f"{at[axis]:,} {axis}" for axis in (NODES, PEOPLE, USERS))
        tell_progress(f"{size}: p50 {row['p50_ms']:.1f} ms, {row['queries_per_s']:.1f} per s")

    def table(self) -> pd.DataFrame:
        """Return the table of all rows so far."""
        return pd.DataFrame(self.rows)


@contextmanager
def _generators(calls: Sequence[Call], number: int) -> Iterator[Generators]:
    """Start processes that send the calls; the last call goes to an empty handler."""
    with StubNodes([0.0]) as empty, Generators([*calls, control_call(empty.urls[0])], number) as g:
        yield g


def _at(axis: str, nodes: int, people: int, users: int) -> dict[str, Any]:
    return {"axis": axis, "nodes": nodes, "people": people, "users": users}


def fit_exponents(table: pd.DataFrame) -> pd.DataFrame:
    """Fit a power law to each measure along each axis.

    Only steps with at least ``IN_TIME_SHARE`` answered in time count. In other steps the deadline
    decides the latency. An axis with fewer than three such steps gets no row.

    Args:
        table: What ``measure_growth`` returns.

    Returns:
        One row per axis and measure, with the columns ``axis``, ``measure``, ``exponent``,
        ``standard_error``, ``coefficient``, ``r_squared`` and ``points``.
    """
    rows = []
    kept_up = table[table["in_time_share"] >= IN_TIME_SHARE]
    for axis, steps in kept_up.groupby("axis", sort=False):
        if steps[axis].nunique() < 3:
            continue
        for measure in MEASURES:
            power = fit_power_law(steps[axis].tolist(), steps[measure].tolist())
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
    """Make the check that must hold on any machine.

    Args:
        table: What ``measure_growth`` returns.

    Returns:
        A list of the one check, in the form of ``report.summary.CheckResults``.
    """
    wrong, verified = int(table["wrong"].sum()), int(table["verified"].sum())
    return [
        {
            "name": "growth: answers that differ from the tables",
            "expected": "0 of those that can be compared",
            "observed": f"{wrong} of {verified}",
            "passed": wrong == 0 and verified > 0,
        }
    ]
