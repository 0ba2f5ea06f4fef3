"""Runs the scenarios on small networks of real processes, and says what held."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from rehearsal.evaluation.suite import read_suite
from rehearsal.loadtest.faults.fault_proxy import front_of
from rehearsal.loadtest.faults.injectors import FAULTS, Injection
from rehearsal.loadtest.faults.probe import NO_REPLY, Asker, Heard
from rehearsal.loadtest.faults.processes import VICTIM_MS, NodeProcess, ServiceProcess
from rehearsal.loadtest.faults.scenarios import Lane, Scenario
from rehearsal.loadtest.origin_latency import one_of_each_kind
from rehearsal.logs import Progress
from rehearsal.machine import load_average
from rehearsal.model import Query
from rehearsal.network.issuer import TRUSTED, tokens
from rehearsal.network.registry import NodeEntry
from rehearsal.node.runtime_files import served_copy
from rehearsal.truth.expected_answers import ExpectedAnswer, read_expected_answers

WITNESSES = 2
QUERIES = 16  # different ones, asked again and again
DEADLINE_S = 1.0
RECOVERY_S = 30.0  # more than a node's start and the next probes take on a very busy machine
OTHERS_ANSWERED = 0.95
SHOWN = 200  # characters of a reason
OWN_FILES = {"files": ("variants.sqlite", "people.sqlite"), "process": (TRUSTED,)}
AWAY = ("clock", "keys")  # faults for which the node is started again
COLUMNS = {
    "scenario": "str",
    "node": "str",  # country whose node the fault is made at; empty: at the network
    "must_hold": "str",
    "held": "bool",
    "why": "str",  # what did not hold
    "queries": "int64",
    "expected_answers": "int64",  # queries x nodes
    "answered": "int64",
    "marked": "int64",  # refused, failed, late, or the asker saw an error
    "unmarked": "int64",  # lost or wrong: must be 0
    "answered_share": "float64",
    "marked_share": "float64",
    "unmarked_share": "float64",
    "others_answered": "float64",  # share of the answers of nodes that nothing was done to
    "recovered_s": "float64",  # from taking the fault away to the first whole answer
    "fault_s": "float64",
    "victim": "str",  # its states while the fault lasted
    "said": "str",  # what the broken node, or the network of it, said
    "load_average": "float64",
}


@dataclass(frozen=True)
class Cast:
    """Who plays: the run's folders by country, its issuer, questions and their right answers."""

    folders: Mapping[str, Path]
    issuer: Path
    asker: str
    queries: Sequence[Query]
    expected: Mapping[str, Mapping[str, ExpectedAnswer]]
    fault_s: float = 1.5  # how long each fault lasts
    per_s: float = 8.0  # queries a second, in each lane

    @classmethod
    def of_run(
        cls,
        folders: Mapping[str, Path],
        issuer: Path,
        asker: str,
        suite: Path,
        truth: Path,
        fault_s: float,
        per_s: float,
    ) -> Cast:
        """With the first of the run's queries, kinds by turns, and their right answers."""
        queries = one_of_each_kind(read_suite(suite), QUERIES)
        return cls(folders, issuer, asker, queries, read_expected_answers(truth), fault_s, per_s)

    @property
    def victim(self) -> str:
        return self._by_size()[0]

    @property
    def witnesses(self) -> list[str]:
        return self._by_size()[1 : 1 + WITNESSES]

    def _by_size(self) -> list[str]:
        """Small ones first: they are copied and read again at every start."""
        sizes = {c: (f / "variants.sqlite").stat().st_size for c, f in self.folders.items()}
        return sorted(sizes, key=lambda country: (sizes[country], country))


def run_faults(
    cast: Cast,
    scenarios: Sequence[Scenario],
    folder: Path,
    logs: Path,
) -> pd.DataFrame:
    """A row a scenario, in their order; columns as in ``COLUMNS``.

    ``folder``: for copies of nodes' folders; ``logs``: of the processes. Two nodes or more are
    needed: one is broken, the others must go on as before.
    """
    found = asyncio.run(_run(cast, scenarios, folder, logs))
    rows = [found[one.name] for one in scenarios]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


async def _run(
    cast: Cast,
    scenarios: Sequence[Scenario],
    folder: Path,
    logs: Path,
) -> dict[str, dict[str, Any]]:
    lanes: dict[Lane, list[Scenario]] = {}
    for one in scenarios:
        lanes.setdefault(one.lane, []).append(one)
    progress = Progress(len(scenarios), "scenarios", every_s=0)
    async with AsyncExitStack() as stack:
        witnesses = [
            NodeProcess(c, served_copy(cast.folders[c], folder / "witness" / c), logs / c)
            for c in cast.witnesses
        ]
        for process in witnesses:
            stack.push_async_callback(process.end)
        await asyncio.gather(*(process.start() for process in witnesses))
        others = [process.entry for process in witnesses]
        found = await asyncio.gather(
            *(
                _run_lane(cast, name, members, others, folder / name, logs / name, progress)
                for name, members in lanes.items()
            )
        )
    return {name: row for rows in found for name, row in rows.items()}


async def _run_lane(
    cast: Cast,
    lane: Lane,
    scenarios: Sequence[Scenario],
    others: Sequence[NodeEntry],
    folder: Path,
    logs: Path,
    progress: Progress,
) -> dict[str, dict[str, Any]]:
    async with AsyncExitStack() as stack:
        entries, victim, front = list(others), None, None
        if any(one.has_victim for one in scenarios):
            copy = served_copy(
                cast.folders[cast.victim], folder / cast.victim, OWN_FILES.get(lane, ())
            )
            victim = NodeProcess(cast.victim, copy, logs / cast.victim, VICTIM_MS)
            stack.push_async_callback(victim.end)
            await victim.start()
            entry = victim.entry
            if lane == "address":
                front = await stack.enter_async_context(front_of(*victim.address))
                entry = replace(entry, url=f"http://127.0.0.1:{front.port}")
            entries.append(entry)
        service = ServiceProcess(entries, DEADLINE_S, logs / "network")
        stack.push_async_callback(service.end)
        await service.start()
        rows = {}
        for one in scenarios:
            injection = Injection(service, victim, front, folder)
            rows[one.name] = await _play(cast, one, injection, entries)
            progress.step()
    return rows


async def _play(
    cast: Cast,
    scenario: Scenario,
    injection: Injection,
    entries: Sequence[NodeEntry],
) -> dict[str, Any]:
    countries = [entry.country for entry in entries]
    asker = Asker(cast.queries, cast.expected, countries, DEADLINE_S, cast.per_s)
    asker.token = tokens(cast.issuer, cast.asker, scenario.lifetime_s)["controlled"]
    async with asker.asking(injection.service.entry):
        ready = await asker.until_whole(time.monotonic(), RECOVERY_S)
        async with FAULTS[scenario.fault](injection, **scenario.options):
            if scenario.fault in AWAY:  # it must be found again first
                since = injection.applied_at
                seen = await asker.until_told(cast.victim, scenario.shows, since, RECOVERY_S)
                injection.applied_at = seen or since
            # a fault that is shorter than the deadline shows nobody late
            await asyncio.sleep(max(cast.fault_s, DEADLINE_S + 0.5))
        recovered_s = await asker.until_whole(injection.healed_at, RECOVERY_S)
    if ready is None:
        injection.complaints.append("no whole answer before the fault")
    return row_of(scenario, injection, asker.heard, cast.victim, recovered_s)


def row_of(
    scenario: Scenario,
    injection: Injection,
    heard: Sequence[Heard],
    victim: str,
    recovered_s: float | None,
) -> dict[str, Any]:
    """What a scenario came to."""
    states = [state for one in heard for state in one.states.values()]
    lost, wrong = (sum(len(getattr(one, name)) for one in heard) for name in ("lost", "wrong"))
    expected = len(states) + lost
    answered = sum(state == "answered" for state in states) - wrong
    marked = sum(state != "answered" for state in states)
    others = [s for one in heard for country, s in one.states.items() if country != victim]
    broken = list(_while_broken(scenario, injection, heard, victim))
    counts = Counter(state for state, _ in broken)
    reasons = [reason for _, reason in broken if reason]
    others_share = sum(state == "answered" for state in others) / max(1, len(others))
    why = list(injection.complaints)
    why += _what_did_not_hold(scenario, broken, [w for one in heard for w in one.wrong], lost)
    if recovered_s is None:
        why.append(f"no whole answer within {RECOVERY_S:g} s after the fault")
    if scenario.has_victim and others_share < OTHERS_ANSWERED:
        why.append(f"of the other nodes only {others_share:.0%} answered")
    return {
        "scenario": scenario.name,
        "node": victim if scenario.has_victim else "",
        "must_hold": scenario.must_hold,
        "held": not why,
        "why": "; ".join(why)[: 3 * SHOWN],
        "queries": len(heard),
        "expected_answers": expected,
        "answered": answered,
        "marked": marked,
        "unmarked": lost + wrong,
        "answered_share": answered / max(1, expected),
        "marked_share": marked / max(1, expected),
        "unmarked_share": (lost + wrong) / max(1, expected),
        "others_answered": others_share,
        "recovered_s": float("nan") if recovered_s is None else recovered_s,
        "fault_s": injection.healed_at - injection.applied_at,
        "victim": ", ".join(f"{state} {number}" for state, number in counts.most_common()),
        "said": (injection.said or (reasons[0] if reasons else ""))[:SHOWN],
        "load_average": load_average(),
    }


def _while_broken(
    scenario: Scenario, injection: Injection, heard: Iterable[Heard], victim: str
) -> Iterable[tuple[str, str]]:
    """State and reason of each answer that was asked for and came while the fault lasted."""
    for one in heard:
        if one.asked_at < injection.applied_at or one.heard_at > injection.healed_at:
            continue
        if scenario.has_victim:
            yield one.states.get(victim, "lost"), one.reasons.get(victim, "")
        else:
            yield from ((state, one.reasons.get("", "")) for state in set(one.states.values()))


def _what_did_not_hold(
    scenario: Scenario,
    broken: Sequence[tuple[str, str]],
    wrong: Sequence[str],
    lost: int,
) -> Iterable[str]:
    if lost:
        yield f"{lost} answers lost without a mark"
    if wrong:
        yield f"{len(wrong)} answers wrong without a mark: {wrong[0]}"
    shows = scenario.shows if scenario.has_victim else (NO_REPLY,)
    seen = {state for state, _ in broken}
    if not seen & set(shows):
        yield f"the fault did not show: {', '.join(sorted(seen)) or 'nothing heard'}"
    if odd := seen - set(shows):
        yield f"{' or '.join(shows)} expected, but also {', '.join(sorted(odd))}"
    if strange := [reason for _, reason in broken if scenario.reason not in reason]:
        yield f"{scenario.reason!r} expected, but told was {strange[0]!r}"


def fault_checks(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A check a scenario, as ``summary.json`` has it."""
    return [
        {
            "name": f"fault: {row.scenario}",
            "expected": row.must_hold,
            "observed": "held" if row.held else row.why,
            "passed": bool(row.held),
        }
        for row in table.itertuples(index=False)
    ]
