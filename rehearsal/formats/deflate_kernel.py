"""Compiled code that writes literals and matches as one DEFLATE block (RFC 1951, section 3.2.7).

The codes are made for the block: Huffman's algorithm, with lengths beyond the limit shortened so
that the sum of Kraft stays 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part

MAX_MATCH = 258  # bytes
MAX_DISTANCE = 32768  # bytes

_END = 256  # the symbol behind the last byte
_FIRST_LENGTH = 257  # symbol of the shortest matches
_SYMBOL_BITS = 9
_MAX_CODE = 15  # bits of a code of literals, lengths or distances
_MAX_HEADER_CODE = 7  # bits of a code of code lengths
# RFC 1951, 3.2.5: lengths and distances in ranges, each with extra bits
_EXTRA_OF_LENGTH = np.array([0] * 8 + [n for n in range(1, 6) for _ in range(4)] + [0])
_LENGTH = np.append(3 + np.cumsum(np.append(0, 1 << _EXTRA_OF_LENGTH[:-2])), MAX_MATCH)
EXTRA_OF_DISTANCE = np.array([0, 0] + [n for n in range(14) for _ in range(2)])
_DISTANCE = 1 + np.cumsum(np.append(0, 1 << EXTRA_OF_DISTANCE[:-1]))
_LENGTH_RANGE = np.searchsorted(_LENGTH, np.arange(MAX_MATCH + 1), side="right") - 1
# of one byte each, so that the table stays in the cache
DISTANCE_RANGE = np.zeros(MAX_DISTANCE + 1, np.uint8)
DISTANCE_RANGE[1:] = np.searchsorted(_DISTANCE, np.arange(1, MAX_DISTANCE + 1), side="right") - 1
# RFC 1951, 3.2.7: the order in which the header lists the lengths of codes of code lengths
_HEADER_ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
_REPEAT, _ZEROS, _MANY_ZEROS = 16, 17, 18

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]


class Tokens(NamedTuple):
    """Literals and matches, in the order of the text."""

    length: NDArray[np.int32]  # (n,) bytes of a match, from 3 to 258; 0: a literal
    value: NDArray[np.int32]  # (n,) distance of a match in bytes, from 1 to 32768; or the literal


@part
def _code_lengths(frequency: Numbers, most: int) -> Numbers:
    """Return the bits of each symbol's code, 0 for symbols that do not occur."""
    lengths = np.zeros(frequency.size, np.int64)
    used = np.flatnonzero(frequency)
    n = used.size
    if n < 2:
        lengths[used] = 1
        return lengths
    # by frequency, then by symbol
    order = np.sort(frequency[used] << _SYMBOL_BITS | used) & ((1 << _SYMBOL_BITS) - 1)
    count = _limited(_count_by_depth(frequency[order], most), most)
    place = 0
    for bits in range(most, 0, -1):
        for _ in range(count[bits]):
            lengths[order[place]] = bits
            place += 1
    return lengths


@part
def _count_by_depth(frequency: Numbers, most: int) -> Numbers:
    """Count the leaves of Huffman's tree by depth; deeper ones count as of the largest depth."""
    n = frequency.size
    weight, parent = np.zeros(2 * n - 1, np.int64), np.zeros(2 * n - 1, np.int64)
    weight[:n] = frequency
    leaf, inner = 0, n
    for node in range(n, 2 * n - 1):
        for _ in range(2):
            if leaf < n and (inner >= node or weight[leaf] <= weight[inner]):
                child, leaf = leaf, leaf + 1
            else:
                child, inner = inner, inner + 1
            parent[child] = node
            weight[node] += weight[child]
    depth, count = np.zeros(2 * n - 1, np.int64), np.zeros(most + 1, np.int64)
    for node in range(2 * n - 3, -1, -1):
        depth[node] = depth[parent[node]] + 1
        if node < n:
            count[min(depth[node], most)] += 1
    return count


@part
def _limited(count: Numbers, most: int) -> Numbers:
    """Lengthen the fewest codes that make room for those that were too long."""
    excess = -(1 << most)
    for bits in range(1, most + 1):
        excess += count[bits] << (most - bits)
    for _ in range(excess):
        bits = most - 1
        while count[bits] == 0:
            bits -= 1
        count[most] -= 1
        count[bits] -= 1
        count[bits + 1] += 2
    return count


@part
def _codes(lengths: Numbers) -> Numbers:
    """Number the codes (RFC 1951, 3.2.2), with the bits in the order in which they are written."""
    following = np.zeros(_MAX_CODE + 2, np.int64)
    for bits in lengths:
        following[bits + 1] += 1
    following[1] = 0
    for bits in range(1, _MAX_CODE + 1):
        following[bits + 1] = (following[bits] + following[bits + 1]) << 1
    codes = np.zeros(lengths.size, np.int64)
    for symbol in range(lengths.size):
        code, following[lengths[symbol]] = (
            following[lengths[symbol]],
            following[lengths[symbol]] + 1,
        )
        for _ in range(lengths[symbol]):
            codes[symbol] = codes[symbol] << 1 | code & 1
            code >>= 1
    return codes


@part
def _used(lengths: Numbers, least: int) -> int:
    n = lengths.size
    while n > least and lengths[n - 1] == 0:
        n -= 1
    return n


@part
def _runs(lengths: Numbers) -> tuple[Numbers, Numbers]:
    """Shorten a list of code lengths: symbols of the header, and how much each repeats."""
    symbol, repeats = np.zeros(lengths.size, np.int64), np.zeros(lengths.size, np.int64)
    n = first = 0
    while first < lengths.size:
        value, left = lengths[first], 1
        while first + left < lengths.size and lengths[first + left] == value:
            left += 1
        first += left
        if value:
            symbol[n], n, left = value, n + 1, left - 1
        while left:
            if left < 3:
                symbol[n], taken = value, 1
            elif value:
                taken = min(left, 6)
                symbol[n], repeats[n] = _REPEAT, taken - 3
            elif left < 11:
                symbol[n], repeats[n], taken = _ZEROS, left - 3, left
            else:
                taken = min(left, 138)
                symbol[n], repeats[n] = _MANY_ZEROS, taken - 11
            n, left = n + 1, left - taken
    return symbol[:n], repeats[:n]


@part
def _put(value: int, bits: int, out: Bytes, at: int) -> int:
    """Write bits from bit ``at`` on; the bytes behind are zero."""
    while bits > 0:
        free = 8 - (at & 7)
        out[at >> 3] |= np.uint8(value << (at & 7) & 255)
        value >>= free
        at += min(bits, free)
        bits -= free
    return at


@part
def _put_header(literal_bits: Numbers, distance_bits: Numbers, out: Bytes) -> int:
    """Write that the block is the last one and has codes of its own, and their lengths."""
    literals, distances = _used(literal_bits, _FIRST_LENGTH), _used(distance_bits, 1)
    symbol, repeats = _runs(np.concatenate((literal_bits[:literals], distance_bits[:distances])))
    bits = _code_lengths(np.bincount(symbol, minlength=19), _MAX_HEADER_CODE)
    codes = _codes(bits)
    listed = _used(bits[_HEADER_ORDER], 4)
    at = _put(1 | 2 << 1, 3, out, 0)
    at = _put(literals - _FIRST_LENGTH, 5, out, at)
    at = _put(distances - 1, 5, out, at)
    at = _put(listed - 4, 4, out, at)
    for place in range(listed):
        at = _put(bits[_HEADER_ORDER[place]], 3, out, at)
    for i in range(symbol.size):
        at = _put(codes[symbol[i]], bits[symbol[i]], out, at)
        if symbol[i] >= _REPEAT:
            at = _put(repeats[i], (2, 3, 7)[symbol[i] - _REPEAT], out, at)
    return at


@part
def _frequencies(tokens: Tokens, n: int) -> tuple[Numbers, Numbers]:
    literal, distance = np.zeros(286, np.int64), np.zeros(30, np.int64)
    for i in range(n):
        if tokens.length[i]:
            literal[_FIRST_LENGTH + _LENGTH_RANGE[tokens.length[i]]] += 1
            distance[DISTANCE_RANGE[tokens.value[i]]] += 1
        else:
            literal[tokens.value[i]] += 1
    literal[_END] = 1
    return literal, distance


@kernel(nogil=True)
def write_block(tokens: Tokens, n: int, out: Bytes) -> int:
    """Write tokens as the only block of a DEFLATE stream.

    Args:
        tokens: Literals and matches, at most 65,536.
        n: Number of tokens.
        out: Output buffer, shape (m,), uint8. A token takes up to 6 bytes, the header 400.

    Returns:
        Number of bytes written.
    """
    literal, distance = _frequencies(tokens, n)
    bits, distance_bits = _code_lengths(literal, _MAX_CODE), _code_lengths(distance, _MAX_CODE)
    codes, distance_codes = _codes(bits), _codes(distance_bits)
    out[:512] = 0
    at = _put_header(bits, distance_bits, out)
    words = out[: out.size & ~7].view(np.uint64)  # of little-endian bytes
    w, held = at >> 6, at & 63
    waiting = words[w]  # the bits behind the last whole word, and how many
    for i in range(n):
        length, value = tokens.length[i], tokens.value[i]
        if length == 0:
            entry, size = codes[value], bits[value]
        else:
            which = _LENGTH_RANGE[length]
            entry, size = codes[_FIRST_LENGTH + which], bits[_FIRST_LENGTH + which]
            entry |= (length - _LENGTH[which]) << size
            size += _EXTRA_OF_LENGTH[which]
            which = DISTANCE_RANGE[value]
            entry |= distance_codes[which] << size
            size += distance_bits[which]
            entry |= (value - _DISTANCE[which]) << size
            size += EXTRA_OF_DISTANCE[which]
        waiting |= np.uint64(entry) << np.uint64(held)
        held += size
        if held >= 64:
            words[w] = waiting
            w, held = w + 1, held - 64
            waiting = np.uint64(entry) >> np.uint64(size - held)  # what did not fit
    words[w] = waiting
    out[8 * w + 8 : 8 * w + 16] = 0
    return (_put(codes[_END], bits[_END], out, 64 * w + held) + 7) // 8
