"""ASGI middleware that authorizes requests and writes the audit log.

The decision is logged before the answer leaves. Decisions made in one turn of the event loop are
written together. When logging fails, the caller gets status 503 instead of the answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

import orjson

from rehearsal.node.access import consent
from rehearsal.node.access.audit_log import AuditFailed, AuditLog
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.rights import SCOPE_KEY, AccessDecision, caller_log_entry
from rehearsal.web.app import ROUTE_KEY
from rehearsal.web.metrics import Metric

log = logging.getLogger(__name__)

PURPOSE_HEADER = consent.HEADER.encode()

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

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        tokens, purposes = [], []
        for name, value in scope["headers"]:
            if name == b"authorization":
                tokens.append(value)
            elif name == PURPOSE_HEADER:
                purposes.append(value)
        decision = scope[SCOPE_KEY] = await self._authorizer.authorize(tokens, purposes)
        refused = False

        async def send_logged(message: Message) -> None:
            nonlocal refused
            if decision.consulted and message["type"] == "http.response.start":
                refused = not await self._written(scope, decision, message["status"])
                if refused:
                    await _send_unavailable(send)
            if not refused:
                await send(message)

        await self._app(scope, receive, send_logged)

    def metrics(self) -> list[Metric]:
        """Collect what the operator can watch of access.

        Returns:
            The failures of the audit log, and the budgets of the tiers.
        """
        text = "Answers that were withheld because the audit log could not be written."
        failures = Metric.single("rehearsal_audit_failures_total", "counter", text, self._failures)
        return [failures, *self._authorizer.metrics()]

    async def _written(self, scope: Message, decision: AccessDecision, status: int) -> bool:
        """Log the decision. Return whether that worked."""
        if self._log is None:
            return True
        try:
            await self._log.append(_log_entry(scope, decision, status))
        except AuditFailed as failure:
            self._failures += 1
            log.error("The audit log cannot be written: %s", failure)
            return False
        return True


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
        path = scope["path"].removeprefix(scope.get("app_root_path", scope.get("root_path", "")))
        route = _route(path, scope.get("path_params", {}))
    entry: dict[str, Any] = {"method": scope["method"], "route": route, "status": status}
    rights = decision.rights
    if rights is not None:
        return entry | rights.log_entry
    return entry | caller_log_entry(decision.caller) | {"rule": decision.rule}


def _route(path: str, parameters: Mapping[str, Any]) -> str:
    """Replace the variable parts of a path by their names: ``/individuals/{id}``."""
    names = {str(value): f"{{{name}}}" for name, value in parameters.items() if name != "path"}
    return "/".join(names.get(part, part) for part in path.split("/"))


async def _send_unavailable(send: Any) -> None:
    body = orjson.dumps(
        {"error": {"errorCode": 503, "errorMessage": "The node cannot write its audit log."}}
    )
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
