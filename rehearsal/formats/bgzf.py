"""BGZF, the blocked gzip of BCF and VCF, written through ISA-L.

The format: SAM/BAM specification, section 4.1. Headers hold no time stamp and blocks are cut by
length alone. Still, equal input need not give equal bytes: in about one of a thousand blocks a byte
of ISA-L's output depends on what was in its memory before. Compare the content of such files, not
the files.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import isal.igzip_lib
import isal.isal_zlib
import numpy as np
from numpy.typing import NDArray

BLOCK_SIZE = 65280  # uncompressed bytes per block, as in htslib
LEVEL = 1
HEADER = bytes.fromhex("1f8b08040000000000ff060042430200")
Chunk = bytes | bytearray | memoryview
END_OF_FILE = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def pack_block(data: Chunk) -> bytes:
    """Compress data to one BGZF block (SAM specification, section 4.1).

    Args:
        data: At most ``BLOCK_SIZE`` bytes.

    Returns:
        The block.
    """
    packed = isal.igzip_lib.compress(data, LEVEL, isal.igzip_lib.COMP_DEFLATE)
    if len(packed) > len(data):  # a stored block, so that the size fits into 16 bits
        packed = struct.pack("<BHH", 1, len(data), len(data) ^ 0xFFFF) + bytes(data)
    return framed(packed, data)


def pack_tightly(data: bytes) -> bytes:
    """Compress data to one BGZF block as small as zlib can, for a block that is written often.

    Args:
        data: At most ``BLOCK_SIZE`` bytes, which zlib makes smaller.

    Returns:
        The block.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return framed(packer.compress(data) + packer.flush(), data)


def framed(packed: bytes, data: Chunk) -> bytes:
    """Put the header and the check sum of a block around its compressed data.

    Args:
        packed: A DEFLATE stream of at most 65,510 bytes.
        data: What it is of.

    Returns:
        The block.
    """
    size = struct.pack("<H", len(HEADER) + 2 + len(packed) + 8 - 1)
    return HEADER + size + packed + struct.pack("<II", isal.isal_zlib.crc32(data), len(data))


class BgzfWriter:
    """A binary file, compressed block by block. Use it as a context manager.

    The end-of-file mark is written only when the ``with`` block ends well, so that readers notice
    that an interrupted file is not complete.

    Args:
        path: The file to write.
        pack: What compresses at most ``BLOCK_SIZE`` bytes to one block.
    """

    def __init__(self, path: Path | str, pack: Callable[[Chunk], bytes] = pack_block) -> None:
        self._pack = pack
        self._file = Path(path).open("wb", buffering=1 << 20)  # noqa: SIM115 (closed in __exit__)
        self._rest = bytearray()
        self._blocks = [0]  # first byte of each block in the file
        self.length = 0  # uncompressed bytes written so far

    def __enter__(self) -> BgzfWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            if kind is None:
                if self._rest:
                    self._write_block(self._rest)
                self._file.write(END_OF_FILE)

    def write(self, data: bytes | memoryview) -> None:
        """Append data. A block is compressed as soon as it is full.

        Args:
            data: Uncompressed bytes.
        """
        view = memoryview(data).cast("B")
        self.length += len(view)
        start = 0
        if self._rest:
            start = min(BLOCK_SIZE - len(self._rest), len(view))
            self._rest += view[:start]
            if len(self._rest) < BLOCK_SIZE:
                return
            self._write_block(self._rest)
            self._rest = bytearray()
        while len(view) - start >= BLOCK_SIZE:
            self._write_block(view[start : start + BLOCK_SIZE])
            start += BLOCK_SIZE
        self._rest += view[start:]

    @property
    def room(self) -> int:
        """The number of bytes that the current block still takes, ``BLOCK_SIZE`` if it is empty."""
        return BLOCK_SIZE - len(self._rest)

    @property
    def block_starts(self) -> list[int]:
        """The first byte of each block in the file, and the end of the last one."""
        return self._blocks

    def write_packed(self, block: bytes) -> None:
        """Append a whole block. The current block must be empty.

        Args:
            block: What ``pack_block`` made of ``BLOCK_SIZE`` bytes.
        """
        self.length += BLOCK_SIZE
        self._append(block)

    def virtual_offsets(self, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Compute virtual file offsets. Call it after the file is closed.

        All blocks but the last are full, so an offset determines its block.

        Args:
            offsets: Offsets in the uncompressed data, any shape.

        Returns:
            Virtual file offsets, same shape.
        """
        block, within = np.divmod(offsets, BLOCK_SIZE)
        return np.array(self._blocks, np.int64)[block] << 16 | within

    def _write_block(self, data: Chunk) -> None:
        self._append(self._pack(data))

    def _append(self, block: bytes) -> None:
        self._file.write(block)
        self._blocks.append(self._blocks[-1] + len(block))
