"""Before the application and behind it: who asks, and the audit log.

The decision is written before the answer leaves. Where that fails there is no answer, but 503.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

import orjson

from rehearsal.node import consent
from rehearsal.node.access import SCOPE_KEY, Admission
from rehearsal.node.audit import AuditFailed
from rehearsal.node.gate import Gate

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]


class Admitting:
    """ASGI middleware: a :class:`Gate` before an application, and its audit log behind."""

    def __init__(self, app: Any, gate: Gate) -> None:
        self._app, self._gate = app, gate

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = scope["headers"]
        admission = scope[SCOPE_KEY] = await self._gate.admit(
            [value for name, value in headers if name == b"authorization"],
            [value for name, value in headers if name == consent.HEADER.encode()],
        )
        refused = False

        async def send_logged(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and admission.asked:
                refused = not self._write(scope, admission, message["status"])
                if refused:
                    await _send_unavailable(send)
            if not refused:
                await send(message)

        await self._app(scope, receive, send_logged)

    def _write(self, scope: Message, admission: Admission, status: int) -> bool:
        """Log the decision; whether that worked."""
        if self._gate.audit is None:
            return True
        try:
            self._gate.audit.append(_decision(scope, admission, status))
        except AuditFailed as failure:
            log.error("the audit log cannot be written: %s", failure)
            return False
        return True


def _decision(scope: Message, admission: Admission, status: int) -> dict[str, Any]:
    """Who, by which rule, to what; never what was asked of which variant or person."""
    told: dict[str, Any] = {
        "method": scope["method"],
        "route": _route(scope["path"], scope.get("path_params", {})),
        "status": status,
    }
    rights = admission.rights
    caller = admission.caller if rights is None else rights.caller
    if caller is not None:
        told |= {"issuer": caller.issuer, "subject": caller.subject}
        if caller.dropped:
            told["dropped"] = caller.dropped
    else:
        told["subject"] = None
    if rights is None:
        return {**told, "rule": admission.rule}
    told["purpose"] = None if rights.purpose is None else str(rights.purpose)
    told["rules"] = {
        dataset: f"{rights.finest.get(dataset, 'nothing')}: {rule}"
        for dataset, rule in rights.rules.items()
    }
    return told


def _route(path: str, parameters: Mapping[str, Any]) -> str:
    """The path with what varies named only: ``/individuals/{id}``."""
    names = {str(value): f"{{{name}}}" for name, value in parameters.items() if name != "path"}
    return "/".join(names.get(part, part) for part in path.split("/"))


async def _send_unavailable(send: Any) -> None:
    body = orjson.dumps(
        {"error": {"errorCode": 503, "errorMessage": "the node cannot keep its audit log"}}
    )
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
