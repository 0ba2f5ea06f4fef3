"""BGZF, read from any place: only the blocks that are looked into are decompressed."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

import isal.isal_zlib

from rehearsal.errors import InputError
from rehearsal.formats.bgzf import BLOCK_SIZE, END_OF_FILE, HEADER, pack_block

_RAW = -15  # window bits: deflate without a wrapper
HEAD, TAIL = len(HEADER) + 2, 8


class Cursor:
    """A place in a BGZF file, told as a virtual offset: block's place << 16 | place within it.

    Raises InputError for what is not BGZF and for damaged blocks.
    """

    def __init__(self, file: BinaryIO, virtual: int = 0) -> None:
        self._file = file
        self._within = virtual & 0xFFFF
        self._load(virtual >> 16)

    def tell(self) -> int:
        """The virtual offset; never the end of a block that another one follows."""
        self._settle()
        return self._block << 16 | self._within

    def at_end(self) -> bool:
        """Whether no byte follows."""
        self._settle()
        return self._within >= self._length

    def read(self, size: int) -> bytes:
        """The next bytes, fewer at the end of the file."""
        out = bytearray()
        while len(out) < size and not self.at_end():
            n = min(size - len(out), self._length - self._within)
            out += self._content()[self._within : self._within + n]
            self._within += n
        return bytes(out)

    def skip(self, size: int) -> None:
        """Pass over bytes; blocks that are passed whole are not decompressed."""
        while size and not self.at_end():
            n = min(size, self._length - self._within)
            self._within += n
            size -= n

    def to_end_of_block(self) -> bytes:
        """What is left of this block; the cursor moves to the next one."""
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
    """The content of a block by what follows its head. Raises InputError for a damaged one."""
    checksum, length = struct.unpack("<II", rest[-TAIL:])
    try:
        data = isal.isal_zlib.decompress(rest[:-TAIL], _RAW, max(length, 1))
    except isal.isal_zlib.error:  # type: ignore[misc]  # its stub calls a class an instance
        raise damaged_block(file, at) from None
    if len(data) != length or isal.isal_zlib.crc32(data) != checksum:
        raise damaged_block(file, at)
    return data


def damaged_block(file: BinaryIO, block: int) -> InputError:
    """What is raised where a block of the file is not whole."""
    name = getattr(file, "name", "file")
    return InputError(name, f"byte {block}", "a whole BGZF block")


def pack_blocks(data: bytes | bytearray) -> bytes:
    """The bytes as BGZF blocks, without the mark of the end of a file."""
    out = bytearray()
    view = memoryview(data)
    for start in range(0, len(view), BLOCK_SIZE):
        out += pack_block(view[start : start + BLOCK_SIZE])
    return bytes(out)


def end_of_blocks(file: BinaryIO) -> int:
    """Where the mark of the end begins, or the file ends that has none."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - len(END_OF_FILE)))
    return size - len(END_OF_FILE) if file.read() == END_OF_FILE else size
