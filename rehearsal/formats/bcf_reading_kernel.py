"""Compiled code that splits BCF records and reads their typed values.

Numbers are little-endian. Every reader stays within its record: a damaged file gives a negative
status and never a byte from elsewhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import lean

FIXED = 32  # bytes before the id of a record, its two lengths included
BAD = -1  # a damaged record, or one that does not match its header
FULL = 1  # status of what writes records in another form: no room for the next one

Bytes = NDArray[np.uint8]


@lean()
def u8(data: Bytes, at: int) -> int:
    """Read an unsigned byte.

    Args:
        data: Bytes, shape (n,), uint8.
        at: Index of the byte.

    Returns:
        A number from 0 to 255.
    """
    return int(np.int64(data[at]))


@lean()
def u32(data: Bytes, at: int) -> int:
    """Read an unsigned number of four bytes.

    Args:
        data: Bytes, shape (n,), uint8.
        at: Index of the first byte.

    Returns:
        A number from 0 to 2**32 - 1.
    """
    return u8(data, at) | u8(data, at + 1) << 8 | u8(data, at + 2) << 16 | u8(data, at + 3) << 24


@lean()
def width_of(kind: int) -> int:
    """Return the size of one element of a typed value.

    Args:
        kind: Type code of BCF.

    Returns:
        Number of bytes.
    """
    if kind == 2:
        return 2
    if kind == 3 or kind == 5:
        return 4
    return 0 if kind == 0 else 1


@lean()
def number_at(data: Bytes, at: int, kind: int) -> int:
    """Read a signed integer.

    Args:
        data: Bytes, shape (n,), uint8.
        at: Index of the first byte.
        kind: Type code: 1, 2 or 3, for 8, 16 or 32 bits.

    Returns:
        The number.
    """
    if kind == 1:
        value = u8(data, at)
        return value - 256 if value >= 128 else value
    if kind == 2:
        value = u8(data, at) | u8(data, at + 1) << 8
        return value - 65536 if value >= 32768 else value
    value = u32(data, at)
    return value - (1 << 32) if value >= 1 << 31 else value


@lean()
def read_descriptor(data: Bytes, at: int, end: int) -> tuple[int, int, int]:
    """Read the type descriptor of a value.

    Args:
        data: Bytes, shape (n,), uint8.
        at: Index of the descriptor.
        end: Index behind the last byte that belongs to the record.

    Returns:
        Type code, number of elements, and index of the first element. The type code is BAD when the
        value reaches beyond ``end``.
    """
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


@lean()
def read_vector(data: Bytes, at: int, end: int, samples: int) -> tuple[int, int, int, int]:
    """Read the beginning of a FORMAT field.

    Args:
        data: Bytes, shape (n,), uint8.
        at: Index of the field.
        end: Index behind the last byte of the record.
        samples: Number of samples.

    Returns:
        Key, type code, elements per sample, and index of the first element. The key is BAD when the
        field reaches beyond ``end``.
    """
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


@lean(entry=True)
def record_end(data: Bytes, at: int) -> int:
    """Find the end of a record.

    Args:
        data: Bytes, shape (n,), uint8.
        at: Index of the record.

    Returns:
        Index behind the record; BAD when it is too short or cut off.
    """
    if at + FIXED > data.size:
        return BAD
    shared = u32(data, at)
    end = at + 8 + shared + u32(data, at + 4)
    return BAD if shared < FIXED - 8 or end > data.size else end


@lean(entry=True)
def renumber(data: Bytes, contig: int) -> int:
    """Set the contig number of all whole records, in place.

    Args:
        data: Records, shape (n,), uint8.
        contig: The new number.

    Returns:
        Index behind the last whole record.
    """
    at = 0
    end = record_end(data, at)
    while end >= 0:
        for byte in range(4):
            data[at + 8 + byte] = contig >> 8 * byte & 255
        at = end
        end = record_end(data, at)
    return at
