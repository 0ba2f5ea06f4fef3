"""Read a CSI index: where in a file the records of a position are.

The format: CSI v1, github.com/samtools/hts-specs.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from rehearsal.errors import InputError, shown
from rehearsal.formats.csi import first_bin
from rehearsal.node.htsget.bgzf_blocks import Cursor

Chunks = list[tuple[int, int]]  # virtual offsets: of the first record, behind the last one


@dataclass(frozen=True, slots=True)
class CsiIndex:
    """A CSI index.

    Args:
        min_shift: Bits of the smallest bins.
        depth: Number of levels below the root.
        contigs: For each contig, number of a bin to its least offset and its chunks.
    """

    min_shift: int
    depth: int
    contigs: list[dict[int, tuple[int, Chunks]]] = field(repr=False)

    @classmethod
    def read(cls, file: BinaryIO, path: Path | str) -> CsiIndex:
        """Read an index.

        Args:
            file: The file, decrypted.
            path: Its path, for messages.

        Returns:
            The index.

        Raises:
            InputError: The file is not a CSI index, or is cut off.
        """
        content = Cursor(file).read(1 << 31)
        try:
            if content[:4] != b"CSI\1":
                raise InputError(path, "file", "a CSI index", f"{shown(content[:4])} at its start")
            return cls._parsed(content)
        except struct.error:
            raise InputError(path, "file", "a whole CSI index", "a file that is cut off") from None

    @classmethod
    def _parsed(cls, content: bytes) -> CsiIndex:
        min_shift, depth, extra = struct.unpack_from("<iii", content, 4)
        (count,) = struct.unpack_from("<i", content, 16 + extra)
        at = 20 + extra
        pseudo = first_bin(depth + 1) + 1  # htslib's statistics
        contigs = []
        for _ in range(count):
            bins = {}
            (number_of_bins,) = struct.unpack_from("<i", content, at)
            at += 4
            for _ in range(number_of_bins):
                number, least, chunks = struct.unpack_from("<IQi", content, at)
                offsets = struct.unpack_from(f"<{2 * chunks}Q", content, at + 16)
                at += 16 + 16 * chunks
                if number != pseudo:
                    pairs = list(zip(offsets[::2], offsets[1::2], strict=True))
                    bins[number] = (least, pairs)
            contigs.append(bins)
        return cls(min_shift, depth, contigs)

    def reaching(self, contig: int, position: int) -> int | None:
        """Find where to look for the first record that ends after a position.

        Args:
            contig: Number of the contig.
            position: 0-based position.

        Returns:
            A virtual offset at or before that record, at the beginning of a record. None: no such
            record.
        """
        bins = self.contigs[contig] if contig < len(self.contigs) else {}
        least = self._least(bins, position)
        starts = [
            max(start, least)
            for number, (_, chunks) in bins.items()
            if self._end(number) > position
            for start, end in chunks
            if end > least
        ]
        return min(starts, default=None)

    def _least(self, bins: dict[int, tuple[int, Chunks]], position: int) -> int:
        """Find the least offset of the nearest bin at or before a position, as htslib does."""
        first = first_bin(self.depth)
        number = first + min(position >> self.min_shift, (1 << 3 * self.depth) - 1)
        while number not in bins and number:
            first_sibling = ((number - 1) >> 3 << 3) + 1
            number = number - 1 if number > first_sibling else (number - 1) >> 3
        return bins[number][0] if number in bins else 0

    def _end(self, number: int) -> int:
        """Return the position behind the last one of a bin."""
        level = 0
        while level < self.depth and number >= first_bin(level + 1):
            level += 1
        size = 1 << (self.min_shift + 3 * (self.depth - level))
        return (number - first_bin(level) + 1) * size
