"""Distance emulated by waiting: an answer leaves a round trip, and its bytes, later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from math import ceil
from random import Random
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEADER = b"x-rehearsal-delay-ms"
SEGMENT = 1448  # bytes of an answer in one packet of 1,500
# Linux waits a smoothed round trip and at least 200 ms for an acknowledgement (TCP_RTO_MIN), and
# twice as long each time that it gets none
TIMEOUT_S = 0.2
# packets after a lost one that tell its sender of it within a round trip (RFC 5681)
DUPLICATES = 3
MOST_TRIES = 8


@dataclass(frozen=True, slots=True)
class Line:
    """What lies between two places.

    ``delay_ms``: round-trip time. ``jitter_ms``: how far a round trip may be from it, either way;
    each of the two directions has half of it, evenly spread. ``loss``: share of packets that get
    lost, in either direction. ``bandwidth_mbps``: 10**6 bits a second; None or 0 is no limit.
    """

    delay_ms: float = 0.0
    bandwidth_mbps: float | None = None
    jitter_ms: float = 0.0
    loss: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Whether nothing lies between."""
        return not (self.delay_ms or self.bandwidth_mbps or self.jitter_ms or self.loss)

    def bytes_s(self, size: int) -> float:
        """Seconds that so many bytes occupy the line."""
        return size * 8 / (self.bandwidth_mbps * 1e6) if self.bandwidth_mbps else 0.0

    def round_trip_s(self, chance: Random) -> float:
        """Seconds of one round trip, never less than 0."""
        half = self.jitter_ms / 2
        strayed = chance.uniform(-half, half) + chance.uniform(-half, half) if half else 0.0
        return max(0.0, self.delay_ms + strayed) / 1000

    def exchange_s(self, size: int, chance: Random) -> float:
        """Seconds until an answer of so many bytes is there, on a connection that is open."""
        lost = self.lost_s(size, chance) if self.loss else 0.0
        return self.round_trip_s(chance) + self.bytes_s(size) + lost

    def lost_s(self, size: int, chance: Random) -> float:
        """Seconds that lost packets cost a request of one packet and its answer.

        A lost request, and an answer one of whose last packets is lost, costs a retransmission
        timeout (:data:`TIMEOUT_S` after a round trip, twice as long the next time). Any other
        packet of the answer costs a round trip: what follows it tells the sender of it.
        """
        segments = max(1, ceil(size / SEGMENT))
        tail = min(segments, DUPLICATES)
        waited = self._timeouts_s(1, chance) + self._timeouts_s(tail, chance)
        if self._is_lost(segments - tail, chance):
            waited += self.delay_ms / 1000
        return waited

    def _timeouts_s(self, packets: int, chance: Random) -> float:
        waited, timeout = 0.0, self.delay_ms / 1000 + TIMEOUT_S
        for _ in range(MOST_TRIES):
            if not self._is_lost(packets, chance):
                break
            waited, timeout, packets = waited + timeout, 2 * timeout, 1
        return waited

    def _is_lost(self, packets: int, chance: Random) -> bool:
        """Whether any of so many packets is lost."""
        return packets > 0 and chance.random() < 1 - (1 - self.loss) ** packets


NO_DELAY = Line()


class DelayedApp:
    """An ASGI application that answers as if it stood at the other end of a line.

    Each answer waits for a round trip, the bytes of its body and, where packets get lost, for
    their sender to notice (:meth:`Line.exchange_s`), and says so in the header
    ``X-Rehearsal-Delay-Ms``. Answers wait side by side.
    """

    def __init__(self, app: Any, line: Line, seed: int = 0) -> None:
        self._app, self._line = app, line
        self._chance = Random(seed)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        start: Message | None = None

        async def send_later(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            size = len(message.get("body", b""))
            if start is not None:
                wait_s = self._line.exchange_s(size, self._chance)
                start["headers"] = [*start["headers"], (HEADER, f"{wait_s * 1000:.3f}".encode())]
            else:
                wait_s = self._line.bytes_s(size)
            await asyncio.sleep(wait_s)
            if start is not None:
                await send(start)
                start = None
            await send(message)

        await self._app(scope, receive, send_later)
