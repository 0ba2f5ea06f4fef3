"""Compiled code that writes of BCF records, as lines of VCF, what the intake reads.

These are CHROM, POS, REF, ALT, whether FILTER is passed, END and SVLEN of INFO, and GT.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part
from rehearsal.formats.bcf_reading_kernel import (
    BAD,
    FIXED,
    FULL,
    Bytes,
    number_at,
    read_descriptor,
    read_vector,
    record_end,
    u32,
    width_of,
)
from rehearsal.formats.vcf_numbers_kernel import SMALLEST, write_number

_TAB, _DOT, _COMMA, _SEMICOLON, _BAR, _SLASH, _NEWLINE, _ZERO = b"\t.,;|/\n0"
_LETTERS = 7  # type code
_PASS, _FAIL = (np.frombuffer(text, np.uint8) for text in (b"PASS", b"FAIL"))
_END, _SVLEN = (np.frombuffer(text, np.uint8) for text in (b"END=", b"SVLEN="))
_GT = np.frombuffer(b"GT\t", np.uint8)


class Keys(NamedTuple):
    """What the numbers in records stand for.

    Args:
        contigs: Names of contigs, one after the other.
        offset: The name of contig ``i`` is ``contigs[offset[i]:offset[i + 1]]``.
        samples: Number of samples.
        end: Number of END, -1 if the header has none.
        svlen: Number of SVLEN, or -1.
        genotypes: Number of GT, or -1.
    """

    contigs: Bytes
    offset: NDArray[np.int64]
    samples: int
    end: int
    svlen: int
    genotypes: int


@kernel(nogil=True)
def to_lines(data: Bytes, out: Bytes, keys: Keys) -> tuple[int, int, int]:
    """Write whole records as lines, as many as fit into the output.

    Args:
        data: Records, shape (n,), uint8.
        out: Output buffer, shape (m,), uint8.
        keys: What the numbers in records stand for.

    Returns:
        Index behind the last record that was written, number of bytes written, and a status: 0,
        FULL, or BAD for a record that does not match its header.
    """
    at = written = 0
    end = record_end(data, at)
    while end >= 0:
        # a number of one byte takes at most 5 letters with its separator, an empty call 2
        if written + 6 * (end - at) + 2 * keys.samples + keys.contigs.size + 64 > out.size:
            return at, written, FULL
        after = _line(data, at, end, out, written, keys)
        if after < 0:
            return at, written, BAD
        at, written = end, after
        end = record_end(data, at)
    return at, written, 0


@part
def _line(data: Bytes, at: int, end: int, out: Bytes, w: int, keys: Keys) -> int:
    contig, border = u32(data, at + 8), at + 8 + u32(data, at)
    alleles, infos = u32(data, at + 24) >> 16, u32(data, at + 24) & 0xFFFF
    samples, formats = u32(data, at + 28) & 0xFFFFFF, u32(data, at + 28) >> 24
    if border > end or contig >= keys.offset.size - 1 or (formats and samples != keys.samples):
        return BAD
    w = _copy(keys.contigs[keys.offset[contig] : keys.offset[contig + 1]], out, w, _TAB)
    w = _number(number_at(data, at + 12, 3) + 1, out, w, _TAB)
    out[w], out[w + 1] = _DOT, _TAB
    at, w = _alleles(data, at + FIXED, border, alleles, out, w + 2)
    if w < 0:
        return BAD
    out[w], out[w + 1] = _DOT, _TAB
    at, w = _filter(data, at, border, out, w + 2)
    if w < 0:
        return BAD
    w = _info(data, at, border, infos, keys, out, w)
    return w if w < 0 else _genotypes(data, border, end, formats, keys, out, w)


@part
def _copy(text: Bytes, out: Bytes, w: int, last: int) -> int:
    """Write a text and one more letter."""
    for i in range(text.size):
        out[w + i] = text[i]
    out[w + text.size] = last
    return w + text.size + 1


@part
def _number(value: int, out: Bytes, w: int, last: int) -> int:
    """Write a number and one more letter."""
    w = write_number(value, out, w)
    out[w] = last
    return w + 1


@part
def _alleles(data: Bytes, at: int, end: int, alleles: int, out: Bytes, w: int) -> tuple[int, int]:
    """Skip the identifier and write REF and ALT."""
    for number in range(alleles + 1):
        kind, size, begin = read_descriptor(data, at, end)
        if kind != _LETTERS and size:
            return at, BAD
        at = begin + size
        if number:
            last = _TAB if number == 1 or number == alleles else _COMMA
            w = _copy(data[begin:at], out, w, last)
    for _ in range(max(0, 2 - alleles)):
        out[w], out[w + 1] = _DOT, _TAB
        w += 2
    return at, w


@part
def _filter(data: Bytes, at: int, end: int, out: Bytes, w: int) -> tuple[int, int]:
    """Write whether all filters are passed, which is number 0, or none is stated."""
    kind, size, begin = read_descriptor(data, at, end)
    if kind < 0 or kind > 3:
        return at, BAD
    passes = True
    for i in range(size):
        passes &= number_at(data, begin + i * width_of(kind), kind) == 0
    return begin + size * width_of(kind), _copy(_PASS if passes else _FAIL, out, w, _TAB)


@part
def _info(data: Bytes, at: int, end: int, infos: int, keys: Keys, out: Bytes, w: int) -> int:
    """Write END and SVLEN."""
    for _ in range(infos):
        kind, size, begin = read_descriptor(data, at, end)
        if not 1 <= kind <= 3 or size != 1:
            return BAD
        key = number_at(data, begin, kind)
        kind, size, begin = read_descriptor(data, begin + width_of(kind), end)
        if kind < 0:
            return BAD
        at = begin + size * width_of(kind)
        if 1 <= kind <= 3 and size and (key == keys.end or key == keys.svlen):
            w = _copy(_END if key == keys.end else _SVLEN, out, w, _DOT) - 1
            for i in range(size):
                value = number_at(data, begin + i * width_of(kind), kind)
                if value <= SMALLEST[kind] + 1:  # or missing
                    out[w], out[w + 1] = _DOT, _COMMA
                    w += 2
                else:
                    w = _number(value, out, w, _COMMA)
            out[w - 1] = _SEMICOLON
    out[w], out[w + 1] = _DOT, _TAB
    return w + 2


@part
def _genotypes(data: Bytes, at: int, end: int, formats: int, keys: Keys, out: Bytes, w: int) -> int:
    for _ in range(formats):
        key, kind, size, begin = read_vector(data, at, end, keys.samples)
        if key < 0:
            return BAD
        at = begin + size * width_of(kind) * keys.samples
        if key == keys.genotypes and 1 <= kind <= 3:
            w = _copy(_GT, out, w, _TAB) - 1
            if kind == 1 and size == 2:
                return _usual_calls(data, begin, keys.samples, out, w)
            return _calls(data, begin, kind, size, keys.samples, out, w)
    out[w], out[w + 1] = _DOT, _TAB
    w += 2
    for _ in range(keys.samples):
        out[w], out[w + 1] = _DOT, _TAB
        w += 2
    out[w - 1] = _NEWLINE
    return w


@part
def _usual_calls(data: Bytes, at: int, samples: int, out: Bytes, w: int) -> int:
    """Write calls of two bytes; most have two alleles of one digit."""
    end = at + 2 * samples
    while at < end:
        usual = _one_digit_calls(data[at:end], out[w:])
        at += 2 * usual
        w += 4 * usual
        if at < end:
            w = _call(data, at, 1, 2, out, w)
            at += 2
    out[w - 1] = _NEWLINE
    return w


@part
def _one_digit_calls(calls: Bytes, out: Bytes) -> int:
    """Write calls with two alleles of one digit, up to another one; return their number."""
    for i in range(calls.size // 2):
        first, second = calls[2 * i], calls[2 * i + 1]
        if not (2 <= first < 22 and 2 <= second < 22):
            return i
        out[4 * i] = _ZERO + (first >> 1) - 1
        out[4 * i + 1] = _BAR
        out[4 * i + 2] = _ZERO + (second >> 1) - 1
        out[4 * i + 3] = _TAB
    return calls.size // 2


@part
def _calls(data: Bytes, at: int, kind: int, size: int, samples: int, out: Bytes, w: int) -> int:
    for sample in range(samples):
        w = _call(data, at + sample * size * width_of(kind), kind, size, out, w)
    out[w - 1] = _NEWLINE
    return w


@part
def _call(data: Bytes, at: int, kind: int, size: int, out: Bytes, w: int) -> int:
    """Write one call and a tab. Phase does not matter."""
    begin = w
    for i in range(size):
        value = number_at(data, at + i * width_of(kind), kind)
        if value == SMALLEST[kind] + 1:
            break
        if value < 2:
            out[w], out[w + 1] = _DOT, _BAR
            w += 2
        else:
            w = _number((value >> 1) - 1, out, w, _BAR)
    if w == begin:
        out[w] = _DOT
        w += 2
    out[w - 1] = _TAB
    return w
