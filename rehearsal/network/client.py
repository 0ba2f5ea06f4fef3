"""Asks every node one query at once, under one deadline, and marks what became of each.

No node ever disappears from an answer: each is ``answered``, ``refused`` (it said 4xx),
``failed`` (it said something else, or nothing that can be used) or ``late``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from rehearsal.model import Answer, AnswerState, InputError, Query
from rehearsal.network.registry import NodeEntry

SIZE_LIMIT = 64 << 20  # bytes of one body; a page of 1,000 records is about 1 MB
REASON_LIMIT = 200  # characters of a foreign message that are kept
# Beacon's own pages about the service carry no summary of results
WITHOUT_SUMMARY = frozenset(
    ("", "info", "service-info", "configuration", "map", "entry_types", "filtering_terms")
)
# how a connection that the other side has closed shows itself, by how far it had got
DROPPED = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError)


class BadAnswerError(Exception):
    """What came is no answer that can be used; the text says why."""


class NetworkClient:
    """Keeps connections to all nodes alive. Use as ``async with NetworkClient(nodes) as client``.

    Raises InputError when a node's token variable is not set. ``size_limit``: bytes of one body
    after which a node is marked ``failed``.
    """

    def __init__(self, nodes: Sequence[NodeEntry], size_limit: int = SIZE_LIMIT) -> None:
        self.nodes = tuple(nodes)
        self._size_limit = size_limit
        self._headers = {node.country: _headers(node) for node in nodes}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, query: Query, deadline_s: float) -> list[Answer]:
        """One answer a node, in the order of the nodes, at the deadline at the latest.

        A node's ``latency_s`` runs from the moment of asking to the last byte of its body.
        """
        if self._session is None:
            raise RuntimeError("NetworkClient is used outside its 'async with' block")
        body = orjson.dumps(query.request) if query.method == "POST" else None
        started = asyncio.get_running_loop().time()
        return await asyncio.gather(
            *(self._ask(node, query, body, started, deadline_s) for node in self.nodes)
        )

    async def _ask(
        self, node: NodeEntry, query: Query, body: bytes | None, started: float, deadline_s: float
    ) -> Answer:
        clock = asyncio.get_running_loop().time
        exchange = _Exchange()
        try:
            async with asyncio.timeout_at(started + deadline_s):
                await self._exchange(node, query, body, exchange)
            latency_s = clock() - started
            state, content, reason = _read_answer(query, exchange)
        except TimeoutError:
            latency_s, content, state = clock() - started, None, "late"
            reason = f"no whole answer within {deadline_s:g} s ({len(exchange.body)} bytes came)"
        except Exception as error:  # whatever one node provokes must not cost the others' answers
            latency_s, content, state = clock() - started, None, "failed"
            reason = _short(f"{type(error).__name__}: {error}")
        return Answer(
            query.id,
            node.country,
            state,
            exchange.status,
            content,
            latency_s,
            len(exchange.body),
            reason,
        )

    async def _exchange(
        self, node: NodeEntry, query: Query, body: bytes | None, exchange: _Exchange
    ) -> None:
        """Send and receive. A kept-alive connection that the node closed meanwhile is normal:
        questions change nothing, so one that no byte was answered to is put once more."""
        try:
            await self._send(node, query, body, exchange)
        except DROPPED as error:
            if exchange.status is not None or isinstance(error, aiohttp.ClientConnectorError):
                raise
            await self._send(node, query, body, exchange)

    async def _send(
        self, node: NodeEntry, query: Query, body: bytes | None, exchange: _Exchange
    ) -> None:
        async with self._session.request(
            query.method,
            f"{node.url}/{query.entry_type}",
            data=body,
            params=get_parameters(query.request) if body is None else None,
            headers=self._headers[node.country],
            allow_redirects=False,
        ) as response:
            exchange.status = response.status
            exchange.location = response.headers.get("Location", "")
            async for chunk in response.content.iter_any():
                exchange.body += chunk
                if len(exchange.body) > self._size_limit:
                    raise BadAnswerError(f"body over {self._size_limit} bytes")


class _Exchange:
    """What has come from one node so far."""

    __slots__ = ("body", "location", "status")

    def __init__(self) -> None:
        self.status: int | None = None
        self.location = ""
        self.body = bytearray()


def _headers(node: NodeEntry) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if node.token_variable is not None:
        token = os.environ.get(node.token_variable)
        if not token:
            what = f"the environment variable {node.token_variable} with a token"
            raise InputError("nodes", f"{node.country}.token_variable", what)
        headers["Authorization"] = f"Bearer {token}"
    return headers


def get_parameters(request: dict[str, Any]) -> dict[str, str]:
    """A Beacon v2 request body as the parameters of a GET request, lists joined by commas."""
    query = request.get("query", {})
    parameters: dict[str, Any] = dict(query.get("requestParameters", {}))
    parameters |= query.get("pagination", {})
    for key in ("requestedGranularity", "includeResultsetResponses", "testMode"):
        if key in query:
            parameters[key] = query[key]
    if filters := query.get("filters"):
        parameters["filters"] = [item["id"] for item in filters]
    return {key: _text(value) for key, value in parameters.items()}


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(_text(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _read_answer(
    query: Query, exchange: _Exchange
) -> tuple[AnswerState, dict[str, Any] | None, str]:
    """State, body and reason of a whole HTTP answer. Raises BadAnswerError for nonsense."""
    status = exchange.status or 0
    if 300 <= status < 400:
        raise BadAnswerError(f"HTTP {status}: redirected to {exchange.location!r}, not followed")
    content = _json_object(exchange.body)
    if 400 <= status < 500:
        return "refused", content, _short(f"HTTP {status}: {error_message(content)}")
    if status != 200:
        return "failed", content, _short(f"HTTP {status}: {error_message(content)}")
    if content is None:
        start = bytes(exchange.body[:40])
        raise BadAnswerError(f"HTTP 200 with a body that is no JSON object: {start!r}")
    if query.entry_type not in WITHOUT_SUMMARY and (fault := _summary_fault(content)):
        raise BadAnswerError(f"HTTP 200 without a Beacon answer: {fault}")
    return "answered", content, ""


def _json_object(body: bytearray) -> dict[str, Any] | None:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None


def _summary_fault(content: dict[str, Any]) -> str | None:
    """What is wrong with the summary that every Beacon answer must have; None: nothing."""
    summary = content.get("responseSummary")
    if not isinstance(summary, dict) or not isinstance(summary.get("exists"), bool):
        return "no responseSummary.exists"
    total = summary.get("numTotalResults", 0)
    if isinstance(total, bool) or not isinstance(total, int) or total < 0:
        return f"numTotalResults {total!r}"
    return None


def error_message(content: dict[str, Any] | None) -> str:
    """The message of a Beacon error body (``error.errorMessage``), or a word that there is none."""
    error = content.get("error") if content else None
    if isinstance(error, dict) and "errorMessage" in error:
        return str(error["errorMessage"])
    return "no Beacon error body"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= REASON_LIMIT else line[: REASON_LIMIT - 1] + "…"
