"""The checksum of an SQLite file: CRC-32 of all other bytes, in the header field ``user_version``.

SQLite itself notices damage only where it breaks its own structure; a bit that flips in a count
or in a list of carriers would be answered with. The checksum is compared when a node opens its
stores: whatever is damaged is refused before the first answer. It guards against accidents, not
against somebody who would write a new checksum for what they changed.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

import isal.isal_zlib

from rehearsal.errors import InputError

CHECKSUM_AT = 60  # user_version, which SQLite leaves to the application
_PAGE_SIZE_AT, _PAGES_AT, _HEADER_SIZE = 16, 28, 100
_MAGIC = b"SQLite format 3\0"


def write_checksum(path: Path) -> None:
    """Write its checksum into a finished file that nobody has open."""
    checksum = file_checksum(path)
    with path.open("r+b") as file:
        file.seek(CHECKSUM_AT)
        file.write(struct.pack(">I", checksum))


def check_complete(path: Path, what: str) -> bytes:
    """Raises InputError for a file that is missing, no SQLite or cut short; gives its header.

    ``what``: what it should be, for the message. Reads 100 bytes.
    """
    if not path.is_file():
        raise InputError(path, "file", f"{what}, but there is none")
    with path.open("rb") as file:
        head = file.read(_HEADER_SIZE)
    if len(head) < _HEADER_SIZE or not head.startswith(_MAGIC):
        raise InputError(path, "file", f"{what}, but it is no SQLite file or an empty one")
    (page_size,) = struct.unpack_from(">H", head, _PAGE_SIZE_AT)
    (pages,) = struct.unpack_from(">I", head, _PAGES_AT)
    expected, found = (65536 if page_size == 1 else page_size) * pages, path.stat().st_size
    if found != expected:
        raise InputError(path, "size", f"{expected} bytes, but it has {found}: it is truncated")
    return head


def verify_checksum(path: Path) -> None:
    """Raises InputError when the file is not the one that its checksum was written for.

    Reads the whole file: 0.3 ms a megabyte that is in memory.
    """
    with path.open("rb") as file:
        file.seek(CHECKSUM_AT)
        (written,) = struct.unpack(">I", file.read(4))
    if file_checksum(path) != written:
        raise InputError(path, "checksum", "the one it was built with: the file is damaged")


def file_checksum(path: Path) -> int:
    """CRC-32 of the file without the field that holds it."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        view = memoryview(data)
        with view[:CHECKSUM_AT] as head, view[CHECKSUM_AT + 4 :] as rest:
            checksum = isal.isal_zlib.crc32(rest, isal.isal_zlib.crc32(head))
        view.release()
        return checksum
