"""Running fault scenarios on small networks of real processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from rehearsal.errors import InputError
from rehearsal.loadtest.faults.fault_injection import FAULTS, FaultInjection
from rehearsal.loadtest.faults.faulty_proxy import faulty_proxy
from rehearsal.loadtest.faults.lost_in_round import LostNodeTest
from rehearsal.loadtest.faults.processes import VICTIM_MS, NodeProcess, ServiceProcess
from rehearsal.loadtest.faults.scenario_outcome import COLUMNS, RECOVERY_S, ScenarioOutcome
from rehearsal.loadtest.faults.scenarios import Lane, Scenario
from rehearsal.loadtest.faults.steady_queries import SteadyQueries
from rehearsal.loadtest.query_selection import select_kinds_in_turn
from rehearsal.loadtest.run_under_test import RunUnderTest
from rehearsal.logs import Progress
from rehearsal.model import Query
from rehearsal.network.forkserver import ForkServer, fork_server
from rehearsal.network.issuer import TRUSTED
from rehearsal.network.registry import NodeEntry
from rehearsal.network.tokens import tokens_by_tier
from rehearsal.node.runtime_files import served_copy
from rehearsal.truth.expected_answers import ExpectedAnswer

HEALTHY_NODES = 2
QUERIES = 16  # different queries, sent repeatedly
DEADLINE_S = 1.0
OWN_FILES = {"files": ("variants.sqlite", "people.sqlite"), "process": (TRUSTED,)}
AWAY = ("clock", "keys")  # faults for which the node restarts


@dataclass(frozen=True)
class FaultTest:
    """The nodes to break, and the queries to send meanwhile."""

    folders: Mapping[str, Path]  # of nodes by country
    issuer: Path  # folder of the issuer
    asker: str  # code of the country that sends the queries
    queries: Sequence[Query]
    expected: Mapping[str, Mapping[str, ExpectedAnswer]]  # right answers by query and country
    fault_s: float = 1.5  # how long each fault lasts, in seconds
    per_s: float = 8.0  # queries per second, in each lane
    coordinator: Path | None = None  # file of the private key that signs in analyses

    @classmethod
    def of_run(cls, run: RunUnderTest, fault_s: float, per_s: float) -> FaultTest:
        """Prepare a test with the first queries of a run, with the kinds taking turns.

        Args:
            run: The run.
            fault_s: How long each fault lasts, in seconds.
            per_s: Queries per second, in each lane.

        Returns:
            The test.

        Raises:
            InputError: A file of the run cannot be used.
        """
        queries = select_kinds_in_turn(run.queries(), QUERIES)
        expected = run.expected_answers()
        for query in queries:
            for country in run.nodes:
                if country not in expected.get(query.id, {}):
                    key = f"{query.id}.{country}"
                    raise InputError(run.truth, key, "the right answer of this country", "nothing")
        asked = (queries, expected, fault_s, per_s, run.coordinator)
        return cls(run.nodes, run.issuer, run.asker, *asked)

    @property
    def victim(self) -> str:
        """The country whose node is broken."""
        return self._by_size()[0]

    @property
    def healthy(self) -> list[str]:
        """The countries whose nodes must keep working."""
        return self._by_size()[1 : 1 + HEALTHY_NODES]

    def _by_size(self) -> list[str]:
        """Countries by the size of their nodes, smallest first, because nodes are copied."""
        sizes = {c: (f / "variants.sqlite").stat().st_size for c, f in self.folders.items()}
        return sorted(sizes, key=lambda country: (sizes[country], country))


def run_faults(
    test: FaultTest, scenarios: Sequence[Scenario], folder: Path, logs: Path
) -> pd.DataFrame:
    """Run scenarios.

    Args:
        test: The nodes and the queries. At least two nodes are needed: one is broken, the others
            must keep working.
        scenarios: The scenarios.
        folder: Folder for copies of the nodes.
        logs: Folder for the logs of the processes.

    Returns:
        One row per scenario, in their order, with the columns ``scenario_outcome.COLUMNS``.
    """
    found = asyncio.run(_run_all(test, scenarios, folder, logs))
    rows = [found[one.name] for one in scenarios]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


async def _run_all(
    test: FaultTest, scenarios: Sequence[Scenario], folder: Path, logs: Path
) -> dict[str, dict[str, Any]]:
    by_lane: dict[Lane, list[Scenario]] = {}
    for one in scenarios:
        by_lane.setdefault(one.lane, []).append(one)
    progress = Progress(len(scenarios), "scenarios", every_s=0)
    async with AsyncExitStack() as stack:
        forks = stack.enter_context(fork_server())
        healthy = [
            NodeProcess(c, served_copy(test.folders[c], folder / "healthy" / c), logs / c, forks)
            for c in test.healthy
        ]
        for process in healthy:
            stack.push_async_callback(process.end)
        await asyncio.gather(*(process.start() for process in healthy))
        others = [process.entry for process in healthy]

        def lane(name: Lane) -> _LaneRun:
            return _LaneRun(test, name, others, folder / name, logs / name, forks)

        alone = by_lane.pop("analysis", [])  # as it needs the processors
        lanes = [_run_lane(lane(name), some, progress) for name, some in by_lane.items()]
        rows = {name: row for some in await asyncio.gather(*lanes) for name, row in some.items()}
        for scenario in alone:
            rows[scenario.name] = await _lose_node(lane("analysis"), scenario)
            progress.step()
    return rows


async def _lose_node(run: _LaneRun, scenario: Scenario) -> dict[str, Any]:
    """Play an analysis at the healthy nodes and a victim, which is lost."""
    test, codes = run.test, [entry.country for entry in run.others]
    async with AsyncExitStack() as stack:
        victim = await run.start_victim(stack)
        folders = {code: test.folders[code] for code in (*codes, test.victim)}
        token = tokens_by_tier(test.issuer, test.asker)["controlled"]
        nodes = [*run.others, victim.entry]
        lost = LostNodeTest(nodes, folders, test.victim, token, test.coordinator)
        return await lost.play(scenario)


@dataclass(frozen=True)
class _LaneRun:
    """A network for the scenarios of one lane; ``others`` are its healthy nodes."""

    test: FaultTest
    lane: Lane
    others: Sequence[NodeEntry]
    folder: Path
    logs: Path
    forks: ForkServer

    async def start_victim(self, stack: AsyncExitStack) -> NodeProcess:
        """Start a copy of the node to break; it ends with the stack."""
        country = self.test.victim
        own_files = OWN_FILES.get(self.lane, ())
        copy = served_copy(self.test.folders[country], self.folder / country, own_files)
        victim = NodeProcess(country, copy, self.logs / country, self.forks, VICTIM_MS)
        stack.push_async_callback(victim.end)
        await victim.start()
        return victim


async def _run_lane(
    run: _LaneRun, scenarios: Sequence[Scenario], progress: Progress
) -> dict[str, dict[str, Any]]:
    async with AsyncExitStack() as stack:
        entries, victim, proxy = list(run.others), None, None
        if any(one.has_victim for one in scenarios):
            victim = await run.start_victim(stack)
            entry = victim.entry
            if run.lane == "address":
                proxy = await stack.enter_async_context(faulty_proxy(*victim.address))
                entry = replace(entry, url=f"http://127.0.0.1:{proxy.port}")
            entries.append(entry)
        service = ServiceProcess(entries, DEADLINE_S, run.logs / "network", run.forks)
        stack.push_async_callback(service.end)
        await service.start()
        rows = {}
        for one in scenarios:
            injection = FaultInjection(service, victim, proxy, run.folder)
            outcome = await _play(run.test, one, injection, entries)
            rows[one.name] = outcome.row()
            progress.step()
    return rows


async def _play(
    test: FaultTest, scenario: Scenario, injection: FaultInjection, entries: Sequence[NodeEntry]
) -> ScenarioOutcome:
    countries = [entry.country for entry in entries]
    queries = SteadyQueries(test.queries, test.expected, countries, DEADLINE_S, test.per_s)
    queries.token = tokens_by_tier(test.issuer, test.asker, scenario.lifetime_s)["controlled"]
    async with queries.sending(injection.service.entry):
        ready = await queries.wait_for_whole(time.monotonic(), RECOVERY_S)
        async with FAULTS[scenario.fault](injection, **scenario.options):
            if scenario.fault in AWAY:  # the network must reach it again first
                since = injection.applied_at
                seen = await queries.wait_for_state(test.victim, scenario.shows, since, RECOVERY_S)
                injection.applied_at = seen or since
            # a fault that is shorter than the deadline makes no answer late
            await asyncio.sleep(max(test.fault_s, DEADLINE_S + 0.5))
        recovered_s = await queries.wait_for_whole(injection.healed_at, RECOVERY_S)
    if ready is None:
        injection.complaints.append("no complete answer before the fault")
    return ScenarioOutcome(scenario, injection, queries.replies, test.victim, recovered_s)
