"""Compiled code that writes the numbers of BCF as htslib does: floats with up to six digits.

From 0.0001 to 999999 htslib multiplies by a power of ten and rounds (``kputd`` in its kstring.c),
and leaves other numbers to C. Here too they are multiplied or divided by a power of ten, of which
all up to 10**22 are exact in binary. A number so near to the middle of two texts that this could
round it in another way than C, and an infinite one, are left to htslib.
"""

from __future__ import annotations

import math

import numpy as np

from rehearsal.compiled_code import lean
from rehearsal.formats.bcf_reading_kernel import BAD, Bytes, number_at, u32, width_of

NOT_OURS = BAD - 1  # what needs htslib
MISSING, END_OF_VECTOR = 0x7F800001, 0x7F800002
_POWERS = np.array([10.0**power for power in range(23)])
_STEPS = np.array([0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0, 100000.0])
_SIX_DIGITS = 1_000_000
_NEAR_THE_MIDDLE = 1e-6
SMALLEST = (0, -(1 << 7), -(1 << 15), -(1 << 31))  # by kind: missing value; plus 1: end of vector
_ZERO, _MINUS, _DOT, _PLUS, _E, _COMMA = b"0-.+e,"


@lean(entry=True)
def write_float(bits: int, out: Bytes, w: int) -> int:
    """Write a float.

    Args:
        bits: Its 32 bits.
        out: Output buffer, shape (m,), uint8.
        w: Index of the next byte; up to 13 are written.

    Returns:
        Index behind the last byte, or NOT_OURS.
    """
    exponent, fraction = bits >> 23 & 0xFF, bits & 0x7FFFFF
    if exponent == 0xFF:
        return NOT_OURS
    if bits >> 31:
        out[w] = _MINUS
        w += 1
    if exponent == 0 and fraction == 0:
        out[w] = _ZERO
        return w + 1
    if exponent == 0:
        value = math.ldexp(float(fraction), -149)
    else:
        value = math.ldexp(float(fraction | 1 << 23), exponent - 150)
    digits, power = _six_digits(value)
    if digits < 0:
        return NOT_OURS
    if -5 < power < 6:
        return _plain(digits, power, out, w)
    return _scientific(digits, power, out, w)


@lean()
def _six_digits(value: float) -> tuple[int, int]:
    """Round a number to six digits, and find the power of ten of the first one."""
    if 0.0001 <= value <= 999999:
        power = -4
        while power < 5 and value >= _STEPS[power + 4]:
            power += 1
        digits = int(np.rint(value * _POWERS[5 - power]))
    else:
        power = math.floor(math.log10(value))
        shift = 5 - power
        if abs(shift) > 22:
            return NOT_OURS, 0
        scaled = value * _POWERS[shift] if shift > 0 else value / _POWERS[-shift]
        digits = int(np.rint(scaled))
        if abs(scaled - math.floor(scaled) - 0.5) < _NEAR_THE_MIDDLE:
            return NOT_OURS, 0
    if digits < _SIX_DIGITS // 10:  # the logarithm was rounded up
        return NOT_OURS, 0
    if digits >= _SIX_DIGITS:
        return digits // 10, power + 1
    return digits, power


@lean()
def _digits(digits: int, count: int, dot: int, out: Bytes, w: int) -> int:
    """Write the first of six digits, with a dot before one of them."""
    unit = _SIX_DIGITS // 10
    for place in range(count):
        if place == dot:
            out[w] = _DOT
            w += 1
        out[w] = _ZERO + digits // unit % 10
        unit //= 10
        w += 1
    return w


@lean()
def _significant(digits: int) -> int:
    """Count digits without zeros at the end."""
    count = 6
    while count > 1 and digits % 10 == 0:
        digits //= 10
        count -= 1
    return count


@lean()
def _plain(digits: int, power: int, out: Bytes, w: int) -> int:
    """Write ``123.456`` or ``0.00123456``."""
    count = _significant(digits)
    if power < 0:
        out[w], out[w + 1] = _ZERO, _DOT
        w += 2
        for _ in range(-power - 1):
            out[w] = _ZERO
            w += 1
        return _digits(digits, count, -1, out, w)
    return _digits(digits, max(count, power + 1), power + 1, out, w)


@lean()
def _scientific(digits: int, power: int, out: Bytes, w: int) -> int:
    """Write ``1.23456e-05``."""
    w = _digits(digits, _significant(digits), 1, out, w)
    out[w], out[w + 1] = _E, _MINUS if power < 0 else _PLUS
    power = abs(power)
    out[w + 2], out[w + 3] = _ZERO + power // 10, _ZERO + power % 10
    return w + 4


@lean()
def write_number(value: int, out: Bytes, w: int) -> int:
    """Write an integer.

    Args:
        value: The number.
        out: Output buffer, shape (m,), uint8.
        w: Index of the next byte.

    Returns:
        Index behind the last byte.
    """
    if value < 0:
        out[w] = _MINUS
        value, w = -value, w + 1
    digits, rest = 1, value // 10
    while rest:
        digits, rest = digits + 1, rest // 10
    for i in range(digits - 1, -1, -1):
        out[w + i] = _ZERO + value % 10
        value //= 10
    return w + digits


@lean()
def write_float_or_dot(bits: int, out: Bytes, w: int) -> int:
    """Write a float, a dot for a missing one.

    Args:
        bits: Its 32 bits.
        out: Output buffer, shape (m,), uint8.
        w: Index of the next byte.

    Returns:
        Index behind the last byte, or NOT_OURS.
    """
    if bits == MISSING:
        out[w] = _DOT
        return w + 1
    return write_float(bits, out, w)


@lean()
def write_floats(data: Bytes, begin: int, end: int, out: Bytes, w: int) -> int:
    """Write the floats of a vector up to its end, with commas, and dots for missing ones.

    Args:
        data: Bytes, shape (n,), uint8.
        begin: Index of the first byte.
        end: Index behind the last one.
        out: Output buffer, shape (m,), uint8.
        w: Index of the next byte.

    Returns:
        Index behind the last byte, or NOT_OURS.
    """
    for at in range(begin, end, 4):
        bits = u32(data, at)
        if bits == END_OF_VECTOR:
            break
        if at > begin:
            out[w] = _COMMA
            w += 1
        w = write_float_or_dot(bits, out, w)
        if w < 0:
            return w
    return w


@lean()
def write_values(data: Bytes, begin: int, end: int, kind: int, out: Bytes, w: int) -> int:
    """Write the integers of a vector up to its end, with commas, and dots for missing ones.

    Args:
        data: Bytes, shape (n,), uint8.
        begin: Index of the first byte.
        end: Index behind the last one.
        kind: Type code: 1, 2 or 3.
        out: Output buffer, shape (m,), uint8.
        w: Index of the next byte.

    Returns:
        Index behind the last byte.
    """
    size = width_of(kind)
    for at in range(begin, end, size):
        value = number_at(data, at, kind)
        if value == SMALLEST[kind] + 1:
            break
        if at > begin:
            out[w] = _COMMA
            w += 1
        if value == SMALLEST[kind]:
            out[w] = _DOT
            w += 1
        else:
            w = write_number(value, out, w)
    return w
