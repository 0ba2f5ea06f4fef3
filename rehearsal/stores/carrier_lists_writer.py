"""Write lists of people as the bytes that :mod:`rehearsal.stores.carrier_lists` describes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel
from rehearsal.stores.carrier_lists import BITS, LONG, SHORT


@kernel()
def write_list(members: NDArray[np.int32], out: NDArray[np.uint8], w: int) -> int:
    """Write a list into a buffer.

    Args:
        members: Numbers of people, distinct and ascending, shape (n,).
        out: The buffer. A list takes at most 1 + 4 bytes per member.
        w: Index of the list's first byte in the buffer.

    Returns:
        One past the list's last byte.
    """
    n = members.size
    if n == 0:
        return w
    last = members[n - 1]
    width = 2 if last < 65536 else 4
    if last // 8 + 1 < width * n:
        out[w] = BITS
        bits = out[w + 1 : w + 2 + last // 8]
        for i in range(bits.size):
            bits[i] = 0
        for m in members:
            bits[m >> 3] |= 1 << (m & 7)
        return w + 2 + last // 8
    out[w] = SHORT if width == 2 else LONG
    w += 1
    for m in members:
        for byte in range(width):
            out[w + byte] = (m >> (8 * byte)) & 255
        w += width
    return w


def encode(members: NDArray[np.integer]) -> bytes:
    """Encode a list as bytes.

    Args:
        members: Distinct numbers in ``[0, 2**31)``, ascending, shape (n,).

    Returns:
        The bytes.
    """
    numbers = np.ascontiguousarray(members, np.int32)
    out = np.empty(1 + 4 * numbers.size, np.uint8)
    return out[: write_list(numbers, out, 0)].tobytes()
