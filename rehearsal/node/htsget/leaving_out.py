"""Records as if some people had never been in them: for those whose consent does not cover a use.

Leaving a column out is not enough. Counts in INFO include everybody, so they are left out too; an
allele that only those people carry would tell that one of them has it, so alleles that nobody
left carries go, and with the last of them the record.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

_DTYPE = {1: np.dtype("<i1"), 2: np.dtype("<i2"), 3: np.dtype("<i4")}
_SIZE = {0: 0, 1: 1, 2: 2, 3: 4, 5: 4, 7: 1}  # bytes by type of a typed value
_FIXED = struct.Struct("<IIiiiIII")  # lengths, contig, position, bases, quality, counts, counts
_INT8, _WIDE = 1, 15


def left(record: bytes, samples: int, stay: NDArray[np.intp], gt_key: int) -> bytes:
    """The record of those who stay, with their genotypes only; nothing when none has an allele.

    ``stay``: their places among the samples. ``gt_key``: the number of GT in the header's
    dictionary. Raises ValueError for a record of another number of samples, or without genotypes.
    """
    shared, _, *place, quality, counts, others = _FIXED.unpack_from(record)
    number_of_alleles, fields = counts >> 16, others >> 24
    if others & 0xFFFFFF != samples:
        raise ValueError(f"{others & 0xFFFFFF} samples instead of {samples}")
    values, behind = [], _FIXED.size
    for _ in range(number_of_alleles + 2):  # id, alleles, filters
        begin, (_, _, behind) = behind, _value(record, behind)
        values.append(record[begin:behind])
    genotypes = _genotypes(record, 8 + shared, samples, fields, gt_key, stay)
    carried = _carried(genotypes, number_of_alleles)
    if not carried[1:].any():
        return b""
    carried[0] = True  # the reference stays in any case
    alleles = [text for text, is_carried in zip(values[1:-1], carried, strict=True) if is_carried]
    genotypes = _renumbered(genotypes, carried)
    counts = len(alleles) << 16  # and no INFO
    others = 1 << 24 | stay.size
    text = b"".join([values[0], *alleles, values[-1]])
    field = _key(gt_key) + _descriptor(genotypes) + genotypes.tobytes()
    lengths = (_FIXED.size - 8 + len(text), len(field))
    return _FIXED.pack(*lengths, *place, quality, counts, others) + text + field


def _value(record: bytes, at: int) -> tuple[int, int, int]:
    """(type, number of elements, place behind it) of the typed value at a place."""
    kind, length, begin = _described(record, at)
    return kind, length, begin + _SIZE[kind] * length


def _described(record: bytes, at: int) -> tuple[int, int, int]:
    """(type, number of elements, place of the first) of a descriptor."""
    length, kind = record[at] >> 4, record[at] & 15
    if length < _WIDE:
        return kind, length, at + 1
    number, _, begin = _described(record, at + 1)
    end = begin + _SIZE[number]
    return kind, int.from_bytes(record[begin:end], "little"), end


def _genotypes(
    record: bytes, at: int, samples: int, fields: int, gt_key: int, stay: NDArray[np.intp]
) -> NDArray:
    """(those who stay, ploidy) as they are coded."""
    for _ in range(fields):
        kind, _, begin = _described(record, at)
        key = int.from_bytes(record[begin : begin + _SIZE[kind]], "little")
        kind, width, begin = _described(record, begin + _SIZE[kind])
        if key == gt_key:
            person = np.dtype(f"V{_SIZE[kind] * width}")  # copied as one piece
            rows = np.frombuffer(record, person, samples, begin).take(stay)
            return rows.view(_DTYPE[kind]).reshape(stay.size, width)
        at = begin + _SIZE[kind] * width * samples
    raise ValueError("a record without genotypes")


def _carried(genotypes: NDArray, number_of_alleles: int) -> NDArray[np.bool_]:
    """By allele: whether somebody has it. A call is (allele + 1) << 1, and 1 when phased."""
    codes = genotypes.ravel()
    if genotypes.dtype == _DTYPE[1]:
        seen = np.bincount(codes.view(np.uint8), minlength=128)[:128].nonzero()[0]
    else:
        seen = np.unique(codes[codes > 1])
    carried = np.zeros(number_of_alleles, bool)
    carried[(seen[seen > 1] >> 1) - 1] = True
    return carried


def _renumbered(genotypes: NDArray, carried: NDArray[np.bool_]) -> NDArray:
    """The genotypes with the alleles counted that are carried only."""
    if carried.all():
        return genotypes
    number = np.cumsum(carried) - 1
    out = genotypes.copy()
    called = genotypes > 1
    calls = genotypes[called]
    out[called] = (number[(calls >> 1) - 1] + 1) << 1 | calls & 1
    return out


def _key(number: int) -> bytes:
    if number < 128:
        return bytes((1 << 4 | _INT8, number))
    return struct.pack("<Bh", 1 << 4 | 2, number)


def _descriptor(genotypes: NDArray) -> bytes:
    kind = {dtype: number for number, dtype in _DTYPE.items()}[genotypes.dtype]
    return bytes((genotypes.shape[1] << 4 | kind,))  # nobody has 15 copies of a contig
