"""Asks a suite of running nodes through their network, judges every answer, and notes the
conditions it ran under."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from rehearsal.evaluation.judge import Judgement, judge, judge_network, network_state
from rehearsal.evaluation.lenient_judge import asked_at, given_granularity
from rehearsal.evaluation.protected_judge import (
    PROTECTED,
    is_answerable,
    judge_protected,
    judge_protected_network,
)
from rehearsal.logs import Progress
from rehearsal.machine import load_averages, measurement_conditions
from rehearsal.model import Answer, Granularity, Query
from rehearsal.network.aggregate import NetworkAnswer, count_of, says_exists
from rehearsal.network.client import NetworkClient
from rehearsal.network.registry import NodeEntry
from rehearsal.network.service_client import NetworkReply, ServiceClient
from rehearsal.truth.expected_answers import ExpectedAnswer

NETWORK = "network"  # stands for a node in the rows of joined answers
CONTROL = Query("control", "control", "service-info", {}, method="GET")
EMPTY_HANDLER = "empty handler"  # stands for a node: an answer that nothing was done for

COLUMNS = {
    "query": "str",
    "kind": "str",
    "tier": "str",
    "node": "str",
    "repeat": "int64",
    "state": "str",
    "http_status": "Int64",
    "exists": "boolean",
    "count": "Int64",
    "observed": "str",
    "truth": "str",
    "equal": "boolean",
    "judged_on": "str",
    "answerable": "boolean",
    "latency_ms": "float64",
    "bytes": "int64",
    "reason": "str",
}


@dataclass(frozen=True)
class Asked:
    """What came of a suite.

    ``answers``: a row a query, node and repeat, and one for the network's own answer with node
    ``network``; columns as in ``COLUMNS``. A node's latency is the one that the network saw, the
    network's the asker's. ``judged_on``: the granularity that an answer was judged on, coarser
    than asked where a node of others gives no more; empty where a refusal is right;
    ``protected`` for the tiers that are told less, and ``answerable`` then says whether the node
    holds enough people to tell of; see ``protected.public_checks``.
    ``control``: the same columns, for requests that need no work: each node's ``/service-info``,
    and an empty handler on loopback in this process.
    ``conditions``: machine, time, load and settings, as plain JSON values.
    """

    answers: pd.DataFrame
    control: pd.DataFrame
    conditions: dict[str, Any]


def ask_suite(
    suite: Sequence[Query],
    expected: Mapping[str, Mapping[str, ExpectedAnswer]],
    nodes: Sequence[NodeEntry],
    service: NodeEntry,
    deadline_s: float,
    foreign: Collection[str] = (),
    tokens: Mapping[str, str] | None = None,
    repeats: int = 1,
    controls: int = 20,
    burst: int = 16,
) -> Asked:
    """Ask the network service every query, one query at a time, ``repeats`` times over.

    ``service`` is the network of ``nodes``; these are asked directly for the control only.
    ``foreign``: countries whose nodes are not ours: they may give less than is asked for, and
    refuse with any HTTP 4xx. ``tokens``: the asker's, by tier; a tier without one is asked
    without a token, as the public.

    Before that, one query of every kind is asked and forgotten, so that connections are open and
    caches warm; ``controls`` rounds of control requests follow. After the suite it is asked once
    more with ``burst`` queries under way at any time, for throughput (0: not). ``expected`` is
    by query id and country. Raises KeyError when it lacks a query or a node's country.
    """
    missing = {query.id for query in suite} - expected.keys()
    if missing:
        raise KeyError(f"no expected answer for {', '.join(sorted(missing))}")
    return asyncio.run(
        _ask_suite(
            suite,
            expected,
            nodes,
            service,
            deadline_s,
            foreign,
            tokens or {},
            repeats,
            controls,
            burst,
        )
    )


async def _ask_suite(
    suite: Sequence[Query],
    expected: Mapping[str, Mapping[str, ExpectedAnswer]],
    nodes: Sequence[NodeEntry],
    service: NodeEntry,
    deadline_s: float,
    foreign: Collection[str],
    tokens: Mapping[str, str],
    repeats: int,
    controls: int,
    burst: int,
) -> Asked:
    conditions = _conditions(nodes, deadline_s, repeats)
    rows: list[dict[str, Any]] = []
    async with ServiceClient(service, lambda query: tokens.get(query.tier)) as network:
        for query in {query.kind: query for query in suite}.values():
            await network.ask(query, deadline_s)
        async with NetworkClient(nodes) as client:
            control = await _control(client, controls, deadline_s)
        begun = time.monotonic()
        progress = Progress(repeats * len(suite), "queries")
        for repeat in range(repeats):
            for query in suite:
                reply = await network.ask(query, deadline_s)
                rows += _judged(query, expected[query.id], reply, foreign, repeat)
                progress.step()
        conditions["suite_s"] = time.monotonic() - begun
        if burst:
            conditions["burst"] = await _burst(network, suite, deadline_s, burst)
    conditions["load_average_after"] = load_averages()
    return Asked(_frame(rows), _frame(control), conditions)


def _conditions(nodes: Sequence[NodeEntry], deadline_s: float, repeats: int) -> dict[str, Any]:
    return {
        **measurement_conditions(),
        "nodes": len(nodes),
        "deadline_s": deadline_s,
        "repeats": repeats,
        "load_average_before": load_averages(),
    }


async def _control(client: NetworkClient, rounds: int, deadline_s: float) -> list[dict[str, Any]]:
    """Rows for requests that need no work: what distance, HTTP and this client cost."""
    rows = []
    for repeat in range(rounds):
        for answer in await client.ask(CONTROL, deadline_s):
            rows.append(_row(CONTROL, answer, repeat))
    server = await asyncio.start_server(_empty_handler, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with NetworkClient([NodeEntry(EMPTY_HANDLER, f"http://127.0.0.1:{port}")]) as empty:
        for repeat in range(rounds):
            (answer,) = await empty.ask(CONTROL, deadline_s)
            rows.append(_row(CONTROL, answer, repeat))
    server.close()
    return rows


async def _empty_handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _burst(
    network: ServiceClient, suite: Sequence[Query], deadline_s: float, at_once: int
) -> dict[str, Any]:
    """Throughput with ``at_once`` queries under way at any time, each of all nodes."""
    waiting = iter(suite)
    states: list[str] = []

    async def worker() -> None:
        for query in waiting:
            reply = await network.ask(query, deadline_s, trace=False)
            states.extend(answer.state for answer in reply.answers)

    begun = time.monotonic()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    seconds = time.monotonic() - begun
    return {
        "at_once": at_once,
        "queries": len(suite),
        "seconds": seconds,
        "queries_per_s": len(suite) / seconds,
        "requests_per_s": len(states) / seconds,
        "unanswered": sum(state in ("late", "failed") for state in states),
    }


def _judged(
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    reply: NetworkReply,
    foreign: Collection[str],
    repeat: int,
) -> list[dict[str, Any]]:
    """The rows of one query: every node's, and the network's own answer's."""
    if query.tier != "controlled":
        return _judged_protected(query, expected, reply, foreign, repeat)
    rows, coarse, wrong = [], {}, []
    for answer in reply.answers:
        judged_on = _judged_on(query, answer, answer.node in foreign)
        verdict = judge(asked_at(query, judged_on), expected[answer.node], answer)
        if answer.node in foreign and _has_refused(expected[answer.node], answer):
            verdict = Judgement(True, verdict.expected, verdict.observed)
        if judged_on != _asked_for(query):
            coarse[answer.node] = judged_on
            wrong += [] if verdict.equal else [f"{answer.node}: {verdict.difference}"]
        basis = "" if expected[answer.node].refused else judged_on
        row = _row(query, answer, repeat) | _told(verdict, basis)
        rows.append(row | {"reason": verdict.difference or answer.reason})
    verdict = _judge_joined(query, expected, reply.aggregated, coarse)
    if wrong:  # what a coarse answer adds may hide in the sums: it is judged by itself
        differences = [verdict.difference] if verdict.difference else []
        verdict = replace(verdict, equal=False, difference="; ".join([*differences, *wrong]))
    basis = rows[0]["judged_on"] and _asked_for(query)
    row = _network_row(query, reply.aggregated, repeat) | _told(verdict, basis)
    without = ", ".join(f"{node} on {judged_on} only" for node, judged_on in coarse.items())
    return [*rows, row | {"reason": verdict.difference or without}]


def _judged_protected(
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    reply: NetworkReply,
    foreign: Collection[str],
    repeat: int,
) -> list[dict[str, Any]]:
    """The rows of a query of a tier that is told less than there is.

    The network's answer must be what its nodes told, put together.
    """
    rows = []
    for answer in reply.answers:
        true = expected[answer.node]
        verdict = judge_protected(query, true, answer, answer.node in foreign)
        row = _row(query, answer, repeat) | _told(verdict, PROTECTED)
        row["answerable"] = is_answerable(query, true)
        rows.append(row | {"reason": verdict.difference or answer.reason})
    wrong = [str(row["node"]) for row in rows if not row["equal"]]
    verdict = judge_protected_network(query, reply.answers, reply.aggregated, wrong)
    row = _network_row(query, reply.aggregated, repeat) | _told(verdict, PROTECTED)
    return [*rows, row | {"reason": verdict.difference}]


def _has_refused(expected: ExpectedAnswer, answer: Answer) -> bool:
    """Whether what had to be refused was, however a node of others says so."""
    return expected.refused and answer.state == "refused"


def _told(verdict: Judgement, judged_on: str) -> dict[str, Any]:
    return {
        "observed": verdict.observed,
        "truth": verdict.expected,
        "equal": verdict.equal,
        "judged_on": judged_on,
    }


def _asked_for(query: Query) -> Granularity:
    return query.request["query"]["requestedGranularity"]


def _judged_on(query: Query, answer: Answer, is_foreign: bool) -> Granularity:
    """What was asked for; of a node that is not ours, what it gave where that is coarser."""
    return given_granularity(query, answer) if is_foreign else _asked_for(query)


def _judge_joined(
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    joined: NetworkAnswer,
    coarse: Mapping[str, Granularity],
) -> Judgement:
    """Judge the joined answer, without what nodes that give less cannot have put into it."""
    known = dict(expected)
    for node, granularity in coarse.items():
        count = 0 if granularity == "boolean" else expected[node].count
        known[node] = replace(expected[node], count=count, alleles={}, individuals=())
    uncounted = tuple(node for node in joined.uncounted if node not in coarse)
    return judge_network(query, known, replace(joined, uncounted=uncounted))


def _row(query: Query, answer: Answer, repeat: int) -> dict[str, Any]:
    answered = answer.state == "answered" and query is not CONTROL
    return {
        "query": query.id,
        "kind": query.kind,
        "tier": query.tier,
        "node": answer.node,
        "repeat": repeat,
        "state": answer.state,
        "http_status": answer.http_status,
        "exists": says_exists(answer) if answered else None,
        "count": count_of(answer) if answered else None,
        "latency_ms": answer.latency_s * 1000,
        "bytes": answer.size_bytes,
        "reason": answer.reason,
    }


def _network_row(query: Query, joined: NetworkAnswer, repeat: int) -> dict[str, Any]:
    boolean = query.request["query"]["requestedGranularity"] == "boolean"
    return {
        "query": query.id,
        "kind": query.kind,
        "tier": query.tier,
        "node": NETWORK,
        "repeat": repeat,
        "state": network_state(joined),
        "http_status": joined.http_status,
        "exists": joined.exists,
        "count": None if boolean or joined.exists is None else joined.count,
        "latency_ms": joined.latency_s * 1000,
        "bytes": joined.size_bytes,
    }


def _frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
