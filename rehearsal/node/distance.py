"""Distance emulated by waiting: an answer leaves a round trip, and its bytes, later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEADER = b"x-rehearsal-delay-ms"


class Distant:
    """An ASGI application that answers as if it stood ``delay_s`` of round trip away.

    Each answer waits ``delay_s + 8 * bytes of body / (bandwidth_mbps * 10**6)`` seconds and says
    so in the header ``X-Rehearsal-Delay-Ms``. Answers wait side by side. ``bandwidth_mbps`` of
    None or 0 is no limit.
    """

    def __init__(self, app: Any, delay_s: float, bandwidth_mbps: float | None = None) -> None:
        self._app, self._delay_s = app, delay_s
        self._s_per_byte = 8 / (bandwidth_mbps * 1e6) if bandwidth_mbps else 0.0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        start: Message | None = None

        async def send_later(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            size = len(message.get("body", b""))
            wait_s = size * self._s_per_byte
            if start is not None:
                wait_s += self._delay_s
                start["headers"] = [*start["headers"], (HEADER, f"{wait_s * 1000:.3f}".encode())]
            await asyncio.sleep(wait_s)
            if start is not None:
                await send(start)
                start = None
            await send(message)

        await self._app(scope, receive, send_later)
