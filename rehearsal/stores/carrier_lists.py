"""Lists of people as bytes: how a node's store keeps who carries a variant.

A list is empty bytes, or one byte that names the form followed by a sorted list of 16-bit numbers,
of 32-bit numbers, or a bitmap (least significant bit first, up to the last member). The shortest
form is used, a list if sizes are equal, so equal lists have equal bytes. Half of all variants have
one carrier (3 bytes). The common ones of a small country are bitmaps, where a roaring bitmap would
take up to 65,536 / people times more.

:mod:`rehearsal.stores.carrier_lists_writer` writes them with compiled code that a node does not
need. This module reads them, as roaring bitmaps.
"""

from __future__ import annotations

import struct
from array import array

import numpy as np
from pyroaring import BitMap

from rehearsal.errors import mismatch, shown

SHORT, LONG, BITS = 1, 2, 3  # the forms: 16-bit numbers, 32-bit numbers, bitmap

_CONTAINER = 8192  # bytes of a bitmap container of a roaring bitmap: 65,536 members
_LONGEST_ARRAY = 4096  # a container with more members is a bitmap
_SHORT_BITS = 128  # bytes; up to this size plain Python is faster than seven calls of NumPy
_IN_BYTE = [[bit for bit in range(8) if byte >> bit & 1] for byte in range(256)]
_NO_RUNS = 12346  # cookie of the portable roaring format without run containers
# head of the portable format before one container: cookie, 1, key, members - 1, where it begins
_ONE_LIST = struct.Struct("<IIHHI")


def decode(data: bytes) -> BitMap:
    """Read a list.

    Args:
        data: The bytes of one list.

    Returns:
        The numbers of its members.

    Raises:
        ValueError: The bytes are not in a form that ``encode`` writes.
    """
    if not data:
        return BitMap()
    form, body = data[0], data[1:]
    if form == SHORT:
        return BitMap.deserialize(_ONE_LIST.pack(_NO_RUNS, 1, 0, len(body) // 2 - 1, 16) + body)
    if form == LONG:
        return BitMap(array("I", body))
    if form == BITS and len(body) <= _SHORT_BITS:
        return BitMap([8 * i + bit for i, byte in enumerate(body) for bit in _IN_BYTE[byte]])
    if form == BITS:
        return _roaring(_containers(body))
    raise ValueError(mismatch("list of carriers", "a first byte from 1 to 3", shown(form)))


def _containers(bits: bytes) -> list[tuple[int, int, bytes]]:
    """Cut a bitmap into roaring containers: key, number of members and bytes of each."""
    containers = []
    for key, start in enumerate(range(0, len(bits), _CONTAINER)):
        piece = np.frombuffer(bits, np.uint8, min(_CONTAINER, len(bits) - start), start)
        members = int(np.bitwise_count(piece).sum())
        if members > _LONGEST_ARRAY:
            containers.append((key, members, piece.tobytes().ljust(_CONTAINER, b"\0")))
        elif members:
            where = np.flatnonzero(np.unpackbits(piece, bitorder="little"))
            containers.append((key, members, where.astype("<u2").tobytes()))
    return containers


def _roaring(containers: list[tuple[int, int, bytes]]) -> BitMap:
    """Build a roaring bitmap from its portable format.

    The format is specified at github.com/RoaringBitmap/RoaringFormatSpec.
    """
    head = struct.pack("<II", _NO_RUNS, len(containers))
    head += b"".join(struct.pack("<HH", key, members - 1) for key, members, _ in containers)
    start = len(head) + 4 * len(containers)
    for _, _, body in containers:
        head += struct.pack("<I", start)
        start += len(body)
    return BitMap.deserialize(head + b"".join(body for _, _, body in containers))
