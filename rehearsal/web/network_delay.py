"""Emulate distance: an answer is delayed by a round trip and by the time of its bytes."""

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
# Linux waits a smoothed round trip and at least 200 ms for an acknowledgement (TCP_RTO_MIN),
# and doubles that time whenever none arrives
TIMEOUT_S = 0.2
# packets after a lost one that report the loss within a round trip (RFC 5681)
DUPLICATES = 3
MOST_TRIES = 8


@dataclass(frozen=True, slots=True)
class Line:
    """The line between two places.

    Args:
        delay_ms: Round-trip time, in ms.
        bandwidth_mbps: Bandwidth, in 10**6 bits per second. None or 0 means no limit.
        jitter_ms: Largest deviation of a round trip from ``delay_ms``, either way, in ms. Each
            direction has half of it, uniformly distributed.
        loss: Share of packets that are lost, in each direction, from 0 to 1.
    """

    delay_ms: float = 0.0
    bandwidth_mbps: float | None = None
    jitter_ms: float = 0.0
    loss: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Whether the line has no delay, jitter, loss or limit of bandwidth."""
        return not (self.delay_ms or self.bandwidth_mbps or self.jitter_ms or self.loss)

    def bytes_s(self, size: int) -> float:
        """Compute the time that a number of bytes occupies the line.

        Args:
            size: Number of bytes.

        Returns:
            Seconds.
        """
        return size * 8 / (self.bandwidth_mbps * 1e6) if self.bandwidth_mbps else 0.0

    def round_trip_s(self, chance: Random) -> float:
        """Draw the time of one round trip.

        Args:
            chance: Generator of the jitter.

        Returns:
            Seconds, never less than 0.
        """
        half = self.jitter_ms / 2
        strayed = chance.uniform(-half, half) + chance.uniform(-half, half) if half else 0.0
        return max(0.0, self.delay_ms + strayed) / 1000

    def exchange_s(self, size: int, chance: Random) -> float:
        """Draw the time until an answer has arrived, on an open connection.

        Args:
            size: Bytes of the answer.
            chance: Generator of jitter and loss.

        Returns:
            Seconds.
        """
        lost = self.lost_s(size, chance) if self.loss else 0.0
        return self.round_trip_s(chance) + self.bytes_s(size) + lost

    def lost_s(self, size: int, chance: Random) -> float:
        """Draw the time that lost packets cost a request of one packet and its answer.

        A lost request, or a loss among the last packets of the answer, costs a retransmission
        timeout (:data:`TIMEOUT_S` after a round trip, doubled each time). Any other lost packet
        of the answer costs a round trip, because the packets after it tell the sender.

        Args:
            size: Bytes of the answer.
            chance: Generator of the losses.

        Returns:
            Seconds.
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
        """Draw whether any of a number of packets is lost."""
        return packets > 0 and chance.random() < 1 - (1 - self.loss) ** packets


NO_DELAY = Line()


class DelayedApp:
    """An ASGI application that answers as if it stood at the other end of a line.

    Each answer is delayed by a round trip, the time of its bytes and the cost of lost packets
    (:meth:`Line.exchange_s`). The header ``X-Rehearsal-Delay-Ms`` states the delay. Delays of
    concurrent answers overlap.

    Args:
        app: The application whose answers are delayed.
        line: The emulated line.
        seed: Seed of jitter and loss.
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
