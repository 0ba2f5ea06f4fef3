"""Compiled code that writes typed values of BCF 2.2 (VCF 4.3 specification, section 6.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import lean

INT8, INT16, INT32, FLOAT, CHAR = 1, 2, 3, 5, 7  # codes of types
MISSING_FLOAT = 0x7F800001

# Signatures are stated here, or numba compiles these functions once for each constant in a call.


@lean("int64(int64, int64, uint8[::1], int64)")
def put(value: int, width: int, out: NDArray[np.uint8], w: int) -> int:
    """Write a little-endian number.

    Args:
        value: The number.
        width: Its bytes.
        out: The buffer.
        w: Where to write.

    Returns:
        The end of what was written.
    """
    for byte in range(width):
        out[w + byte] = (value >> (8 * byte)) & 255
    return w + width


@lean("int64(int64, int64, uint8[::1], int64)")
def put_type(length: int, kind: int, out: NDArray[np.uint8], w: int) -> int:
    """Write the descriptor of a typed vector. Lengths from 15 on follow as a typed number.

    Args:
        length: Number of elements.
        kind: Code of their type.
        out: The buffer.
        w: Where to write.

    Returns:
        The end of what was written.
    """
    if length < 15:
        return put(length << 4 | kind, 1, out, w)
    w = put(15 << 4 | kind, 1, out, w)
    if length <= 0x7F:
        w = put(1 << 4 | INT8, 1, out, w)
        return put(length, 1, out, w)
    if length <= 0x7FFF:
        w = put(1 << 4 | INT16, 1, out, w)
        return put(length, 2, out, w)
    w = put(1 << 4 | INT32, 1, out, w)
    return put(length, 4, out, w)


@lean("int64(int64, uint8[::1], int64)")
def put_key(key: int, out: NDArray[np.uint8], w: int) -> int:
    """Write the key before the values of an INFO or FORMAT field.

    Args:
        key: Index of the field in the header, below 128.
        out: The buffer.
        w: Where to write.

    Returns:
        The end of what was written.
    """
    w = put_type(1, INT8, out, w)
    return put(key, 1, out, w)


@lean("int64(int64, int64[:], uint8[::1], int64)")
def put_info(key: int, values: NDArray[np.int64], out: NDArray[np.uint8], w: int) -> int:
    """Write one INFO field of counts in the narrowest integers that hold them.

    Args:
        key: Index of the field in the header.
        values: The counts.
        out: The buffer.
        w: Where to write.

    Returns:
        The end of what was written.
    """
    w = put_key(key, out, w)
    largest = 0
    for value in values:
        largest = max(largest, value)
    if largest <= 0x7F:
        kind, width = INT8, 1
    elif largest <= 0x7FFF:
        kind, width = INT16, 2
    else:
        kind, width = INT32, 4
    w = put_type(values.size, kind, out, w)
    for value in values:
        w = put(value, width, out, w)
    return w


@lean()
def put_frequencies(
    key: int, counts: NDArray[np.int64], an: int, out: NDArray[np.uint8], w: int
) -> int:
    """Write the INFO field of counts over ``an``, missing where no alleles are called.

    Args:
        key: Index of the field in the header.
        counts: Copies of each allele.
        an: Alleles called.
        out: The buffer.
        w: Where to write.

    Returns:
        The end of what was written.
    """
    w = put_key(key, out, w)
    w = put_type(counts.size, FLOAT, out, w)
    for count in counts:
        bits = int(np.int64(np.float32(count / max(an, 1)).view(np.uint32)))
        w = put(bits if an else MISSING_FLOAT, 4, out, w)
    return w


@lean("int64(int64, int64[:], uint8[::1], int64)")
def put_signed(key: int, values: NDArray[np.int64], out: NDArray[np.uint8], w: int) -> int:
    """Write one INFO field of whole numbers, each in four bytes.

    Args:
        key: Index of the field in the header.
        values: The numbers.
        out: The buffer.
        w: Where to write.

    Returns:
        The end of what was written.
    """
    w = put_key(key, out, w)
    w = put_type(values.size, INT32, out, w)
    for value in values:
        w = put(value, 4, out, w)
    return w
