"""ASGI middleware that authorizes requests and writes the audit log.

The decision is logged before the answer leaves. Decisions made in one turn of the event loop are
written together. When logging fails, the caller gets status 503 instead of the answer.

What leaves is what the rights allow when it leaves: an exact answer of before a withdrawal of
consent, and any answer of before its caller lost rights, is refused with 503, and a long one under
way is stopped. A withdrawal stops no answer to a caller whose answers are all protected.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping, MutableMapping
from typing import Any

import orjson

from rehearsal.node.access import consent, matchmaker_keys
from rehearsal.node.access.audit_log import AuditFailed, AuditLog
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.rights import SCOPE_KEY, AccessDecision, caller_log_entry
from rehearsal.web.app import ABORT_KEY, REFUSAL_KEY, ROUTE_KEY
from rehearsal.web.metrics import Metric

log = logging.getLogger(__name__)

PURPOSE_HEADER = consent.HEADER.encode()
KEY_HEADER = matchmaker_keys.HEADER.encode()
PIECE = 1 << 16  # bytes of a long body that are sent at a time
UNWRITABLE = "The node cannot write its audit log."
CHANGED = "The access rules of the node changed during the answer. Ask again."

Message = MutableMapping[str, Any]


class AccessMiddleware:
    """Authorizes each request before an application, and logs the decision.

    Args:
        app: The ASGI application.
        authorizer: The node's access decisions, with its audit log.
    """

    def __init__(self, app: Any, authorizer: Authorizer) -> None:
        self._app, self._authorizer = app, authorizer
        self._log = None if authorizer.audit is None else _BatchedLog(authorizer.audit)
        self._failures = 0  # of the audit log
        self.under_way: set[_Answer] = set()  # long answers
        authorizer.listeners.append(self._stop_answers)

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        tokens, purposes, keys = [], [], []
        for name, value in scope["headers"]:
            if name == b"authorization":
                tokens.append(value)
            elif name == PURPOSE_HEADER:
                purposes.append(value)
            elif name == KEY_HEADER and _takes_keys(scope):
                keys.append(value)
        decision = await self._authorizer.authorize(tokens, purposes, keys)
        scope[SCOPE_KEY] = decision
        answer = _Answer(self, scope, decision, send)
        try:
            await self._app(scope, receive, answer.send)
        except _Stopped:
            log.warning("%s was stopped: the caller's rights changed", scope["path"])
            await self.write_decision(scope, decision, 200, "stopped: the rights changed")
        finally:
            self.under_way.discard(answer)

    def routes(self) -> set[tuple[str, str]]:
        """List path and method of everything that the application serves."""
        served: set[tuple[str, str]] = self._app.routes()
        return served

    def _stop_answers(self) -> None:
        """Stop the answers under way that the changed rules no longer allow."""
        for answer in list(self.under_way):
            if not answer.may_go_on():
                answer.stop()

    def metrics(self) -> list[Metric]:
        """Collect what the operator can watch of access.

        Returns:
            The failures of the audit log, and the budgets of the tiers.
        """
        text = "Answers that were withheld because the audit log could not be written."
        failures = Metric.single("rehearsal_audit_failures_total", "counter", text, self._failures)
        return [failures, *self._authorizer.metrics()]

    async def write_decision(
        self, scope: Message, decision: AccessDecision, status: int, rule: str = ""
    ) -> bool:
        """Log a decision.

        Args:
            scope: The request.
            decision: The decision.
            status: HTTP status of the answer.
            rule: What ended the answer early; empty: nothing.

        Returns:
            Whether that worked.
        """
        if self._log is None:
            return True
        entry = _log_entry(scope, decision, status)
        try:
            await self._log.append({**entry, "rule": rule} if rule else entry)
        except AuditFailed as failure:
            self._failures += 1
            log.error("The audit log cannot be written: %s", failure)
            return False
        return True


class _Stopped(BaseException):
    """Ends the work on an answer. No handler of errors may take it for an error of its own."""


class _Answer:
    """Sends one answer while the rights that it was made with hold.

    A long body is sent in pieces, so that at most :data:`PIECE` bytes and the transport's own
    buffer have left when the rights end.
    """

    __slots__ = ("_decision", "_middleware", "_refused", "_scope", "_send", "_stopped")

    def __init__(
        self, middleware: AccessMiddleware, scope: Message, decision: AccessDecision, send: Any
    ) -> None:
        self._middleware, self._scope = middleware, scope
        self._decision, self._send = decision, send
        self._refused = self._stopped = False

    def send(self, message: Message) -> Awaitable[None]:
        if not self._decision.consulted:
            sent: Awaitable[None] = self._send(message)
            return sent
        if message["type"] == "http.response.start":
            return self._begin(message)
        return self._go_on(message)

    async def _begin(self, message: Message) -> None:
        """Send the head of the answer after the line in the log, or refuse the answer."""
        decision, write = self._decision, self._middleware.write_decision
        holds = decision.lets_answer_begin()
        written = await write(self._scope, decision, message["status"] if holds else 503)
        if holds and written and not decision.lets_answer_begin():  # it changed meanwhile
            holds, written = False, await write(self._scope, decision, 503)
        self._refused = not (holds and written)
        if self._refused:
            await _send_unavailable(self._send, CHANGED if written else UNWRITABLE)
        else:
            await self._send(message)

    async def _go_on(self, message: Message) -> None:
        if self._refused:
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if not more and len(body) <= PIECE and self not in self._middleware.under_way:
            await self._send(message)
            return
        self._middleware.under_way.add(self)
        view = memoryview(body)
        for at in range(0, max(1, len(body)), PIECE):
            if self._stopped or not self.may_go_on():
                raise _Stopped
            is_last = at + PIECE >= len(body)
            piece = view[at : at + PIECE]
            await self._send({**message, "body": piece, "more_body": more or not is_last})

    def may_go_on(self) -> bool:
        return self._decision.lets_answer_go_on()

    def stop(self) -> None:
        """Close the connection at once, without what waits in its buffer."""
        self._stopped = True
        abort = self._scope.get(ABORT_KEY)
        if abort is not None:
            abort()


class _BatchedLog:
    """Writes the decisions of one turn of the event loop with one lock and one write."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[tuple[Message, asyncio.Future[None]]] = []

    async def append(self, entry: Message) -> None:
        """Return when the decision is written. Raises AuditFailed when it cannot be written."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # waiters of a closed loop are gone
            self._loop, self._waiting = loop, []
        if not self._waiting:
            loop.call_soon(self._write)
        written = loop.create_future()
        self._waiting.append((entry, written))
        await written

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        failure = None
        try:
            self._audit.append(*(entry for entry, _ in waiting))
        except AuditFailed as error:
            failure = error
        for _, written in waiting:
            if written.done():  # the caller disconnected
                continue
            if failure is None:
                written.set_result(None)
            else:
                written.set_exception(failure)


def _log_entry(scope: Message, decision: AccessDecision, status: int) -> dict[str, Any]:
    """Build a log entry: who, by which rule, on which route; never which variant or person."""
    route = scope.get(ROUTE_KEY)
    if not route:
        route = _route(_path(scope), scope.get("path_params", {}))
    entry: dict[str, Any] = {"method": scope["method"], "route": route, "status": status}
    rights = decision.rights
    if rights is not None:
        cause = scope.get(REFUSAL_KEY)
        refusal = {"rule": f"refused: {cause}"} if cause and status < 500 else {}
        return entry | rights.log_entry | refusal
    return entry | caller_log_entry(decision.caller) | {"rule": decision.rule}


def _path(scope: Message) -> str:
    """The path of a request below the prefix of the service."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("app_root_path", scope.get("root_path", "")))


def _takes_keys(scope: Message) -> bool:
    """Tell whether a matchmaker's key counts for the path. Elsewhere its header is ignored."""
    return _path(scope).rstrip("/") in matchmaker_keys.KEY_PATHS


def _route(path: str, parameters: Mapping[str, Any]) -> str:
    """Replace the variable parts of a path by their names: ``/individuals/{id}``."""
    names = {str(value): f"{{{name}}}" for name, value in parameters.items() if name != "path"}
    return "/".join(names.get(part, part) for part in path.split("/"))


async def _send_unavailable(send: Any, message: str) -> None:
    body = orjson.dumps({"error": {"errorCode": 503, "errorMessage": message}})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"1"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
