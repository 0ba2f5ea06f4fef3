"""The caller's side: send queries to the network service and read its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from rehearsal.errors import mismatch
from rehearsal.model import Answer, Query
from rehearsal.network.aggregate import NetworkAnswer, add_frequencies, result_sets
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.registry import NodeEntry

MARGIN_S = 2.0  # added to the deadline, for the service itself


@dataclass(frozen=True, slots=True)
class NetworkReply:
    """The service's answer to one query.

    Args:
        answers: What the service passed on from each node, in the order of the registry. Latencies
            are the service's. Bodies are present if they were requested.
        aggregated: The service's own totals, records and states. The latency is the caller's.
    """

    answers: tuple[Answer, ...]
    aggregated: NetworkAnswer


class ServiceClient:
    """Keeps connections to a network service alive. Use it as ``async with ServiceClient(entry)``.

    Args:
        service: The entry of the service.
        token: Returns the bearer token for a query, or None for anonymous access.
    """

    def __init__(
        self, service: NodeEntry, token: Callable[[Query], str | None] = lambda _: None
    ) -> None:
        self._service, self._token = service, token
        self._client = NetworkClient([service])

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def ask(self, query: Query, deadline_s: float, trace: bool = True) -> NetworkReply:
        """Send a query to the network.

        Args:
            query: The query.
            deadline_s: Deadline of the nodes, in seconds.
            trace: Whether each node's own body is requested.

        Returns:
            The service's answer.

        Raises:
            RuntimeError: The service did not answer as a network does.
        """
        own = [("deadlineS", f"{deadline_s:g}"), ("trace", "true" if trace else "false")]
        request = NodeRequest.of(query)
        token = self._token(query)
        request = replace(
            request,
            parameters=(*request.parameters, *own),
            authorization=None if token is None else f"Bearer {token}",
        )
        started = asyncio.get_running_loop().time()
        answer = await self._client.send(self._service, request, started, deadline_s + MARGIN_S)
        return read_reply(answer)


def read_reply(answer: Answer) -> NetworkReply:
    """Read the nodes' answers and the aggregated answer from the service's body.

    Args:
        answer: The service's answer.

    Returns:
        The parts.

    Raises:
        RuntimeError: The body lacks ``info.nodes``.
    """
    info = (answer.body or {}).get("info")
    if not isinstance(info, dict) or not isinstance(info.get("nodes"), list):
        where, found = f"query {answer.query}", f"{answer.state} ({answer.reason})"
        raise RuntimeError(mismatch(where, "an answer of the network service", found))
    answers = tuple(_node_answer(answer.query, state) for state in info["nodes"])
    return NetworkReply(answers, _network_answer(answer, answers, info["uncounted"]))


def _node_answer(query: str, state: Mapping[str, Any]) -> Answer:
    """Read a node's answer from its entry in ``info.nodes``."""
    return Answer(
        query,
        state["node"],
        state["state"],
        state["httpStatus"],
        state.get("answer"),
        state["latencyMs"] / 1000,
        state.get("bytes", 0),
        state.get("reason", ""),
    )


def _network_answer(
    answer: Answer, answers: tuple[Answer, ...], uncounted: Sequence[str]
) -> NetworkAnswer:
    body = answer.body or {}
    summary = body.get("responseSummary") or {}
    sets = _sets_by_node(answer)
    shown = [
        Answer(answer.query, node, "answered", 200, {"response": {"resultSets": one}}, 0.0, 0)
        for node, one in sets.items()
    ]
    frequencies, unusable = add_frequencies(shown)
    return NetworkAnswer(
        query=answer.query,
        states={one.node: one.state for one in answers},
        reasons={one.node: one.reason for one in answers if one.reason} | unusable,
        exists=summary.get("exists"),
        count=summary.get("numTotalResults", 0),
        uncounted=tuple(uncounted),
        frequencies=frequencies,
        records=tuple(_records(sets)),
        latency_s=answer.latency_s,
        size_bytes=answer.size_bytes - sum(one.size_bytes for one in answers),
        http_status=answer.http_status,
        error=body.get("error"),
    )


def _sets_by_node(answer: Answer) -> dict[str, list[dict[str, Any]]]:
    sets: dict[str, list[dict[str, Any]]] = {}
    for one in result_sets(answer):
        sets.setdefault(one["info"]["node"], []).append(one)
    return sets


def _records(
    sets: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield country and record, in the order of the service."""
    for node, of_node in sets.items():
        for one in of_node:
            for record in one.get("results", ()):
                yield node, record
