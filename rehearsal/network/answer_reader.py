"""Read a node's HTTP answer: its state, its body and the reason why it is unusable."""

from __future__ import annotations

import os
import ssl
from typing import Any

import aiohttp
import orjson

from rehearsal.errors import cause
from rehearsal.model import AnswerState

REASON_LIMIT = 200  # characters kept of a node's message
# errors of a connection that the other side has closed, by how far it had got
DROPPED = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError)

# what OpenSSL reports when the other side answers in plain text, by its version
NOT_TLS = frozenset({"HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "WRONG_VERSION_NUMBER"})
NO_TLS = "the port does not speak TLS"


class BadAnswerError(Exception):
    """A node sent something that is not a usable answer. The text says why."""


class Exchange:
    """What one node has sent so far."""

    __slots__ = ("body", "location", "status")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget what the node has sent, before a request is repeated."""
        self.status: int | None = None
        self.location = ""
        self.body = bytearray()


def failure_reason(error: Exception) -> str:
    """Say in words why a request got no usable answer.

    Args:
        error: The exception that ended the exchange.

    Returns:
        The reason, for example ``no connection (Connection refused)``.
    """
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection ({_connection_fault(error.os_error)})"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the connection was closed in the middle of the answer"
    if isinstance(error, DROPPED):
        return "the connection was closed before an answer"
    if isinstance(error, aiohttp.InvalidURL):
        return "no usable URL"
    return cause(error)


def _connection_fault(error: OSError) -> str:
    """Say why there is no connection. The numbers of TLS errors are not those of the system."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "no reason given").replace("_", " ").lower()
        return NO_TLS if error.reason in NOT_TLS else f"TLS failed: {reason}"
    code = error.errno
    return (os.strerror(code) if code and code > 0 else error.strerror) or "no reason given"


def read_answer(
    summarised: bool, exchange: Exchange
) -> tuple[AnswerState, dict[str, Any] | None, str]:
    """Read state, body and reason of a complete HTTP answer.

    Args:
        summarised: Whether the answer must have a summary of results.
        exchange: What the node sent.

    Returns:
        The state, the JSON object of the body (None without one), and the reason of a state other
        than ``answered``.

    Raises:
        BadAnswerError: The answer is not usable.
    """
    status = exchange.status or 0
    if 300 <= status < 400:
        raise BadAnswerError(f"HTTP {status}: redirected to {exchange.location!r}, not followed")
    content = _json_object(exchange.body)
    if 400 <= status < 500:
        return "refused", content, shorten(f"HTTP {status}: {error_message(content)}")
    if status != 200:
        return "failed", content, shorten(f"HTTP {status}: {error_message(content)}")
    if content is None:
        start = exchange.body[:40].decode(errors="replace")
        raise BadAnswerError(f"HTTP 200 with a body that is not a JSON object: {start!r}")
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
    """Describe what is wrong with the summary that every Beacon answer must have; None: nothing."""
    summary = content.get("responseSummary")
    if not isinstance(summary, dict) or not isinstance(summary.get("exists"), bool):
        return "no responseSummary.exists"
    total = summary.get("numTotalResults", 0)
    if isinstance(total, bool) or not isinstance(total, int) or total < 0:
        return f"numTotalResults {total!r}"
    return None


def error_message(content: dict[str, Any] | None) -> str:
    """Return the message of a Beacon error body.

    Args:
        content: The body; None when it is not a JSON object.

    Returns:
        ``error.errorMessage``, or a note that there is none.
    """
    error = content.get("error") if content else None
    if isinstance(error, dict) and "errorMessage" in error:
        return str(error["errorMessage"])
    return "no Beacon error body"


def shorten(text: str) -> str:
    """Put a node's message on one line and cut it.

    Args:
        text: The message.

    Returns:
        At most ``REASON_LIMIT`` characters.
    """
    line = " ".join(text.split())
    return line if len(line) <= REASON_LIMIT else line[: REASON_LIMIT - 1] + "…"
