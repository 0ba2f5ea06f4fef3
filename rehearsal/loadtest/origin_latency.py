"""The network as seen from each capital: what a query over all nodes costs there.

Nodes run here, at no distance, and every exchange with one waits for the round trip that the table
has for that asker and that node: one start of the nodes serves for all capitals. The asking side
is the network's own code, in this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.evaluation.latency import QS02_OBJECTIVE, percentile
from rehearsal.logs import Progress
from rehearsal.machine import load_average
from rehearsal.model import Answer, Query
from rehearsal.network.beacon_response import Conditions
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.health import IN_TIME
from rehearsal.network.registry import NodeEntry, Registry, write_endpoints
from rehearsal.network.service import Network, Policy
from rehearsal.web.latency import Line

COLUMNS = {
    "asker": "str",
    "n": "int64",  # queries
    "p50_ms": "float64",  # of a query over all nodes
    "p99_ms": "float64",
    "max_ms": "float64",
    "farthest": "str",  # node of the longest round trip
    "farthest_ms": "float64",  # that round trip
    "own_ms": "float64",  # what the network adds: median of a query's latency - farthest_ms
    "qs02": "float64",  # share of answers and refusals of nodes within the deadline
    "load_average": "float64",
}


@dataclass
class FarClient:
    """Puts requests to nodes as :class:`NetworkClient` does, from further away."""

    client: NetworkClient
    lines: Mapping[str, Line]  # by country
    chance: Random

    async def put(
        self, node: NodeEntry, request: NodeRequest, started: float, deadline_s: float
    ) -> Answer:
        """As ``NetworkClient.put``; the distance counts as the node's."""
        line = self.lines[node.country]
        await asyncio.sleep(line.exchange_s(0, self.chance))
        answer = await self.client.put(node, request, started, deadline_s)
        bytes_s = line.bytes_s(answer.size_bytes)
        await asyncio.sleep(bytes_s)
        return replace(answer, latency_s=answer.latency_s + bytes_s)


def measure_capitals(
    nodes: Sequence[NodeEntry],
    suite: Sequence[Query],
    lines: Mapping[tuple[str, str], Line],
    token: str,
    deadline_s: float,
    folder: Path,
    seed: int,
) -> pd.DataFrame:
    """A row an asker, in the order of the nodes; columns as in ``COLUMNS``.

    ``lines``: by asker and node. Every query of ``suite`` is asked from each capital, in turns, so
    that a busy moment of the machine falls on all of them. ``folder`` is for a registry.
    """
    return asyncio.run(_measure(nodes, suite, lines, token, deadline_s, folder, seed))


async def _measure(
    nodes: Sequence[NodeEntry],
    suite: Sequence[Query],
    lines: Mapping[tuple[str, str], Line],
    token: str,
    deadline_s: float,
    folder: Path,
    seed: int,
) -> pd.DataFrame:
    write_endpoints(nodes, folder)
    registry, chance = Registry([folder]), Random(seed)
    askers = [node.country for node in nodes]
    taken: dict[str, list[float]] = {asker: [] for asker in askers}
    came: dict[str, list[bool]] = {asker: [] for asker in askers}
    async with NetworkClient(nodes) as client:
        networks = {}
        for asker in askers:
            seen = {node.country: lines[asker, node.country] for node in nodes}
            far = FarClient(client, seen, chance)
            networks[asker] = Network(registry, far, Policy(deadline_s))
        progress = Progress(len(askers) * (1 + len(suite)), "queries")
        for number, query in enumerate([suite[0], *suite]):  # the first opens connections
            request = replace(NodeRequest.of(query), authorization=f"Bearer {token}")
            for asker, network in networks.items():
                conditions = Conditions(deadline_s)
                parts, elapsed_s = await network.entries(request, query.entry_type, conditions)
                if number:
                    taken[asker].append(elapsed_s * 1000)
                    came[asker] += [_in_time(part.answer, deadline_s) for part in parts]
                progress.step()
        for network in networks.values():
            await network.close()
    return _table(askers, lines, taken, came)


def _in_time(answer: Answer, deadline_s: float) -> bool:
    return answer.state in IN_TIME and answer.latency_s <= deadline_s


def _table(
    askers: Sequence[str],
    lines: Mapping[tuple[str, str], Line],
    taken: Mapping[str, Sequence[float]],
    came: Mapping[str, Sequence[bool]],
) -> pd.DataFrame:
    rows = []
    for asker in askers:
        times = np.array(taken[asker])
        farthest = max(askers, key=lambda node: lines[asker, node].delay_ms)
        farthest_ms = lines[asker, farthest].delay_ms
        rows.append(
            {
                "asker": asker,
                "n": len(times),
                "p50_ms": percentile(times, 50),
                "p99_ms": percentile(times, 99),
                "max_ms": percentile(times, 100),
                "farthest": farthest,
                "farthest_ms": farthest_ms,
                "own_ms": percentile(times, 50) - farthest_ms,
                "qs02": float(np.mean(came[asker])),
                "load_average": load_average(),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def one_of_each_kind(suite: Sequence[Query], number: int) -> list[Query]:
    """So many well-formed queries of controlled access, kinds by turns."""
    by_kind: dict[str, list[Query]] = {}
    for query in suite:
        if query.tier == "controlled" and query.kind != "ill_formed":
            by_kind.setdefault(query.kind, []).append(query)
    return list(_by_turns(by_kind))[:number]


def _by_turns(groups: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
    for turn in range(max(map(len, groups.values()), default=0)):
        for group in groups.values():
            if turn < len(group):
                yield group[turn]


def capitals_checks(table: pd.DataFrame) -> list[dict[str, Any]]:
    """QS-02 from every capital, as ``summary.json`` has it."""
    kept = int((table["qs02"] >= QS02_OBJECTIVE).sum())
    return [
        {
            "name": "QS-02 as seen from each capital: capitals that meet it",
            "expected": len(table),
            "observed": kept,
            "passed": kept == len(table),
        }
    ]
