"""The cost of hung nodes under several policies of collecting answers.

A policy in use today sends a query to all nodes at once and collects the answers one after
another, waiting up to 5 s for each: k hung nodes cost k times 5 s. The nodes here are stubs at the
round-trip times of the run's capitals, so that only the policy differs. The nearest nodes hang, so
the farthest healthy node is the same in every row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.evaluation.latency import percentile
from rehearsal.evaluation.suite import beacon_request
from rehearsal.loadtest.stub_nodes import StubNodes
from rehearsal.machine import load_average
from rehearsal.model import ANSWER_STATES, Answer, Query
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.forkserver import fork_server
from rehearsal.network.launcher import running_network
from rehearsal.network.registry import NodeEntry

AT_ONCE, PARTIAL, SEQUENTIAL = "at-once", "partial", "sequential"
JUST_HUNG, KNOWN = "just hung", "known"
NOTICED_S = 5.0  # two probes of 2 s each, and a margin
PATIENCE_S = 600.0  # of the client: longer than any policy takes
ALLELE = {
    **{"assemblyId": "GRCh38", "referenceName": "17", "start": [43057061]},
    **{"referenceBases": "T", "alternateBases": "TG"},
}
REQUEST = beacon_request(ALLELE, [], "count", {"skip": 0, "limit": 1})
QUESTION = NodeRequest.of(Query("policy", "count", "g_variants", REQUEST))


@dataclass(frozen=True, slots=True)
class _Trial:
    """One policy over nodes, some of which hang once they are told to."""

    policy: str
    hung: int
    service: NodeEntry
    stubs: StubNodes
    slowest_rtt_ms: float


def measure_policies(
    rtt_ms: Mapping[str, float], hung: Sequence[int], queries: int, deadline_s: float, logs: Path
) -> pd.DataFrame:
    """Measure the latency of queries under every policy, with different numbers of hung nodes.

    There are two phases: the first query after nodes began to hang (``just hung``), and later
    queries, when the network has had time to notice (``known``). The trials run side by side,
    because they mostly wait.

    Args:
        rtt_ms: Round-trip time to each country's node, in ms.
        hung: Numbers of hung nodes; numbers that leave no healthy node are skipped.
        queries: How many queries are sent in the phase ``known``.
        deadline_s: Deadline of a query, in seconds.
        logs: Folder for the logs of the processes.

    Returns:
        One row per policy, number of hung nodes and phase, with the columns ``policy``, ``hung``,
        ``phase``, ``queries``, ``p50_ms``, ``max_ms``, ``node_answered`` and so on (nodes by
        state), ``slowest_rtt_ms``, ``load_average_1min``.
    """
    order = sorted(rtt_ms, key=lambda country: -rtt_ms[country])  # the last ones hang
    rtt_s = [rtt_ms[country] / 1000 for country in order]
    trials = []
    with ExitStack() as stack:
        forks = stack.enter_context(fork_server())
        for number in [one for one in hung if one < len(order)]:
            stubs = stack.enter_context(StubNodes(rtt_s, number))
            stubs.hang(False)
            nodes = [NodeEntry(c, url) for c, url in zip(order, stubs.urls, strict=True)]
            for policy in (AT_ONCE, PARTIAL, SEQUENTIAL):
                options = ("--collect", "sequential") if policy == SEQUENTIAL else ()
                folder = logs / f"{policy}-{number}"
                folder.mkdir(parents=True, exist_ok=True)
                network = running_network(nodes, deadline_s, folder, options=options, forks=forks)
                service = stack.enter_context(network)
                trials.append(_Trial(policy, number, service, stubs, rtt_ms[order[0]]))
        return pd.DataFrame(asyncio.run(_rows(trials, queries)))


async def _rows(trials: Sequence[_Trial], queries: int) -> list[dict[str, Any]]:
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(NetworkClient([trial.service])) for trial in trials
        ]
        for trial, client in zip(trials, clients, strict=True):
            await _ask(trial, client)  # the first opens connections
        for trial in trials:
            trial.stubs.hang(trial.hung > 0)
        measured = await asyncio.gather(
            *(
                _phases(trial, client, queries)
                for trial, client in zip(trials, clients, strict=True)
            )
        )
    return [row for rows in measured for row in rows]


async def _phases(trial: _Trial, client: NetworkClient, queries: int) -> list[dict[str, Any]]:
    rows = []
    if trial.hung:
        rows.append(_row(trial, JUST_HUNG, [await _ask(trial, client)]))
        if trial.policy != SEQUENTIAL:  # this policy never notices
            await asyncio.sleep(NOTICED_S)
    answers = [await _ask(trial, client) for _ in range(queries)]
    return [*rows, _row(trial, KNOWN, answers)]


async def _ask(trial: _Trial, client: NetworkClient) -> Answer:
    partial = (("partial", "true"),) if trial.policy == PARTIAL else ()
    request = replace(QUESTION, parameters=partial)
    now = asyncio.get_running_loop().time()
    return await client.send(trial.service, request, now, PATIENCE_S)


def _row(trial: _Trial, phase: str, answers: Sequence[Answer]) -> dict[str, Any]:
    latencies_ms = np.array([answer.latency_s * 1000 for answer in answers])
    # an answer without nodes is not from a network: KeyError, and there is no measurement
    states = [node["state"] for answer in answers for node in (answer.body or {})["info"]["nodes"]]
    return {
        "policy": trial.policy,
        "hung": trial.hung,
        "phase": phase,
        "queries": len(answers),
        "p50_ms": percentile(latencies_ms, 50),
        "max_ms": percentile(latencies_ms, 100),
        **{f"node_{state}": states.count(state) for state in ANSWER_STATES},
        "slowest_rtt_ms": trial.slowest_rtt_ms,
        "load_average_1min": load_average(),
    }
