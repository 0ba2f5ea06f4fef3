"""BCF records in compiled code: how they are cut, and how typed values are read.

Numbers are little-endian. Every reader stays within its record: a damaged file gives a status
below 0, never a byte of something else.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

FIXED = 32  # bytes before a record's id, its two lengths among them
BAD = -1  # a record that is not one, or does not fit its header

Bytes = NDArray[np.uint8]


@numba.njit(cache=True, nogil=True)
def u8(data: Bytes, at: int) -> int:
    """A byte as a number without sign."""
    return int(np.int64(data[at]))


@numba.njit(cache=True, nogil=True)
def u32(data: Bytes, at: int) -> int:
    """Four bytes as a number without sign."""
    return u8(data, at) | u8(data, at + 1) << 8 | u8(data, at + 2) << 16 | u8(data, at + 3) << 24


@numba.njit(cache=True, nogil=True)
def width_of(kind: int) -> int:
    """Bytes of one element of a typed value."""
    if kind == 2:
        return 2
    if kind == 3 or kind == 5:
        return 4
    return 0 if kind == 0 else 1


@numba.njit(cache=True, nogil=True)
def number_at(data: Bytes, at: int, kind: int) -> int:
    """An integer of a kind (1, 2 or 3), with its sign."""
    if kind == 1:
        value = u8(data, at)
        return value - 256 if value >= 128 else value
    if kind == 2:
        value = u8(data, at) | u8(data, at + 1) << 8
        return value - 65536 if value >= 32768 else value
    value = u32(data, at)
    return value - (1 << 32) if value >= 1 << 31 else value


@numba.njit(cache=True, nogil=True)
def read_descriptor(data: Bytes, at: int, end: int) -> tuple[int, int, int]:
    """(kind, number of elements, place of the first) of the descriptor at a place; kind is BAD
    for one that reaches behind ``end``."""
    if at >= end:
        return BAD, 0, at
    kind, length, begin = u8(data, at) & 15, u8(data, at) >> 4, at + 1
    if length == 15:
        if begin >= end:
            return BAD, 0, at
        number = u8(data, begin) & 15
        begin += 1
        if not 1 <= number <= 3 or begin + width_of(number) > end:
            return BAD, 0, at
        length = number_at(data, begin, number)
        begin += width_of(number)
    if length < 0 or begin + length * width_of(kind) > end:
        return BAD, 0, at
    return kind, length, begin


@numba.njit(cache=True, nogil=True)
def read_vector(data: Bytes, at: int, end: int, samples: int) -> tuple[int, int, int, int]:
    """(key, kind, elements a sample, place of the first) of a FORMAT field; key is BAD for one
    that reaches behind ``end``."""
    kind, length, begin = read_descriptor(data, at, end)
    if not 1 <= kind <= 3 or length != 1:
        return BAD, 0, 0, at
    key = number_at(data, begin, kind)
    at = begin + width_of(kind)
    if at >= end:
        return BAD, 0, 0, at
    kind, length, begin = u8(data, at) & 15, u8(data, at) >> 4, at + 1
    if length == 15:
        kind_of_length, one, place = read_descriptor(data, begin, end)
        if not 1 <= kind_of_length <= 3 or one != 1:
            return BAD, 0, 0, at
        length = number_at(data, place, kind_of_length)
        begin = place + width_of(kind_of_length)
    if length < 0 or begin + length * width_of(kind) * samples > end:
        return BAD, 0, 0, at
    return key, kind, length, begin


@numba.njit(cache=True, nogil=True)
def record_end(data: Bytes, at: int) -> int:
    """Where the record at a place ends; BAD when it is too short to be one, or not all there."""
    if at + FIXED > data.size:
        return BAD
    shared = u32(data, at)
    end = at + 8 + shared + u32(data, at + 4)
    return BAD if shared < FIXED - 8 or end > data.size else end


@numba.njit(cache=True, nogil=True)
def renumber(data: Bytes, contig: int) -> int:
    """Give all whole records the contig's number, in place; returns where they end."""
    at = 0
    end = record_end(data, at)
    while end >= 0:
        for byte in range(4):
            data[at + 8 + byte] = contig >> 8 * byte & 255
        at = end
        end = record_end(data, at)
    return at
