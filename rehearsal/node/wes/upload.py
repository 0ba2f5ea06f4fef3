"""Bodies that are longer than a node takes at a time, in pieces: RFC 9110, section 14.4."""

from __future__ import annotations

import re

from rehearsal.errors import shown
from rehearsal.web.problem import Problem

MOST_BYTES = 1 << 30  # of all pieces that wait; beyond it the oldest bodies are dropped
_RANGE = re.compile(r"bytes (\d{1,10})-(\d{1,10})/(\d{1,10})")


class Uploads:
    """The pieces that have arrived, one body at a time for each run."""

    def __init__(self) -> None:
        self._pieces: dict[str, bytearray] = {}

    def add(self, name: str, content_range: str | None, piece: bytes, most: int) -> bytes | None:
        """Add a piece.

        Args:
            name: Whose body it is.
            content_range: The header: ``bytes FIRST-LAST/SIZE``. None: the piece is the whole body.
            piece: The piece.
            most: Most bytes of the whole body.

        Returns:
            The whole body once it is complete, else None.

        Raises:
            Problem: The header does not fit the piece or the pieces before (400), or the body is
                too long (413).
        """
        if content_range is None:
            self._pieces.pop(name, None)
            return piece
        found = _RANGE.fullmatch(content_range)
        first, last, size = map(int, found.groups()) if found else (0, -2, 0)
        if last - first + 1 != len(piece) or last >= size:
            expected = f"bytes FIRST-LAST/SIZE of a piece of {len(piece)} bytes"
            raise Problem.mismatch("content-range", expected, shown(content_range))
        if size > most:
            raise Problem.mismatch("the body", f"at most {most} bytes", f"{size} bytes", 413)
        if first == 0:
            self._pieces.pop(name, None)  # the newest is the last one
            self._pieces[name] = bytearray()
        there = self._pieces.get(name, bytearray())
        if len(there) != first:
            expected = f"a piece from byte {len(there)} on"
            raise Problem.mismatch("content-range", expected, shown(content_range))
        there += piece
        if len(there) < size:
            self._drop_old()
            return None
        return bytes(self._pieces.pop(name))

    def _drop_old(self) -> None:
        """Drop the oldest bodies, whose runs may have ended long ago."""
        while len(self._pieces) > 1 and sum(map(len, self._pieces.values())) > MOST_BYTES:
            del self._pieces[next(iter(self._pieces))]
