"""Asks a suite of running nodes through their network, judges every answer, and records the
conditions.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rehearsal.errors import mismatch
from rehearsal.evaluation.answer_table import Row, answer_table
from rehearsal.evaluation.baseline_requests import send_control_requests
from rehearsal.evaluation.network_under_test import NetworkUnderTest
from rehearsal.evaluation.reply_judge import judge_reply
from rehearsal.logs import Progress
from rehearsal.machine import load_averages, measurement_conditions
from rehearsal.model import Query
from rehearsal.network.client import NetworkClient
from rehearsal.network.service_client import ServiceClient
from rehearsal.truth.expected_answers import ExpectedAnswer

BURST_QUERIES = 128  # of 16 at a time: eight rounds, some seconds of work


@dataclass(frozen=True, slots=True)
class JudgedSuite:
    """Queries with their right answers by query id and country."""

    queries: Sequence[Query]
    expected: Mapping[str, Mapping[str, ExpectedAnswer]]


@dataclass(frozen=True, slots=True)
class Rounds:
    """How often the suite is asked.

    Args:
        repeats: How often the suite is asked, one query at a time.
        controls: Rounds of control requests before it.
        burst: Up to ``BURST_QUERIES`` queries of the suite, evenly chosen, are asked once more with
            this many concurrent ones, to measure throughput. 0 skips this.
    """

    repeats: int = 1
    controls: int = 20
    burst: int = 16


@dataclass(frozen=True)
class SuiteRun:
    """The results of a suite.

    ``answers`` has one row per query, node and repeat, and one for the network's own answer with
    the node ``network``. Its columns are ``answer_table.COLUMNS``. A node's latency is measured by
    the network, the network's by the asker. ``judged_on`` is the granularity that an answer was
    judged on. It is coarser than asked if a foreign node gives no more, empty if a refusal is
    right, and ``protected`` for the protected tiers. For those, ``answerable`` says whether the
    node holds enough people for an answer; see ``protected_judge.public_checks``.

    ``control`` has the same columns, for requests that need no work. ``conditions`` has machine,
    time, load and settings as plain JSON values.
    """

    answers: pd.DataFrame
    control: pd.DataFrame
    conditions: dict[str, Any]


def ask_suite(
    suite: JudgedSuite,
    network: NetworkUnderTest,
    foreign: Collection[str] = (),
    tokens: Mapping[str, str] | None = None,
    rounds: Rounds | None = None,
) -> SuiteRun:
    """Send every query to the network service and judge the replies.

    The nodes are asked directly for the control only. First, one query of each kind is sent and its
    answer discarded, so that connections are open and caches warm.

    Args:
        suite: Queries with their right answers.
        network: The running network.
        foreign: Countries whose nodes someone else runs. They may give less than asked for and
            refuse with any HTTP 4xx.
        tokens: The asker's tokens by tier. A tier without one is asked without a token, as an
            anonymous user.
        rounds: How often to ask. None uses the defaults.

    Raises:
        KeyError: A query or a node's country has no right answer.
    """
    missing = {query.id for query in suite.queries} - suite.expected.keys()
    if missing:
        found = f"none for {', '.join(sorted(missing))}"
        raise KeyError(mismatch("expected answers", "one per query", found))
    return asyncio.run(_ask_suite(suite, network, foreign, tokens or {}, rounds or Rounds()))


async def _ask_suite(
    suite: JudgedSuite,
    network: NetworkUnderTest,
    foreign: Collection[str],
    tokens: Mapping[str, str],
    rounds: Rounds,
) -> SuiteRun:
    conditions = _conditions(network, rounds.repeats) | {"foreign": sorted(foreign)}
    deadline_s = network.deadline_s
    rows: list[Row] = []
    async with ServiceClient(network.service, lambda query: tokens.get(query.tier)) as service:
        for query in {query.kind: query for query in suite.queries}.values():
            await service.ask(query, deadline_s)
        async with NetworkClient(network.nodes) as client:
            control = await send_control_requests(client, rounds.controls, deadline_s)
        begun = time.monotonic()
        progress = Progress(rounds.repeats * len(suite.queries), "queries")
        for repeat in range(rounds.repeats):
            for query in suite.queries:
                reply = await service.ask(query, deadline_s)
                rows += judge_reply(query, suite.expected[query.id], reply, foreign, repeat)
                progress.step()
        conditions["suite_s"] = time.monotonic() - begun
        if rounds.burst:
            every = max(1, math.ceil(len(suite.queries) / BURST_QUERIES))
            some = suite.queries[::every]
            conditions["burst"] = await _measure_burst(service, some, deadline_s, rounds.burst)
    conditions["load_average_after"] = load_averages()
    return SuiteRun(answer_table(rows), answer_table(control), conditions)


def _conditions(network: NetworkUnderTest, repeats: int) -> dict[str, Any]:
    return {
        **measurement_conditions(),
        "nodes": len(network.nodes),
        "deadline_s": network.deadline_s,
        "repeats": repeats,
        "load_average_before": load_averages(),
    }


async def _measure_burst(
    service: ServiceClient, queries: Sequence[Query], deadline_s: float, at_once: int
) -> dict[str, Any]:
    """Measure throughput with ``at_once`` concurrent queries, each to all nodes."""
    waiting = iter(queries)
    states: list[str] = []

    async def worker() -> None:
        for query in waiting:
            reply = await service.ask(query, deadline_s, trace=False)
            states.extend(answer.state for answer in reply.answers)

    begun = time.monotonic()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    seconds = time.monotonic() - begun
    return {
        "at_once": at_once,
        "queries": len(queries),
        "seconds": seconds,
        "queries_per_s": len(queries) / seconds,
        "requests_per_s": len(states) / seconds,
        "unanswered": sum(state in ("late", "failed") for state in states),
    }
