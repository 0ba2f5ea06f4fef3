"""Send requests to nodes over kept-alive connections and record the outcome of each.

Every node has a state in every answer: ``answered``, ``refused`` (HTTP 4xx), ``failed`` (another
status, an unusable answer or none) or ``late``.
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

from rehearsal.errors import InputError, cause, mismatch
from rehearsal.model import Answer, Query
from rehearsal.network.answer_reader import (
    DROPPED,
    BadAnswerError,
    Exchange,
    failure_reason,
    read_answer,
    shorten,
)
from rehearsal.network.registry import NodeEntry
from rehearsal.network.request_forms import (
    PostOnlyError,
    as_get_parameters,
    as_request_body,
    without_empty_parameters,
)

SIZE_LIMIT = 64 << 20  # bytes of one body; a page of 1,000 records is about 1 MB
KEPT_ALIVE_S = 60.0
NAMES_KEPT_S = 300  # seconds that the address of a host name is cached
# endpoints about the service, and matches of patients, have no summary of results
WITHOUT_SUMMARY = frozenset(
    ("", "info", "service-info", "configuration", "map", "entry_types", "filtering_terms", "match")
)
PURPOSE = "X-Rehearsal-Purpose"
KEY = "X-Auth-Token"  # of a matchmaker
FORWARDED_FOR = "X-Forwarded-For"
METHOD_NOT_TAKEN = (405, 501)

Method = Literal["GET", "POST", "DELETE"]


@dataclass(frozen=True, slots=True)
class NodeRequest:
    """A request to nodes.

    Args:
        path: Path below a node's base URL, percent-encoded.
        method: HTTP method.
        body: JSON body of a POST.
        parameters: URL parameters.
        authorization: The caller's own Authorization header. It goes to our own nodes and to those
            for which the registry says so.
        purpose: What the answer is for, as DUO terms.
        query: Id of the query in the answers.
        forwarded_for: Addresses that the query came through, as ``X-Forwarded-For`` lists them. The
            last one is the caller's address as the network saw it. They go where the caller's
            token goes.
        key: The caller's own key of the Matchmaker Exchange. It goes where the caller's token goes.
        is_beacon: Whether this is a Beacon request. Its answer must have a summary of results,
            unless it is about the service itself, and GET and POST may replace each other.
    """

    path: str
    method: Method = "GET"
    body: dict[str, Any] | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    authorization: str | None = None
    purpose: str | None = None
    query: str = ""
    is_beacon: bool = True
    forwarded_for: str = ""
    key: str | None = None

    @classmethod
    def of(cls, query: Query) -> NodeRequest:
        """Build the request of a query of the suite.

        Args:
            query: The query.

        Returns:
            The request.
        """
        if query.method == "POST":
            body = without_empty_parameters(query.request)
            return cls(query.entry_type, "POST", body, purpose=query.purpose, query=query.id)
        parameters = tuple(as_get_parameters(query.request).items())
        return cls(query.entry_type, "GET", None, parameters, purpose=query.purpose, query=query.id)

    @property
    def is_query(self) -> bool:
        """Whether another method than its own can express this request."""
        return self.is_beacon and (self.method == "POST" or self.is_of_results)

    @property
    def is_of_results(self) -> bool:
        """Whether a Beacon's answer has a summary of results."""
        is_of_terms = self.path.endswith("/filtering_terms")
        return self.is_beacon and not is_of_terms and self.path not in WITHOUT_SUMMARY

    def by_other_method(self) -> NodeRequest:
        """Convert a GET to a POST, and a POST to a GET.

        Returns:
            The same request by the other method.

        Raises:
            PostOnlyError: A GET cannot express it.
        """
        if self.method == "GET":
            return replace(
                self, method="POST", body=as_request_body(self.parameters), parameters=()
            )
        try:
            parameters = tuple(as_get_parameters(self.body or {}).items())
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise PostOnlyError(
                f"takes only GET, which cannot express this: {cause(error)}"
            ) from error
        return replace(self, method="GET", body=None, parameters=parameters)


class NetworkClient:
    """Keeps connections to nodes alive. Use it as ``async with NetworkClient(nodes) as client``.

    Args:
        nodes: The nodes to ask.
        size_limit: Largest body in bytes. A node that sends more is marked ``failed``.
        most_connections: Most connections to all nodes together; 0: any number. A request that
            finds none waits, until its deadline.

    Raises:
        InputError: The environment variable with a node's token is not set.
    """

    def __init__(
        self,
        nodes: Sequence[NodeEntry],
        size_limit: int = SIZE_LIMIT,
        most_connections: int = 0,
    ) -> None:
        self.nodes = tuple(nodes)
        self._size_limit, self._most_connections = size_limit, most_connections
        self._not_taken: set[tuple[str, Method]] = set()  # addresses, and what they do not accept
        self._session: aiohttp.ClientSession | None = None
        for node in nodes:
            token_of(node)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._most_connections,
                keepalive_timeout=KEPT_ALIVE_S,
                ttl_dns_cache=NAMES_KEPT_S,
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
        """Send a query to all nodes. It returns at the deadline at the latest.

        Args:
            query: The query.
            deadline_s: Deadline, in seconds from now.

        Returns:
            One answer per node, in the order of the nodes. ``latency_s`` runs from the start to the
            last byte of the body.
        """
        request = NodeRequest.of(query)
        started = asyncio.get_running_loop().time()
        return await asyncio.gather(
            *(self.send(node, request, started, deadline_s) for node in self.nodes)
        )

    async def send(
        self, node: NodeEntry, request: NodeRequest, started: float, deadline_s: float
    ) -> Answer:
        """Send a request to one node.

        Args:
            node: The node.
            request: The request.
            started: Time of the event loop at which the query started.
            deadline_s: Deadline, in seconds after ``started``.

        Returns:
            The node's answer; ``late`` when it is not complete at the deadline.
        """
        self._open_session()
        clock = asyncio.get_running_loop().time
        exchange = Exchange()
        try:
            async with asyncio.timeout_at(started + deadline_s):
                await self._exchange(node, request, exchange)
            latency_s = clock() - started
            state, content, reason = read_answer(request.is_of_results, exchange)
        except TimeoutError:
            latency_s, content, state = clock() - started, None, "late"
            reason = f"no whole answer within {deadline_s:g} s ({len(exchange.body)} bytes came)"
        except PostOnlyError as error:
            latency_s, content, state = clock() - started, None, "refused"
            exchange.status, reason = METHOD_NOT_TAKEN[0], shorten(str(error))
        except Exception as error:  # an error of one node must not cost the others' answers
            latency_s, content, state = clock() - started, None, "failed"
            reason = shorten(failure_reason(error))
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
            expected = "use inside its 'async with' block"
            raise RuntimeError(mismatch("NetworkClient", expected, "use outside"))
        return self._session

    async def _exchange(self, node: NodeEntry, request: NodeRequest, exchange: Exchange) -> None:
        """Send and receive. A node that does not accept a method is asked by the other one.

        If that works, the node is asked by it at once from then on.
        """
        address = (node.address_of(request.path), request.method)
        if not request.is_query or address not in self._not_taken:
            await self._send_surely(node, request, exchange)
            if not request.is_query or exchange.status not in METHOD_NOT_TAKEN:
                return
        other = request.by_other_method()
        exchange.clear()
        await self._send_surely(node, other, exchange)
        if exchange.status == 200:
            self._not_taken.add(address)

    async def _send_surely(self, node: NodeEntry, request: NodeRequest, exchange: Exchange) -> None:
        """Send a request, and once more if a kept-alive connection was closed before any byte came.

        Nodes close idle connections, and requests change nothing, so the repetition is safe.
        """
        try:
            await self._send(node, request, exchange)
        except DROPPED as error:
            if exchange.status is not None or isinstance(error, aiohttp.ClientConnectorError):
                raise
            await self._send(node, request, exchange)

    async def _send(self, node: NodeEntry, request: NodeRequest, exchange: Exchange) -> None:
        url = URL(f"{node.address_of(request.path)}/{request.path}", encoded=True)
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


def token_of(node: NodeEntry) -> str | None:
    """Return the bearer token that the registry provides for a node.

    Args:
        node: The node.

    Returns:
        The token; None when the registry names none.

    Raises:
        InputError: The environment variable is not set.
    """
    if node.token_variable is None:
        return None
    token = os.environ.get(node.token_variable)
    if not token:
        expected = f"a bearer token for {node.country}"
        raise InputError("environment variables", node.token_variable, expected, "nothing")
    return token


def request_headers(node: NodeEntry, request: NodeRequest) -> dict[str, str]:
    """Build the headers of a request to a node, including the token for it.

    Args:
        node: The node.
        request: The request.

    Returns:
        Headers by name.
    """
    headers = {"Accept": "application/json"}
    if request.method == "POST":
        headers["Content-Type"] = "application/json"
    if request.forwarded_for and node.is_shown_tokens:
        headers[FORWARDED_FOR] = request.forwarded_for
    if request.purpose:
        headers[PURPOSE] = request.purpose
    if token := token_of(node):
        # the caller's own token comes from another authority: this node must not see it
        headers["Authorization"] = f"Bearer {token}"
    elif node.is_shown_tokens:
        own = {"Authorization": request.authorization, KEY: request.key}
        headers |= {name: value for name, value in own.items() if value}
    return headers
