"""Sending requests at planned times, and recording the outcome of each.

This module runs in separate processes (:mod:`rehearsal.loadtest.load.generators`), so it imports
little.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import aiohttp
import orjson
from yarl import URL

from rehearsal.errors import cause
from rehearsal.model import ANSWER_STATES, AnswerState
from rehearsal.network.answer_reader import failure_reason

REASON_LIMIT = 120  # characters
FORWARDED_FOR = "X-Forwarded-For"
MOST_USERS = 2048  # that requests without a plan of users seem to come from


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is ready to be sent."""

    url: str
    method: str
    headers: dict[str, str]
    body: bytes | None
    query: str
    kind: str
    role: str
    country: str
    exists: bool | None = None  # what a complete answer must say; None: the user may not see all
    count: int | None = None  # likewise; None also where no count is requested


@dataclass(frozen=True, slots=True)
class OpenLoop:
    """A plan of requests that are sent at fixed times."""

    start: float  # on the machine's monotonic clock, in seconds
    at_s: Sequence[float]  # planned times after the start, in seconds
    calls: Sequence[int]  # index of each request's call
    deadline_s: float
    cold: bool = False  # whether each request opens its own connection


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """A plan of users who each send a request, wait for the answer, and send the next one.

    The next free user takes the next call. The plan ends with the calls or with its duration.
    """

    start: float  # on the machine's monotonic clock, in seconds
    users: int
    duration_s: float  # no request is sent after this time
    calls: Sequence[int]  # index of each request's call
    deadline_s: float


class Sent(NamedTuple):
    """The outcome of one request; times in seconds."""

    call: int  # index of the call
    at_s: float  # planned time, from the plan's start
    lag_s: float  # how much later than planned it was sent: the delay of the generator
    latency_s: float  # from the planned time
    state: AnswerState
    size_bytes: int  # of the body
    equal: bool | None  # whether the answer is right; None: not known
    nodes: tuple[int, ...] | None  # nodes in the answer, by ``ANSWER_STATES``; None: not a network
    reason: str  # why it was refused, late or failed


class Sender:
    """A client that keeps connections from plan to plan: ``async with Sender(calls) as sender``.

    Args:
        calls: The calls that plans refer to.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = tuple(calls)
        self._urls = [URL(call.url, encoded=True) for call in calls]

    async def __aenter__(self) -> Sender:
        self._warm = _session(cold=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._warm.close()

    async def send(self, plan: OpenLoop | ClosedLoop) -> list[Sent]:
        """Send all requests of a plan.

        Args:
            plan: The plan.

        Returns:
            The outcome of each request, in the order of the planned times.
        """
        if isinstance(plan, ClosedLoop):
            return await self._closed(plan)
        if plan.cold:
            async with _session(cold=True) as session:
                return await self._open(plan, session)
        return await self._open(plan, self._warm)

    async def _open(self, plan: OpenLoop, session: aiohttp.ClientSession) -> list[Sent]:
        clock = asyncio.get_running_loop().time
        tasks = []
        for number, (at_s, call) in enumerate(zip(plan.at_s, plan.calls, strict=True)):
            wait_s = plan.start + at_s - clock()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            one = self._one(session, call, number, plan.start, at_s, plan.deadline_s)
            tasks.append(asyncio.ensure_future(one))
        return list(await asyncio.gather(*tasks))

    async def _closed(self, plan: ClosedLoop) -> list[Sent]:
        clock = asyncio.get_running_loop().time
        sent: list[Sent] = []
        waiting = iter(plan.calls)

        async def user(who: int) -> None:
            await asyncio.sleep(max(0.0, plan.start - clock()))
            while (at_s := clock() - plan.start) < plan.duration_s:
                if (call := next(waiting, None)) is None:
                    return
                one = self._one(self._warm, call, who, plan.start, at_s, plan.deadline_s)
                sent.append(await one)

        await asyncio.gather(*map(user, range(plan.users)))
        return sorted(sent, key=lambda one: one.at_s)

    async def _one(
        self,
        session: aiohttp.ClientSession,
        number: int,
        user: int,
        start: float,
        at_s: float,
        deadline_s: float,
    ) -> Sent:
        """Send a request; it is ``late`` when unanswered ``deadline_s`` after its planned time."""
        call, clock = self._calls[number], asyncio.get_running_loop().time
        left, body = clock(), b""
        outcome = RequestOutcome("late", reason="no complete answer in time")
        try:
            async with (
                asyncio.timeout_at(start + at_s + deadline_s),
                session.request(
                    call.method,
                    self._urls[number],
                    data=call.body,
                    headers={**call.headers, FORWARDED_FOR: user_address(user)},
                    allow_redirects=False,
                ) as response,
            ):
                body = await response.read()
            ended = clock()
            outcome = read_answer(call, response.status, body)
        except TimeoutError:
            ended = clock()
        except Exception as error:  # an error of one request must not affect the others
            ended = clock()
            outcome = RequestOutcome("failed", reason=failure_reason(error))
        return Sent(
            number,
            at_s,
            lag_s=left - start - at_s,
            latency_s=ended - start - at_s,
            state=outcome.state,
            size_bytes=len(body),
            equal=outcome.equal,
            nodes=outcome.nodes,
            reason=outcome.reason[:REASON_LIMIT],
        )


def user_address(number: int) -> str:
    """Return the address that a user's requests come from, as a proxy would state it.

    A service that trusts this machine as a proxy counts the requests of each user. Otherwise it
    would count all of them as one caller's.

    Args:
        number: Number of the user, or of a request.

    Returns:
        An address of those for measurements (RFC 2544).
    """
    number %= MOST_USERS
    return f"198.18.{number // 256}.{number % 256}"


def _session(cold: bool) -> aiohttp.ClientSession:
    # no limit on connections: requests would wait here unnoticed
    connector = aiohttp.TCPConnector(limit=0, force_close=cold)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=None)
    jar = aiohttp.DummyCookieJar()
    return aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=jar)


class RequestOutcome(NamedTuple):
    """The outcome of an HTTP answer; the fields are those of ``Sent``."""

    state: AnswerState
    equal: bool | None = None
    nodes: tuple[int, ...] | None = None
    reason: str = ""


def read_answer(call: Call, status: int, body: bytes) -> RequestOutcome:
    """Judge an HTTP answer.

    It is answered with HTTP 200 and a summary and no late or failed node; a node that refused has
    given a reason. It is refused with HTTP 4xx. Otherwise it is late or failed, as its worst node.

    Args:
        call: The call.
        status: The HTTP status.
        body: The body.

    Returns:
        The outcome.
    """
    try:
        content = orjson.loads(body)
        summary, nodes = content.get("responseSummary"), _nodes_by_state(content)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        return RequestOutcome("failed", reason=f"HTTP {status}, no Beacon answer: {cause(error)}")
    reason = _status_text(status, content)
    if 400 <= status < 500:
        return RequestOutcome("refused", nodes=nodes, reason=reason)
    if _count(nodes, "late"):
        return RequestOutcome("late", nodes=nodes, reason=reason or "a node was late")
    if status != 200 or summary is None:
        return RequestOutcome(_failed_state(status), nodes=nodes, reason=reason or "no summary")
    if _count(nodes, "failed"):
        return RequestOutcome(
            "failed", nodes=nodes, reason=f"a node failed: {_first_failure(content)}"
        )
    return RequestOutcome("answered", _is_true(call, summary, nodes), nodes)


def _count(nodes: tuple[int, ...] | None, state: AnswerState) -> int:
    return 0 if nodes is None else nodes[ANSWER_STATES.index(state)]


def _nodes_by_state(content: Any) -> tuple[int, ...] | None:
    """Count the nodes that an answer names, by ``ANSWER_STATES``; None: not from a network."""
    info = content.get("info")
    nodes = info.get("nodes") if isinstance(info, dict) else None
    if nodes is None:
        return None
    states = [one["state"] for one in nodes]
    return tuple(states.count(state) for state in ANSWER_STATES)


def _first_failure(content: dict[str, Any]) -> str:
    failed = next(one for one in content["info"]["nodes"] if one["state"] == "failed")
    return f"{failed.get('node')}: {failed.get('reason', '')}"


def _is_true(call: Call, summary: dict[str, Any], nodes: tuple[int, ...] | None) -> bool | None:
    if call.exists is None or _count(nodes, "refused"):
        return None
    count = summary.get("numTotalResults")
    return summary.get("exists") == call.exists and call.count in (None, count)


def _failed_state(status: int) -> AnswerState:
    return "late" if status == 504 else "failed"


def _status_text(status: int, content: dict[str, Any]) -> str:
    """HTTP status and the Beacon error; empty for 200."""
    if status == 200:
        return ""
    error = content.get("error")
    message = error.get("errorMessage") if isinstance(error, dict) else "no Beacon error"
    return f"HTTP {status}: {message}"
