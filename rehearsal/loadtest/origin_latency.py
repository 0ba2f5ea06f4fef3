"""The latency of queries over all nodes, seen from each capital.

The nodes run on this machine without distance. Every exchange with a node waits for the round trip
that the table has for the asking capital and that node, so the nodes start only once for all
capitals. The client is the network's own code, in this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
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
from rehearsal.web.network_delay import Line

COLUMNS = {
    "asker": "str",
    "n": "int64",  # queries
    "p50_ms": "float64",  # of a query over all nodes
    "p99_ms": "float64",
    "max_ms": "float64",
    "farthest": "str",  # node of the longest round trip
    "farthest_ms": "float64",  # that round trip
    "own_ms": "float64",  # added by the network: median latency of a query - farthest_ms
    "qs02": "float64",  # share of answers and refusals of nodes within the deadline
    "load_average": "float64",
}


@dataclass
class DistantClient:
    """A client like :class:`NetworkClient` that adds distance to every request."""

    client: NetworkClient
    lines: Mapping[str, Line]  # by country of the node
    chance: Random  # for jitter and loss

    async def send(
        self, node: NodeEntry, request: NodeRequest, started: float, deadline_s: float
    ) -> Answer:
        """Send a request as ``NetworkClient.send`` does; the distance counts as the node's.

        Args:
            node: The node.
            request: The request.
            started: When the query began, on the clock of the event loop, in seconds.
            deadline_s: Deadline of the query, in seconds.

        Returns:
            The answer, with the latency that includes the distance.
        """
        line = self.lines[node.country]
        await asyncio.sleep(line.exchange_s(0, self.chance))
        answer = await self.client.send(node, request, started, deadline_s)
        bytes_s = line.bytes_s(answer.size_bytes)
        await asyncio.sleep(bytes_s)
        return replace(answer, latency_s=answer.latency_s + bytes_s)


@dataclass(frozen=True, slots=True)
class Origins:
    """The capitals that send queries."""

    lines: Mapping[tuple[str, str], Line]  # by country of the asker and of the node
    token: str  # bearer token of the queries
    deadline_s: float  # of a query
    seed: int  # decides jitter and loss


def measure_origin_latency(
    nodes: Sequence[NodeEntry], queries: Sequence[Query], origins: Origins, folder: Path
) -> pd.DataFrame:
    """Measure queries over all nodes from each capital.

    The capitals take turns with each query, so that a busy moment of the machine affects all.

    Args:
        nodes: The running nodes, one per country.
        queries: The queries.
        origins: The capitals that send them.
        folder: Folder for a registry.

    Returns:
        One row per asking country, in the order of the nodes, with the columns ``COLUMNS``.
    """
    return asyncio.run(_measure(nodes, queries, origins, folder))


async def _measure(
    nodes: Sequence[NodeEntry], queries: Sequence[Query], origins: Origins, folder: Path
) -> pd.DataFrame:
    write_endpoints(nodes, folder)
    taken_ms: dict[str, list[float]] = {node.country: [] for node in nodes}
    in_time: dict[str, list[bool]] = {node.country: [] for node in nodes}
    async with NetworkClient(nodes) as client:
        networks = _network_of_each_origin(client, nodes, origins, Registry([folder]))
        progress = Progress(len(networks) * (1 + len(queries)), "queries")
        for number, query in enumerate([queries[0], *queries]):  # the first opens connections
            for asker, network in networks.items():
                elapsed_s, answers = await _ask(network, query, origins)
                if number:
                    taken_ms[asker].append(elapsed_s * 1000)
                    in_time[asker] += [_in_time(answer, origins.deadline_s) for answer in answers]
                progress.step()
        for network in networks.values():
            await network.close()
    return _table(origins.lines, taken_ms, in_time)


def _network_of_each_origin(
    client: NetworkClient, nodes: Sequence[NodeEntry], origins: Origins, registry: Registry
) -> dict[str, Network]:
    networks, chance = {}, Random(origins.seed)
    for asker in [node.country for node in nodes]:
        seen = {node.country: origins.lines[asker, node.country] for node in nodes}
        distant = DistantClient(client, seen, chance)
        networks[asker] = Network(registry, distant, Policy(origins.deadline_s))
    return networks


async def _ask(network: Network, query: Query, origins: Origins) -> tuple[float, list[Answer]]:
    """Send a query; return the seconds that it took, and the nodes' answers."""
    request = replace(NodeRequest.of(query), authorization=f"Bearer {origins.token}")
    conditions = Conditions(origins.deadline_s)
    parts, elapsed_s = await network.entries(request, query.entry_type, conditions)
    return elapsed_s, [part.answer for part in parts]


def _in_time(answer: Answer, deadline_s: float) -> bool:
    return answer.state in IN_TIME and answer.latency_s <= deadline_s


def _table(
    lines: Mapping[tuple[str, str], Line],
    taken_ms: Mapping[str, Sequence[float]],
    in_time: Mapping[str, Sequence[bool]],
) -> pd.DataFrame:
    rows = []
    for asker, taken in taken_ms.items():
        times = np.array(taken)
        farthest = max(taken_ms, key=lambda node: lines[asker, node].delay_ms)
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
                "qs02": float(np.mean(in_time[asker])),
                "load_average": load_average(),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def origin_latency_checks(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Make the check of QS-02 from every capital for ``summary.json``.

    Args:
        table: What ``measure_origin_latency`` returns.

    Returns:
        A list of the one check.
    """
    kept = int((table["qs02"] >= QS02_OBJECTIVE).sum())
    return [
        {
            "name": "answers in time (QS-02): capitals from which enough answers came in time",
            "expected": len(table),
            "observed": kept,
            "passed": kept == len(table),
        }
    ]
