"""The asker's side: asks the network service, and reads its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from rehearsal.model import Answer, Query
from rehearsal.network.aggregate import NetworkAnswer, add_frequencies, result_sets
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.registry import NodeEntry

MARGIN_S = 2.0  # beside the deadline, for the service itself


@dataclass(frozen=True, slots=True)
class NetworkReply:
    """What the service said to one query.

    ``aggregated``: the service's own totals, records and states, as the asker read them; its
    latency is the asker's own. ``answers``: what the service passed on of each node, in the order
    of the registry; their latencies are the service's, and bodies are there when they were asked
    for.
    """

    answers: tuple[Answer, ...]
    aggregated: NetworkAnswer


class ServiceClient:
    """Keeps connections to a network service alive. Use as ``async with ServiceClient(entry)``.

    ``token``: gives the bearer token that a query is asked with, or None for the public.
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
        """The network's answer to a query. ``trace``: with each node's own body.

        Raises RuntimeError when the service itself does not answer as a network does.
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
    """The nodes' answers and the aggregated one out of the service's body.

    Raises RuntimeError for a body without ``info.nodes``.
    """
    info = (answer.body or {}).get("info")
    if not isinstance(info, dict) or not isinstance(info.get("nodes"), list):
        raise RuntimeError(f"{answer.query}: the network service {answer.state}: {answer.reason}")
    answers = tuple(_node_answer(answer.query, state) for state in info["nodes"])
    return NetworkReply(answers, _network_answer(answer, answers, info["uncounted"]))


def _node_answer(query: str, state: Mapping[str, Any]) -> Answer:
    """A node's answer out of its entry in ``info.nodes``."""
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
    """Country and record, in the order of the service."""
    for node, of_node in sets.items():
        for one in of_node:
            for record in one.get("results", ()):
                yield node, record
