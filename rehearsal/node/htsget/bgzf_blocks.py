"""Read BGZF from any offset. Only the blocks whose content is needed are decompressed."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

import isal.isal_zlib

from rehearsal.errors import InputError
from rehearsal.formats.bgzf import BLOCK_SIZE, END_OF_FILE, HEADER, pack_block

_RAW = -15  # window bits of raw deflate
HEAD, TAIL = len(HEADER) + 2, 8


class Cursor:
    """A position in a BGZF file, as a virtual offset: offset of the block << 16 | offset within it.

    Methods raise InputError when the file is not BGZF or a block is damaged.

    Args:
        file: The file.
        virtual: Virtual offset to start at.
    """

    def __init__(self, file: BinaryIO, virtual: int = 0) -> None:
        self._file = file
        self._within = virtual & 0xFFFF
        self._load(virtual >> 16)

    def tell(self) -> int:
        """Return the virtual offset.

        Returns:
            The offset, never the end of a block that another one follows.
        """
        self._settle()
        return self._block << 16 | self._within

    def at_end(self) -> bool:
        """Tell whether the end of the file is reached."""
        self._settle()
        return self._within >= self._length

    def read(self, size: int) -> bytes:
        """Read the next bytes.

        Args:
            size: Number of bytes.

        Returns:
            The bytes, fewer at the end of the file.
        """
        out = bytearray()
        while len(out) < size and not self.at_end():
            n = min(size - len(out), self._length - self._within)
            out += self._content()[self._within : self._within + n]
            self._within += n
        return bytes(out)

    def skip(self, size: int) -> None:
        """Move on without reading. Blocks that are skipped as a whole are not decompressed.

        Args:
            size: Number of bytes.
        """
        while size and not self.at_end():
            n = min(size, self._length - self._within)
            self._within += n
            size -= n

    def to_end_of_block(self) -> bytes:
        """Read the rest of this block and move to the next one.

        Returns:
            The bytes.
        """
        rest = self._content()[self._within :]
        self._within = self._length
        return rest

    def _settle(self) -> None:
        """Leave blocks that are read to their end, and empty ones."""
        while self._within >= self._length and self._size:
            self._within -= self._length
            self._load(self._block + self._size)

    def _load(self, block: int) -> None:
        self._block, self._data = block, b""
        self._file.seek(block)
        head = self._file.read(HEAD)
        if not head:
            self._size = self._length = 0
            return
        if len(head) < HEAD or head[: len(HEADER)] != HEADER:
            raise damaged_block(self._file, block)
        self._size = struct.unpack_from("<H", head, len(HEADER))[0] + 1
        self._file.seek(block + self._size - 4)
        length = self._file.read(4)
        if len(length) < 4 or self._size < HEAD + TAIL:
            raise damaged_block(self._file, block)
        self._length = struct.unpack("<I", length)[0]

    def _content(self) -> bytes:
        if not self._data and self._length:
            self._file.seek(self._block + HEAD)
            packed = self._file.read(self._size - HEAD)
            self._data = unpack_block(self._file, self._block, packed)
        return self._data


def unpack_block(file: BinaryIO, at: int, rest: bytes) -> bytes:
    """Decompress a block.

    Args:
        file: The file, for messages.
        at: Offset of the block, for messages.
        rest: The block without its header.

    Returns:
        The content.

    Raises:
        InputError: The block is damaged.
    """
    checksum, length = struct.unpack("<II", rest[-TAIL:])
    try:
        data = isal.isal_zlib.decompress(rest[:-TAIL], _RAW, max(length, 1))
    except isal.isal_zlib.error:  # type: ignore[misc]  # its stub calls a class an instance
        raise damaged_block(file, at) from None
    if len(data) != length or isal.isal_zlib.crc32(data) != checksum:
        raise damaged_block(file, at)
    return data


def damaged_block(file: BinaryIO, block: int) -> InputError:
    """Build the error for a block that is damaged or cut off.

    Args:
        file: The file.
        block: Offset of the block.

    Returns:
        The error, to be raised.
    """
    name = getattr(file, "name", "file")
    return InputError(name, f"byte {block}", "a whole BGZF block", "damaged or missing bytes")


def pack_blocks(data: bytes | bytearray) -> bytes:
    """Compress bytes to BGZF blocks, without the end-of-file marker.

    Args:
        data: The bytes.

    Returns:
        The blocks.
    """
    out = bytearray()
    view = memoryview(data)
    for start in range(0, len(view), BLOCK_SIZE):
        out += pack_block(view[start : start + BLOCK_SIZE])
    return bytes(out)


def end_of_blocks(file: BinaryIO) -> int:
    """Find the end of the data blocks.

    Args:
        file: The file.

    Returns:
        Offset of the end-of-file marker, or of the end of a file without one.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - len(END_OF_FILE)))
    return size - len(END_OF_FILE) if file.read() == END_OF_FILE else size
