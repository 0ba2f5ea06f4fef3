"""Turn records of BCF that arrive in pieces into lines, by compiled code."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from rehearsal.formats.bcf_reading_kernel import FULL

Bytes = NDArray[np.uint8]


class LineBuffer:
    """The lines of records that arrive in pieces, split anywhere.

    Args:
        convert: Writes the lines of whole records into a buffer, as many as there is room for;
            returns the bytes that it used and wrote, and a status, ``FULL`` if there was no room.
        size: Bytes of the output buffer. It grows for longer lines.
    """

    def __init__(self, convert: Callable[[Bytes, Bytes], tuple[int, int, int]], size: int) -> None:
        self._convert = convert
        self._out = np.empty(size, np.uint8)
        self.rest = b""  # what is left: a part of a record, or the record that gave the status
        self.status = 0  # of the last call

    def lines_of(self, piece: bytes) -> Iterator[bytes]:
        """Convert the records that a piece completes.

        Args:
            piece: The next bytes.

        Yields:
            Whole lines.
        """
        self.rest += piece
        self.status = FULL
        while self.status == FULL:
            records = np.frombuffer(self.rest, np.uint8)
            used, written, self.status = self._convert(records, self._out)
            if written:
                yield self._out[:written].tobytes()
            elif self.status == FULL:  # one record is longer than the buffer
                self._out = np.empty(2 * self._out.size, np.uint8)
            self.rest = self.rest[used:]
