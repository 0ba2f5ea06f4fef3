"""Lists of people as bytes: how a node's store keeps who carries a variant.

A list is empty bytes, or one byte that names the form and then a sorted list of 16-bit numbers, of
32-bit numbers, or a bitmap (least significant bit first, up to the last member). The shortest form
is taken, a list when even, so equal lists have equal bytes. Half of all variants have one carrier
(3 bytes); the common ones of a small country are bitmaps, where a roaring bitmap would cost up to
65,536 / people times more. :mod:`rehearsal.stores.carrier_bitmaps` reads them back.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from rehearsal.stores.carrier_bitmaps import BITS, LONG, SHORT


@numba.njit(cache=True)
def write_list(members: NDArray[np.int32], out: NDArray[np.uint8], w: int) -> int:
    """Write sorted members at ``out[w:]``, at most 1 + 4 bytes a member; returns the end."""
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
    """The bytes of a sorted list of distinct members in ``[0, 2**31)``."""
    numbers = np.ascontiguousarray(members, np.int32)
    out = np.empty(1 + 4 * numbers.size, np.uint8)
    return out[: write_list(numbers, out, 0)].tobytes()
