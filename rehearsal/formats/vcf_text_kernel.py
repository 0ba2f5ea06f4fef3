"""Compiled code that writes BCF records as VCF 4.3, in a tenth of the time that htslib takes.

It supports records with GT, and numbers beside it, in FORMAT, and with numbers, letters or flags in
INFO: all that the rehearsal writes, and frequencies. Other records are left to htslib.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, lean, part
from rehearsal.formats.bcf_header import HeaderNames
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
from rehearsal.formats.vcf_numbers_kernel import (
    NOT_OURS,
    SMALLEST,
    write_float_or_dot,
    write_floats,
    write_number,
    write_values,
)

_TAB, _DOT, _COLON, _COMMA, _SEMICOLON, _EQUALS, _NEWLINE = b"\t.:,;=\n"
_ZERO, _MINUS, _SLASH, _BAR, _G, _T = b"0-/|GT"
_MISSING_LETTER = 7
_ONE_DIGIT = 22  # calls below it have alleles of one digit
_MOST_FORMATS = 4

Offsets = NDArray[np.int64]


class Names(NamedTuple):
    """Texts by number: name ``i`` is ``text[offset[i]:offset[i + 1]]``."""

    text: Bytes
    offset: NDArray[np.int64]

    @classmethod
    def of(cls, names: list[str]) -> Names:
        """Encode a list of names.

        Args:
            names: The names, by number.

        Returns:
            The encoded names.
        """
        encoded = [name.encode() for name in names]
        lengths = np.array([0, *map(len, encoded)], np.int64)
        return cls(np.frombuffer(b"".join(encoded), np.uint8), np.cumsum(lengths))

    @property
    def longest(self) -> int:
        """Length of the longest name, in bytes."""
        return int(np.diff(self.offset).max(initial=0))


class Dictionary(NamedTuple):
    """The names that a header numbers.

    Args:
        contigs: Contigs.
        keys: Filters, INFO and FORMAT keys.
        longest: Length of the longest name, in bytes.
        samples: Number of samples.
        gt_key: Number of GT.
    """

    contigs: Names
    keys: Names
    longest: int
    samples: int
    gt_key: int

    @classmethod
    def of(cls, header: HeaderNames) -> Dictionary:
        """Encode the names of a header.

        Args:
            header: The names.
        """
        contigs, keys = Names.of(header.contigs), Names.of(header.keys)
        longest = max(contigs.longest, keys.longest)
        return cls(contigs, keys, longest, header.samples, header.gt_key)


@kernel(nogil=True)
def to_text(data: Bytes, out: Bytes, dictionary: Dictionary, ends: Offsets) -> tuple[int, int, int]:
    """Write whole records as lines, as many as fit into the output.

    Args:
        data: Records, shape (n,), uint8.
        out: Output buffer, shape (m,), uint8.
        dictionary: The names of the header.
        ends: Takes where each line ends in the output, as many as it has room for.

    Returns:
        Index behind the last written record, number of bytes written, and a status: 0, FULL, BAD
        for a record that does not match its header, or a status below BAD for a record that needs
        htslib.
    """
    at = written = lines = 0
    end = record_end(data, at)
    while end >= 0:
        fields = u32(data, at + 24) & 0xFFFF
        # a number of one byte takes up to four characters and a comma
        if written + 6 * (end - at) + (fields + 3) * (dictionary.longest + 2) + 64 > out.size:
            return at, written, FULL
        after = _line(data, at, end, out, written, dictionary)
        if after < 0:
            return at, written, after
        at, written = end, after
        if lines < ends.size:
            ends[lines] = written
        lines += 1
        end = record_end(data, at)
    return at, written, 0


@part
def _line(data: Bytes, at: int, end: int, out: Bytes, w: int, dictionary: Dictionary) -> int:
    contigs, keys, _, samples, gt_key = dictionary
    border = at + 8 + u32(data, at)
    alleles, infos = u32(data, at + 24) >> 16, u32(data, at + 24) & 0xFFFF
    if border > end or u32(data, at + 28) & 0xFFFFFF != samples:
        return BAD
    formats = u32(data, at + 28) >> 24
    if not 1 <= formats <= _MOST_FORMATS:
        return NOT_OURS
    quality = u32(data, at + 20)
    w = _name(contigs, u32(data, at + 8), out, w)
    if w < 0:
        return BAD
    out[w] = _TAB
    w = write_number(u32(data, at + 12) + 1, out, w + 1)

    at, w = _identity(data, at + FIXED, border, alleles, out, w)
    if w < 0:
        return w
    out[w] = _TAB
    w = write_float_or_dot(quality, out, w + 1)
    if w < 0:
        return w
    out[w] = _TAB
    at, w = _filter(data, at, border, keys, out, w + 1)
    if w < 0:
        return w
    out[w] = _TAB
    w = _info(data, at, border, infos, keys, out, w + 1)
    if w < 0:
        return w
    out[w], out[w + 1], out[w + 2] = _TAB, _G, _T
    if formats == 1:
        w = _genotypes(data, border, end, samples, gt_key, out, w + 3)
    else:
        w = _samples(data, border, end, formats, dictionary, out, w + 3)
    if w < 0:
        return w
    out[w] = _NEWLINE
    return w + 1


@lean()
def _identity(
    data: Bytes, at: int, border: int, alleles: int, out: Bytes, w: int
) -> tuple[int, int]:
    """Write id, reference and alternates; returns the next index and the end of the output."""
    for value in range(alleles + 1):
        kind, length, begin = read_descriptor(data, at, border)
        if kind < 0:
            return at, BAD
        if kind not in (0, 7):
            return at, NOT_OURS
        at = begin + length * width_of(kind)
        out[w] = _COMMA if value > 2 else _TAB
        w = _letters(data, begin, at, out, w + 1)
    for _ in range(alleles, 2):
        out[w], out[w + 1] = _TAB, _DOT
        w += 2
    return at, w


@lean()
def _name(names: Names, number: int, out: Bytes, w: int) -> int:
    if not 0 <= number < names.offset.size - 1:
        return BAD
    for i in range(names.offset[number], names.offset[number + 1]):
        out[w] = names.text[i]
        w += 1
    return w


@lean()
def _letters(data: Bytes, begin: int, end: int, out: Bytes, w: int) -> int:
    """Write a text up to its first NUL; a dot for an empty one."""
    first = w
    for i in range(begin, end):
        if data[i] == 0:
            break
        out[w] = _DOT if data[i] == _MISSING_LETTER else data[i]
        w += 1
    if w == first:
        out[w] = _DOT
        w += 1
    return w


@lean()
def _filter(data: Bytes, at: int, border: int, keys: Names, out: Bytes, w: int) -> tuple[int, int]:
    """Write the filter; returns the next index and the end of the output, or a status."""
    kind, length, begin = read_descriptor(data, at, border)
    if kind < 0:
        return at, BAD
    if length == 0:
        out[w] = _DOT
        return begin, w + 1
    if length > 1 or kind > 3:
        return at, NOT_OURS
    return begin + width_of(kind), _name(keys, number_at(data, begin, kind), out, w)


@lean()
def _info(data: Bytes, at: int, border: int, infos: int, keys: Names, out: Bytes, w: int) -> int:
    if infos == 0:
        out[w] = _DOT
        return w + 1
    for info in range(infos):
        if info:
            out[w] = _SEMICOLON
            w += 1
        kind, length, begin = read_descriptor(data, at, border)
        if not 1 <= kind <= 3 or length != 1:
            return BAD
        w = _name(keys, number_at(data, begin, kind), out, w)
        if w < 0:
            return BAD
        kind, length, begin = read_descriptor(data, begin + width_of(kind), border)
        if kind < 0:
            return BAD
        if kind not in (0, 1, 2, 3, 5, 7):
            return NOT_OURS
        at = begin + length * width_of(kind)
        if length == 0:  # a flag
            continue
        out[w] = _EQUALS
        w += 1
        if kind == 7:
            w = _letters(data, begin, at, out, w)
        elif kind == 5:
            w = write_floats(data, begin, at, out, w)
        else:
            w = write_values(data, begin, at, kind, out, w)
        if w < 0:
            return w
    return w


@lean()
def _genotypes(
    data: Bytes, at: int, end: int, samples: int, gt_key: int, out: Bytes, w: int
) -> int:
    key, kind, width, begin = read_vector(data, at, end, samples)
    if key < 0:
        return BAD
    if key != gt_key or not 1 <= kind <= 3 or width < 1:
        return NOT_OURS
    if kind == 1 and width == 2:
        calls = data[begin : begin + 2 * samples]
        if _are_plain(calls):
            return _pairs(calls, out, w)
    for sample in range(samples):
        first = begin + sample * width * width_of(kind)
        w = _genotype(data, first, kind, width, out, w)
    return w


@part
def _samples(
    data: Bytes, at: int, end: int, formats: int, dictionary: Dictionary, out: Bytes, w: int
) -> int:
    """Write the other keys of FORMAT and, for each sample, the genotype and the numbers."""
    kinds, widths = np.zeros(_MOST_FORMATS, np.int64), np.zeros(_MOST_FORMATS, np.int64)
    begins = np.zeros(_MOST_FORMATS, np.int64)
    for field in range(formats):
        key, kind, width, begin = read_vector(data, at, end, dictionary.samples)
        if key < 0:
            return BAD
        if kind not in (1, 2, 3, 5) or width < 1 or (field == 0) != (key == dictionary.gt_key):
            return NOT_OURS
        if field:
            out[w] = _COLON
            w = _name(dictionary.keys, key, out, w + 1)
            if w < 0:
                return BAD
        kinds[field], widths[field], begins[field] = kind, width, begin
        at = begin + dictionary.samples * width * width_of(kind)
    for sample in range(dictionary.samples):
        size = widths[0] * width_of(kinds[0])
        w = _genotype(data, begins[0] + sample * size, kinds[0], widths[0], out, w)
        for field in range(1, formats):
            out[w] = _COLON
            size = widths[field] * width_of(kinds[field])
            begin = begins[field] + sample * size
            if kinds[field] == 5:
                w = write_floats(data, begin, begin + size, out, w + 1)
            else:
                w = write_values(data, begin, begin + size, kinds[field], out, w + 1)
            if w < 0:
                return w
    return w


@lean()
def _genotype(data: Bytes, at: int, kind: int, width: int, out: Bytes, w: int) -> int:
    out[w] = _TAB
    first = w + 1
    w = first
    for i in range(width):
        call = number_at(data, at + i * width_of(kind), kind)
        if call == SMALLEST[kind] + 1:
            break
        if w > first:
            out[w] = _BAR if call & 1 else _SLASH
            w += 1
        if call >> 1:
            w = write_number((call >> 1) - 1, out, w)
        else:
            out[w] = _DOT
            w += 1
    if w == first:
        out[w] = _DOT
        w += 1
    return w


@lean()
def _are_plain(calls: Bytes) -> bool:
    """Tell whether all alleles have one digit and everyone has two of them."""
    strange = np.uint8(0)
    for i in range(calls.size):
        strange |= np.uint8(calls[i] >= np.uint8(_ONE_DIGIT))
    return strange == 0


@lean()
def _pairs(calls: Bytes, out: Bytes, w: int) -> int:
    """Write the common case, four characters per person."""
    text = out[w : w + 2 * calls.size]
    for i in range(calls.size // 2):
        one, other = calls[2 * i], calls[2 * i + 1]
        text[4 * i] = _TAB
        text[4 * i + 1] = _ZERO - 1 + (one >> 1) if one >> 1 else _DOT
        text[4 * i + 2] = _BAR if other & 1 else _SLASH
        text[4 * i + 3] = _ZERO - 1 + (other >> 1) if other >> 1 else _DOT
    return w + 2 * calls.size
