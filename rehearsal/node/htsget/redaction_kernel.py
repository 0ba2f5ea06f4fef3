"""Rewrite records as if some people had never been in them, because their consent excludes a use.

Removing their columns is not enough. Counts in INFO include everyone, so INFO is removed too, but
for what it says of a structural variant itself: its type, length and end. Of FORMAT remain the
genotype, copy numbers and levels of heteroplasmy of the others. An allele that only those people
carry would reveal that one of them has it. Alleles without a remaining carrier are therefore
removed, and a record with its last alternate allele. A REF that only a removed deletion needs to be
long would reveal it too: last bases that all remaining alleles share are cut off, and a record that
then ends before the window is left out. First bases stay, as the order of records depends on them;
those of a run never are more than is needed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part
from rehearsal.formats.bcf_reading_kernel import (
    BAD,
    FIXED,
    Bytes,
    number_at,
    read_descriptor,
    read_vector,
    record_end,
    u32,
    width_of,
)

Runs = NDArray[np.int64]  # (n_runs, 2): first sample that stays, sample behind the last


def runs_of(stay: NDArray[np.bool_]) -> Runs:
    """Find the runs of remaining samples, which are copied faster than single samples.

    Args:
        stay: Whether each sample remains, shape (n_samples,), bool.

    Returns:
        First sample and sample behind the last of each run, shape (n_runs, 2), int64.
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], stay, [False])).astype(np.int8)))
    return edges.reshape(-1, 2).astype(np.int64)


class Redaction(NamedTuple):
    """How records are rewritten.

    Args:
        contig: Number of the contig in the output.
        start: Records must reach beyond this position, 0-based.
        samples: Number of samples in the input.
        runs: Runs of remaining samples, of :func:`runs_of`.
        gt_key: Number of GT in the dictionary of the header.
        info_keys: Numbers of SVTYPE, END and, last, SVLEN, or -1 where the header lacks them. Shape
            (3,), int64.
        format_keys: Numbers of the FORMAT fields CN and, last, HF, or -1 where the header lacks
            them. Shape (2,), int64.
    """

    contig: int  # its number in what is written
    start: int
    samples: int  # in what is read
    runs: Runs
    gt_key: int
    info_keys: NDArray[np.int64]
    format_keys: NDArray[np.int64]


@kernel(nogil=True)
def redact(data: Bytes, out: Bytes, redaction: Redaction) -> tuple[int, int]:
    """Write all whole records without the removed people.

    Args:
        data: Records, shape (n,), uint8.
        out: Output buffer of the same size.
        redaction: How they are rewritten.

    Returns:
        Index behind the last whole record, and number of bytes written. The second is BAD when a
        record is damaged, has another number of samples or has no genotypes.
    """
    at = written = 0
    end = record_end(data, at)
    while end >= 0:
        written = _redact_record(data, at, end, out, written, redaction)
        if written < 0:
            return at, BAD
        at = end
        end = record_end(data, at)
    return at, written


@part
def _redact_record(data: Bytes, at: int, end: int, out: Bytes, w: int, redaction: Redaction) -> int:
    """Write one record; returns the end of the output, ``w`` itself if no carrier remains."""
    contig, start, samples, runs, gt_key, info_keys, format_keys = redaction
    border = at + 8 + u32(data, at)  # between the shared part and the samples
    alleles, fields = u32(data, at + 24) >> 16, u32(data, at + 28) >> 24
    if u32(data, at + 28) & 0xFFFFFF != samples or border > end:
        return BAD
    place = _find_field(data, border, end, fields, samples, gt_key)
    if place < 0:
        return BAD
    _, kind, width, begin = read_vector(data, place, end, samples)
    if not 1 <= kind <= 3:
        return BAD

    carried = np.zeros(alleles + 1, np.bool_)
    if not _note_carried(data, begin, kind, width, runs, carried):
        return BAD
    carried[1] = True  # the reference always stays; 0 is missing
    kept = carried[1:].sum()
    if kept <= 1:
        return w

    cut = _shared_end(data, at + FIXED, border, alleles, carried) if kept < alleles else 0
    if cut < 0:
        return BAD
    bases = u32(data, at + 16) - cut
    if u32(data, at + 12) + bases <= start:
        return w
    first = w
    w = _copy(data, at, at + FIXED, out, w)
    shared, info = _copy_shared(data, at + FIXED, border, alleles, carried, cut, out, w)
    if shared < 0:
        return BAD
    fields = u32(data, at + 24) & 0xFFFF
    shared, fields = _copy_structural(data, info, border, fields, carried, info_keys, out, shared)
    if shared < 0:
        return BAD
    w = _copy(data, place, begin, out, shared)  # GT's key and descriptor
    genotypes = w
    for run in range(runs.shape[0]):
        size = width_of(kind) * width
        w = _copy(data, begin + runs[run, 0] * size, begin + runs[run, 1] * size, out, w)
    if kept < alleles:
        _count_again(out, genotypes, w, kind, carried)

    w, formats = _copy_levels(
        data, border, end, u32(data, at + 28) >> 24, samples, runs, carried, format_keys, out, w
    )
    if w < 0:
        return BAD
    stay = 0
    for run in range(runs.shape[0]):
        stay += runs[run, 1] - runs[run, 0]
    _put(shared - first - 8, out, first)
    _put(w - shared, out, first + 4)
    _put(contig, out, first + 8)
    _put(bases, out, first + 16)
    _put(kept << 16 | fields, out, first + 24)
    _put((1 + formats) << 24 | stay, out, first + 28)
    return w


@part
def _find_field(data: Bytes, place: int, end: int, fields: int, samples: int, wanted: int) -> int:
    """Find the FORMAT field with a key; BAD when there is none."""
    for _ in range(fields):
        key, kind, width, begin = read_vector(data, place, end, samples)
        if key < 0:
            return BAD
        if key == wanted:
            return place
        place = begin + width_of(kind) * width * samples
    return BAD


@part
def _copy_levels(
    data: Bytes,
    place: int,
    end: int,
    fields: int,
    samples: int,
    runs: Runs,
    carried: NDArray[np.bool_],
    keys: NDArray[np.int64],
    out: Bytes,
    w: int,
) -> tuple[int, int]:
    """Copy the FORMAT fields with some keys; of the last one, only values of remaining alleles.

    Returns the end of the output, BAD if the record is damaged, and the number of fields copied.
    """
    copied = 0
    for _ in range(fields):
        key, kind, width, begin = read_vector(data, place, end, samples)
        if key < 0:
            return BAD, 0
        by_allele = key == keys[1] and width == carried.size - 2 and width < 15
        if by_allele or key == keys[0]:
            w = _copy(data, place, begin, out, w)
            if by_allele:
                out[w - 1] = carried[2:].sum() << 4 | kind
            size = width_of(kind)
            for run in range(runs.shape[0]):
                for value in range(runs[run, 0] * width, runs[run, 1] * width):
                    if not by_allele or carried[value % width + 2]:
                        w = _copy(data, begin + value * size, begin + (value + 1) * size, out, w)
            copied += 1
        place = begin + width_of(kind) * width * samples
    return w, copied


@part
def _put(value: int, out: Bytes, w: int) -> None:
    for byte in range(4):
        out[w + byte] = value >> 8 * byte & 255


@part
def _copy(data: Bytes, begin: int, end: int, out: Bytes, w: int) -> int:
    source, target = data[begin:end], out[w : w + end - begin]
    for i in range(target.size):  # compiled to one memory copy
        target[i] = source[i]
    return w + end - begin


@part
def _shared_end(data: Bytes, at: int, border: int, alleles: int, carried: NDArray[np.bool_]) -> int:
    """Count the last letters that REF and all remaining alleles share, leaving one of each.

    0 where an allele is not written in bases, BAD if the record is damaged.
    """
    ref_end = cut = 0
    for value in range(alleles + 1):  # the id comes first
        kind, length, begin = read_descriptor(data, at, border)
        if kind < 0:
            return BAD
        at = begin + length * width_of(kind)
        if value == 0 or not carried[value]:
            continue
        if value == 1:
            ref_end, cut = at, length - 1
        elif length == 0 or not 65 <= data[begin] <= 122:  # < of symbols, * of lost bases
            cut = 0
        else:
            most, cut = min(cut, length - 1), 0
            while cut < most and data[at - 1 - cut] == data[ref_end - 1 - cut]:
                cut += 1
    return max(cut, 0)


@part
def _put_descriptor(length: int, kind: int, out: Bytes, w: int) -> int:
    """Write a type descriptor; lengths from 15 on follow in four bytes at most."""
    if length < 15:
        out[w] = length << 4 | kind
        return w + 1
    out[w] = 15 << 4 | kind
    number = 1 if length < 128 else 2 if length < 1 << 15 else 3
    out[w + 1] = 1 << 4 | number
    for byte in range(width_of(number)):
        out[w + 2 + byte] = length >> 8 * byte & 255
    return w + 2 + width_of(number)


@part
def _copy_shared(
    data: Bytes,
    at: int,
    border: int,
    alleles: int,
    carried: NDArray[np.bool_],
    cut: int,
    out: Bytes,
    w: int,
) -> tuple[int, int]:
    """Copy the id, the alleles that are still carried, without their last letters, and the filters.

    Returns the ends of the output, BAD if the record is damaged, and of what was read.
    """
    for value in range(alleles + 2):
        kind, length, begin = read_descriptor(data, at, border)
        if kind < 0:
            return BAD, at
        behind = begin + length * width_of(kind)
        if not 1 <= value <= alleles:
            w = _copy(data, at, behind, out, w)
        elif carried[value]:
            w = _put_descriptor(length - cut, kind, out, w)
            w = _copy(data, begin, behind - cut, out, w)
        at = behind
    return w, at


@part
def _copy_structural(
    data: Bytes,
    at: int,
    border: int,
    fields: int,
    carried: NDArray[np.bool_],
    keys: NDArray[np.int64],
    out: Bytes,
    w: int,
) -> tuple[int, int]:
    """Copy the INFO fields with some keys; of the last one, only values of remaining alleles.

    Returns the end of the output, BAD if the record is damaged, and the number of fields copied.
    """
    copied = 0
    for _ in range(fields):
        kind, length, begin = read_descriptor(data, at, border)
        if not 1 <= kind <= 3 or length != 1:
            return BAD, 0
        key = number_at(data, begin, kind)
        value = begin + width_of(kind)
        kind, length, begin = read_descriptor(data, value, border)
        if kind < 0:
            return BAD, 0
        size = width_of(kind)
        behind = begin + length * size
        if key == keys[0] or key == keys[1]:
            w = _copy(data, at, behind, out, w)
            copied += 1
        elif key == keys[2] and length == carried.size - 2 and length < 15:
            w = _copy(data, at, value, out, w)
            descriptor = w
            w += 1
            kept = 0
            for allele in range(length):
                if carried[allele + 2]:
                    w = _copy(data, begin + allele * size, begin + (allele + 1) * size, out, w)
                    kept += 1
            out[descriptor] = kept << 4 | kind
            copied += 1
        at = behind
    return w, copied


@part
def _note_carried(
    data: Bytes, begin: int, kind: int, width: int, runs: Runs, carried: NDArray[np.bool_]
) -> bool:
    """Mark the carried alleles, at allele + 1: a call is (allele + 1) << 1, plus 1 when phased.

    Returns False for an allele that the record does not have.
    """
    size = width_of(kind)
    for run in range(runs.shape[0]):
        first = begin + runs[run, 0] * width * size
        last = begin + runs[run, 1] * width * size
        if kind == 1 and carried.size == 3:
            if not _note_two(data[first:last], carried):
                return False
            continue
        for at in range(first, last, size):
            value = number_at(data, at, kind)
            if value > 1:
                if value >> 1 >= carried.size:
                    return False
                carried[value >> 1] = True
    return True


@part
def _note_two(calls: Bytes, carried: NDArray[np.bool_]) -> bool:
    """Do the same for one alternate allele in bytes, without branches: the case of most records."""
    alternate, other = np.uint8(0), np.uint8(0)
    for i in range(calls.size):
        call = calls[i]
        alternate |= np.uint8(call & np.uint8(0xFE) == np.uint8(4))
        other |= np.uint8(np.uint8(call - np.uint8(6)) < np.uint8(122))  # 6 to 127
    carried[2] |= alternate != 0
    return other == 0


@part
def _count_again(out: Bytes, begin: int, end: int, kind: int, carried: NDArray[np.bool_]) -> None:
    """Renumber the alleles of the calls among those that are still carried."""
    number = np.cumsum(carried)  # by allele + 1; 0 is a missing call
    size = width_of(kind)
    for at in range(begin, end, size):
        value = number_at(out, at, kind)
        if value > 1:
            value = number[value >> 1] << 1 | value & 1
            for byte in range(size):
                out[at + byte] = value >> 8 * byte & 255
