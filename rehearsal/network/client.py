"""Puts requests to nodes over kept-alive connections and marks what became of each.

No node ever disappears from an answer: each is ``answered``, ``refused`` (it said 4xx),
``failed`` (it said something else, or nothing that can be used) or ``late``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp
import orjson
from yarl import URL

from rehearsal.errors import InputError
from rehearsal.model import Answer, AnswerState, Query
from rehearsal.network.registry import NodeEntry

SIZE_LIMIT = 64 << 20  # bytes of one body; a page of 1,000 records is about 1 MB
REASON_LIMIT = 200  # characters of a foreign message that are kept
KEPT_ALIVE_S = 60.0
NAMES_KEPT_S = 300  # how long a host name's address is believed
# Beacon's own pages about the service carry no summary of results, nor do matches of patients
WITHOUT_SUMMARY = frozenset(
    ("", "info", "service-info", "configuration", "map", "entry_types", "filtering_terms", "match")
)
# how a connection that the other side has closed shows itself, by how far it had got
DROPPED = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError)
PURPOSE = "X-Rehearsal-Purpose"
POST_NOT_TAKEN = (405, 501)

Method = Literal["GET", "POST", "DELETE"]


class BadAnswerError(Exception):
    """What came is no answer that can be used; the text says why."""


class PostOnlyError(ValueError):
    """A request that only a POST can put."""


@dataclass(frozen=True, slots=True)
class NodeRequest:
    """What is put to nodes.

    ``path``: below a node's base URL, percent-encoded. ``body``: of a POST; ``parameters``: of a
    GET. ``authorization``: the asker's own header, for our own nodes and those to which the
    registry forwards it. ``purpose``: what the answer is for, as DUO terms. ``query``: name of the
    query in the answers. ``is_beacon``: an answer must have a summary of results, unless it is one
    of Beacon's own pages about the service; of nothing else can a GET take the place of a POST.
    """

    path: str
    method: Method = "GET"
    body: dict[str, Any] | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    authorization: str | None = None
    purpose: str | None = None
    query: str = ""
    is_beacon: bool = True

    @classmethod
    def of(cls, query: Query) -> NodeRequest:
        """The request that a query of the suite makes."""
        if query.method == "POST":
            return cls(
                query.entry_type, "POST", query.request, purpose=query.purpose, query=query.id
            )
        parameters = tuple(as_get_parameters(query.request).items())
        return cls(query.entry_type, "GET", None, parameters, purpose=query.purpose, query=query.id)

    def as_get(self) -> NodeRequest:
        """The same as a GET. Raises PostOnlyError for what a GET cannot say."""
        try:
            parameters = tuple(as_get_parameters(self.body or {}).items())
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise PostOnlyError(f"takes only GET, which cannot say this: {error!r}") from error
        return replace(self, method="GET", body=None, parameters=parameters)


class NetworkClient:
    """Keeps connections to nodes alive. Use as ``async with NetworkClient(nodes) as client``.

    Raises InputError when a node's token variable is not set. ``size_limit``: bytes of one body
    after which a node is marked ``failed``.
    """

    def __init__(self, nodes: Sequence[NodeEntry], size_limit: int = SIZE_LIMIT) -> None:
        self.nodes = tuple(nodes)
        self._size_limit = size_limit
        self._only_get: set[str] = set()  # URLs of nodes that take no POST
        self._session: aiohttp.ClientSession | None = None
        for node in nodes:
            token_of(node)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=KEPT_ALIVE_S, ttl_dns_cache=NAMES_KEPT_S
            ),
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
        request = NodeRequest.of(query)
        started = asyncio.get_running_loop().time()
        return await asyncio.gather(
            *(self.send(node, request, started, deadline_s) for node in self.nodes)
        )

    async def send(
        self, node: NodeEntry, request: NodeRequest, started: float, deadline_s: float
    ) -> Answer:
        """One node's answer; ``late`` when it is not whole ``deadline_s`` after ``started``, the
        loop's time at which the question was asked."""
        self._open_session()
        clock = asyncio.get_running_loop().time
        exchange = _Exchange()
        try:
            async with asyncio.timeout_at(started + deadline_s):
                await self._exchange(node, request, exchange)
            latency_s = clock() - started
            summarised = request.is_beacon and request.path not in WITHOUT_SUMMARY
            state, content, reason = _read_answer(summarised, exchange)
        except TimeoutError:
            latency_s, content, state = clock() - started, None, "late"
            reason = f"no whole answer within {deadline_s:g} s ({len(exchange.body)} bytes came)"
        except PostOnlyError as error:
            latency_s, content, state = clock() - started, None, "refused"
            exchange.status, reason = POST_NOT_TAKEN[0], _short(str(error))
        except Exception as error:  # whatever one node provokes must not cost the others' answers
            latency_s, content, state = clock() - started, None, "failed"
            reason = _short(f"{type(error).__name__}: {error}")
        return Answer(
            request.query,
            node.country,
            state,
            exchange.status,
            content,
            latency_s,
            len(exchange.body),
            reason,
        )

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("NetworkClient is used outside its 'async with' block")
        return self._session

    async def _exchange(self, node: NodeEntry, request: NodeRequest, exchange: _Exchange) -> None:
        """Send and receive. A node that takes no POST is asked by GET, from then on at once."""
        by_get = request.method == "POST" and request.is_beacon
        if by_get and node.url in self._only_get:
            request, by_get = request.as_get(), False
        await self._send_surely(node, request, exchange)
        if by_get and exchange.status in POST_NOT_TAKEN:
            asked_by_get = request.as_get()
            exchange.clear()
            await self._send_surely(node, asked_by_get, exchange)
            if exchange.status == 200:
                self._only_get.add(node.url)

    async def _send_surely(
        self, node: NodeEntry, request: NodeRequest, exchange: _Exchange
    ) -> None:
        """A kept-alive connection that the node closed meanwhile is normal: questions change
        nothing, so one that no byte was answered to is put once more."""
        try:
            await self._send(node, request, exchange)
        except DROPPED as error:
            if exchange.status is not None or isinstance(error, aiohttp.ClientConnectorError):
                raise
            await self._send(node, request, exchange)

    async def _send(self, node: NodeEntry, request: NodeRequest, exchange: _Exchange) -> None:
        url = URL(f"{node.url}/{request.path}", encoded=True)
        async with self._open_session().request(
            request.method,
            url.with_query(request.parameters) if request.parameters else url,
            data=orjson.dumps(request.body or {}) if request.method == "POST" else None,
            headers=request_headers(node, request),
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
        self.clear()

    def clear(self) -> None:
        self.status: int | None = None
        self.location = ""
        self.body = bytearray()


def token_of(node: NodeEntry) -> str | None:
    """The bearer token that the registry gives a node. Raises InputError when it is not there."""
    if node.token_variable is None:
        return None
    token = os.environ.get(node.token_variable)
    if not token:
        what = f"the environment variable {node.token_variable} with a token"
        raise InputError("nodes", f"{node.country}.token_variable", what)
    return token


def request_headers(node: NodeEntry, request: NodeRequest) -> dict[str, str]:
    """The headers of a request to a node, with the token that it is to be shown."""
    headers = {"Accept": "application/json"}
    if request.method == "POST":
        headers["Content-Type"] = "application/json"
    if request.purpose:
        headers[PURPOSE] = request.purpose
    if token := token_of(node):
        # the asker's own token is another authority's: it is not shown to this node
        headers["Authorization"] = f"Bearer {token}"
    elif request.authorization and node.is_shown_tokens:
        headers["Authorization"] = request.authorization
    return headers


def as_get_parameters(request: dict[str, Any]) -> dict[str, str]:
    """A Beacon v2 request body as the parameters of a GET request, lists joined by commas.

    Raises ValueError for what a GET cannot say: a filter by similarity or without descendants.
    """
    query = request.get("query") or {}
    parameters: dict[str, Any] = dict(query.get("requestParameters") or {})
    parameters |= parameters.pop("g_variant", None) or {}
    parameters |= query.get("pagination") or {}
    for key in ("requestedGranularity", "includeResultsetResponses", "testMode"):
        if key in query:
            parameters[key] = query[key]
    if filters := query.get("filters"):
        parameters["filters"] = [_filter_text(item) for item in filters]
    return {key: _text(value) for key, value in parameters.items()}


def _filter_text(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    exact = item.get("includeDescendantTerms") is False
    if exact or item.get("similarity", "exact") != "exact":
        raise ValueError(f"how {item.get('id')} is to be matched")
    return f"{item['id']}{item.get('operator', '')}{item.get('value', '')}"


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(_text(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _read_answer(
    summarised: bool, exchange: _Exchange
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
    if summarised and (fault := _summary_fault(content)):
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
