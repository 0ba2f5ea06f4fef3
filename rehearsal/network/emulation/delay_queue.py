"""Packets under way: each leaves when its line has let it through, or is lost."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

Address = bytes  # four bytes, as in packets
LIMIT = 20_000  # packets under way; more are lost, as in a full buffer
LONGEST_WAIT_S = 0.5  # longest wait for bandwidth; a packet that would wait longer is lost


@dataclass(frozen=True, slots=True)
class OneWay:
    """One direction between two places.

    Args:
        delay_s: Delay, in seconds.
        jitter_s: Largest deviation from it, either way, in seconds.
        loss: Share of packets that are lost, from 0 to 1.
    """

    delay_s: float
    jitter_s: float = 0.0
    loss: float = 0.0


class DelayQueue:
    """Delays packets between pairs of addresses. Times are of one clock, in seconds.

    Packets of a pair stay in order, whatever the jitter: a queue on the way does not let them
    overtake.

    Args:
        ways: Directions by (source, target). Other packets are dropped.
        rates: Bytes per second of an address's line in each direction. Others have no limit.
        chance: Generator of jitter and loss.
    """

    def __init__(
        self,
        ways: Mapping[tuple[Address, Address], OneWay],
        rates: Mapping[Address, float],
        chance: Random,
    ) -> None:
        self._ways, self._rates, self._chance = ways, rates, chance
        self._waiting: list[tuple[float, int, Address, bytes]] = []
        self._number = 0
        self._free_up: dict[Address, float] = {}  # time at which a line can take the next packet
        self._free_down: dict[Address, float] = {}
        self._last: dict[tuple[Address, Address], float] = {}
        self.lost = 0

    def put(self, packet: bytes, source: Address, target: Address, now: float) -> None:
        """Add a packet that a place has sent.

        Args:
            packet: The packet.
            source: Address of its sender.
            target: Address of its receiver.
            now: Current time, in seconds.
        """
        way = self._ways.get((source, target))
        if way is None:
            return
        if (way.loss and self._chance.random() < way.loss) or len(self._waiting) >= LIMIT:
            self.lost += 1
            return
        sent = self._through(self._free_up, source, len(packet), now)
        sent = None if sent is None else self._through(self._free_down, target, len(packet), sent)
        if sent is None:
            self.lost += 1
            return
        strayed = self._chance.uniform(-way.jitter_s, way.jitter_s) if way.jitter_s else 0.0
        due = max(sent + max(0.0, way.delay_s + strayed), self._last.get((source, target), 0.0))
        self._last[source, target] = due
        self._number += 1
        heapq.heappush(self._waiting, (due, self._number, target, packet))

    def _through(
        self, free: dict[Address, float], who: Address, size: int, now: float
    ) -> float | None:
        """Compute when a packet has passed a place's line; None: it would wait too long."""
        rate = self._rates.get(who)
        if not rate:
            return now
        begin = max(now, free.get(who, 0.0))
        if begin - now > LONGEST_WAIT_S:
            return None
        free[who] = begin + size / rate
        return free[who]

    @property
    def next_due(self) -> float | None:
        """Time at which the next packet leaves, in seconds; None: the queue is empty."""
        return self._waiting[0][0] if self._waiting else None

    def due(self, now: float) -> Iterator[tuple[Address, bytes]]:
        """Take the packets that leave now, in order.

        Args:
            now: Current time, in seconds.

        Yields:
            Address of the receiver, and packet.
        """
        while self._waiting and self._waiting[0][0] <= now:
            _, _, target, packet = heapq.heappop(self._waiting)
            yield target, packet
