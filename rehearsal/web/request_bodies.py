"""What the bodies of requests may cost a server while they are being received.

All bodies of a process share one budget of memory. When it is used up, the connection whose body
has been incomplete for longest is closed, so that a new caller is served. Each request may arrive
in so many pieces, and in so many bytes with the framing of its chunks, also if nobody needs its
body.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from rehearsal.errors import mismatch

MAX_MEMORY = 32 * 1024 * 1024  # bytes of all bodies of a process that are not answered yet
MAX_RECEIVED = 2 * 1024 * 1024  # bytes of one body with its framing
# The same, if the answer did not wait for it. A caller who is cut off before it has sent everything
# loses the answer too, which says what was wrong; what is dropped takes no memory.
MAX_DROPPED = 8 * 1024 * 1024
MAX_PIECES = 2048  # chunks or packets; 1 MB in packets of 576 bytes, the smallest of IPv4
MAX_DROPPED_PIECES = 16 * 1024


class Droppable(Protocol):
    """A connection that can be closed to make room."""

    def drop(self) -> None:
        """Close the connection at once, and forget its bodies."""


class BodyBudget:
    """The memory of all bodies of a process that are not answered yet.

    Args:
        most: Most bytes.
    """

    def __init__(self, most: int) -> None:
        self._most, self._total = most, 0
        self._incomplete: dict[Droppable, None] = {}  # the one that began first comes first

    @property
    def total(self) -> int:
        """Bytes that are held now."""
        return self._total

    def add(self, one: Droppable, size: int) -> None:
        """Count bytes of an incomplete body, and close connections if there are too many.

        Args:
            one: The connection, which may be closed itself.
            size: Number of bytes.
        """
        self._total += size
        self._incomplete.setdefault(one)
        while self._total > self._most and self._incomplete:
            next(iter(self._incomplete)).drop()

    def complete(self, one: Droppable) -> None:
        """Note that the body of a connection is complete. It counts until it is answered.

        Args:
            one: The connection.
        """
        self._incomplete.pop(one, None)

    def release(self, size: int) -> None:
        """Stop counting bytes.

        Args:
            size: Number of bytes.
        """
        self._total -= size


class RequestBodies:
    """The bodies of the requests of one connection.

    Args:
        budget: The memory of all connections.
        connection: The connection.
    """

    __slots__ = ("_budget", "_connection", "_held", "_pieces", "_received", "is_open")

    def __init__(self, budget: BodyBudget, connection: Droppable) -> None:
        self._budget, self._connection = budget, connection
        self._held: deque[int] = deque()  # bytes of each request that is not answered yet
        self._pieces = self._received = 0
        self.is_open = False  # whether a body is being received

    def begin(self) -> None:
        """Begin with the body of a new request, which may be empty."""
        self._held.append(0)
        self._pieces = self._received = 0
        self.is_open = True

    def receive(self, size: int, *, is_needed: bool) -> bool:
        """Count bytes that arrived, with their framing.

        Args:
            size: Number of bytes.
            is_needed: Whether the answer waits for them.

        Returns:
            Whether they are too many.
        """
        self._received += size
        return self._received > (MAX_RECEIVED if is_needed else MAX_DROPPED)

    def add(self, size: int, *, is_needed: bool) -> None:
        """Count a piece of a body.

        Args:
            size: Number of bytes.
            is_needed: Whether the answer waits for it, so that it takes memory.

        Raises:
            ValueError: The connection was closed: there are too many pieces, or no memory.
        """
        self._pieces += 1
        most = MAX_PIECES if is_needed else MAX_DROPPED_PIECES
        if self._pieces > most:
            self._connection.drop()
            raise ValueError(mismatch("the body", f"at most {most} pieces", "more"))
        if is_needed:
            self._held[-1] += size
            self._budget.add(self._connection, size)
            if not self._held:
                raise ValueError(mismatch("the body", "memory for it", "none"))

    def complete(self) -> None:
        """Note that the body is complete."""
        self.is_open = False
        if self._pieces:
            self._budget.complete(self._connection)

    def answered(self) -> None:
        """Forget the body of the first request that is not answered yet."""
        if self._held and (size := self._held.popleft()):
            self._budget.release(size)
            if not self._held:
                self._budget.complete(self._connection)

    def forget(self) -> None:
        """Forget all bodies: the connection is closed."""
        self._budget.release(sum(self._held))
        self._budget.complete(self._connection)
        self._held.clear()
