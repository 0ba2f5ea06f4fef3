"""Parsing and counting of the genotypes in VCF lines, in compiled code.

Almost all genotypes are homozygous for the reference. They are recognised by their bytes, and only
the others are kept: a sparse list of who has which alleles.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part
from rehearsal.stores.carrier_lists_writer import write_list

BAD_PLOIDY, BAD_ALLELE, BAD_COLUMNS, BAD_TEXT = 1, 2, 3, 4
EXTRA_COPIES, HETEROZYGOUS, HAPLOID = 0, 1, 2  # genotypes that are told

_TAB, _COLON, _DOT, _SLASH, _BAR, _ZERO, _NINE = b"\t:./|09"
_PHASED, _UNPHASED = (np.uint32(int.from_bytes(call, "little")) for call in (b"0|0\t", b"0/0\t"))
_MOST = 1 << 15  # numbers of alleles are below it
_NOTHING = -2  # no letter of an allele yet, where -1 is a missing allele


class Samples(NamedTuple):
    """The columns of a file's samples.

    Args:
        person: Number of the person of each column, shape (n_samples,).
        in_order: Whether the numbers ascend.
        male: 1 for each person of the node who is male, shape (n_people,).
    """

    person: NDArray[np.int32]
    in_order: bool
    male: NDArray[np.uint8]


class _Sparse(NamedTuple):
    """Genotypes with another allele than REF: who, and two alleles, -1 being a missing one."""

    who: NDArray[np.int32]
    first: NDArray[np.int32]
    second: NDArray[np.int32]


class Counted(NamedTuple):
    """What :func:`count_alleles` returns, by asked allele unless said otherwise.

    Args:
        counts: AN, AC, hom, het and hemi of women, then of men, shape (n_asked, 10).
        lists: Bytes of the lists of carriers and of homozygotes.
        borders: List ``k`` of ``lists`` is from ``borders[k]`` to ``borders[k + 1]``; the carriers
            of allele ``j`` are list ``2 * j``, its homozygotes the next one.
        faults: 0 or one of ``BAD_...``, by record.
        told: Genotypes of more copies than a person has; heterozygous ones among them; haploid
            ones where people have two copies. Shape (3,).
    """

    counts: NDArray[np.int64]
    lists: NDArray[np.uint8]
    borders: NDArray[np.int64]
    faults: NDArray[np.uint8]
    told: NDArray[np.int64]


@kernel(nogil=True)
def count_alleles(
    data: NDArray[np.uint8],
    places: NDArray[np.int64],
    asked: NDArray[np.int64],
    same: NDArray[np.int64],
    copies: NDArray[np.uint8],
    samples: Samples,
    fix: bool,
) -> Counted:
    """Count alleles of records, and list who carries them.

    Args:
        data: The lines of the records, shape (n,).
        places: Of each record the first and last index of its genotypes and its number of alleles,
            REF included, shape (n_records, 3).
        asked: Number of a record and of one of its alleles, by record, shape (n_asked, 2).
        same: Number of a record and of two alleles, of which the second counts as the first, by
            record, shape (n_same, 3).
        copies: Copies of each record's place that women and men have, shape (n_records, 2).
        samples: The columns of the samples.
        fix: Whether genotypes of more copies than a person has are cut to one allele, or, if their
            alleles differ, are missing.

    Returns:
        The counts and lists. Those of a record with a fault are empty.
    """
    n_records, n_asked, n_samples = places.shape[0], asked.shape[0], samples.person.size
    counts = np.zeros((n_asked, 10), np.int64)
    lists = np.empty(n_asked * 2 * (samples.male.size // 8 + 8), np.uint8)
    borders = np.zeros(2 * n_asked + 1, np.int64)
    faults = np.zeros(n_records, np.uint8)
    told = np.zeros(3, np.int64)
    sparse = _Sparse(
        np.empty(n_samples, np.int32), np.empty(n_samples, np.int32), np.empty(n_samples, np.int32)
    )
    carriers, homozygotes = np.empty(n_samples, np.int32), np.empty(n_samples, np.int32)
    men = samples.male[samples.person].sum()
    called = np.empty(2, np.int64)
    job = written = again = 0
    for record in range(n_records):
        called[0], called[1] = 2 * (n_samples - men), 2 * men
        n = _read_genotypes(
            data, places[record], copies[record], samples, fix, sparse, called, told
        )
        if n < 0:
            faults[record] = -n
        elif not samples.in_order:
            _sort(sparse, n)
        while again < same.shape[0] and same[again, 0] == record:
            _count_as(same[again, 1], same[again, 2], sparse, n)
            again += 1
        while job < n_asked and asked[job, 0] == record:
            if n >= 0:
                size, several = _count_one(
                    asked[job, 1], n, sparse, samples, called, counts[job], carriers, homozygotes
                )
                written = write_list(carriers[:size], lists, written)
                borders[2 * job + 1] = written
                written = write_list(homozygotes[:several], lists, written)
            else:
                borders[2 * job + 1] = written
            borders[2 * job + 2] = written
            job += 1
    return Counted(counts, lists[:written], borders, faults, told)


@part
def _read_genotypes(
    data: NDArray[np.uint8],
    place: NDArray[np.int64],
    copies: NDArray[np.uint8],
    samples: Samples,
    fix: bool,
    sparse: _Sparse,
    called: NDArray[np.int64],
    told: NDArray[np.int64],
) -> int:
    """List the genotypes with other alleles than REF, and return their number, or minus a fault.

    ``called`` begins with two alleles for everybody, and is corrected for all who have others.
    """
    at, end, known = place
    n_samples = samples.person.size
    everywhere_two = copies[0] == 2 and copies[1] == 2
    n = column = 0
    while at <= end and column < n_samples:
        if everywhere_two:  # the usual call in the usual form, four bytes at once
            usual = _usual_calls(data[at:end])
            at += 4 * usual
            column += usual
            if column >= n_samples:
                break
        if (
            everywhere_two
            and at + 3 <= end
            and data[at] == _ZERO
            and data[at + 2] == _ZERO
            and (data[at + 1] == _BAR or data[at + 1] == _SLASH)
            and (at + 3 == end or data[at + 3] == _TAB or data[at + 3] == _COLON)
        ):
            at = _next_column(data, at + 3, end)
            column += 1
            continue
        first, second, alleles, at = _genotype(data, at, end)
        if alleles < 0:
            return alleles
        if first >= known or second >= known:
            return -BAD_ALLELE
        sex = samples.male[samples.person[column]]
        if copies[sex] < 2:
            first, second = _cut(first, second, copies[sex], fix, told)
        elif alleles == 1 and first >= 0:
            told[HAPLOID] += 1
        called[sex] += (first >= 0) + (second >= 0) - 2
        if first > 0 or second > 0:
            sparse.who[n] = samples.person[column]
            sparse.first[n], sparse.second[n] = first, second
            n += 1
        column += 1
    return n if column == n_samples and at == end + 1 else -BAD_COLUMNS


@part
def _usual_calls(letters: NDArray[np.uint8]) -> int:
    """Count the calls 0|0 or 0/0 at the beginning that a tab follows."""
    calls = 0
    for calls in range(letters.size // 4):
        four = letters[4 * calls : 4 * calls + 4]
        call = (
            np.uint32(four[0])
            | np.uint32(four[1]) << np.uint32(8)
            | np.uint32(four[2]) << np.uint32(16)
            | np.uint32(four[3]) << np.uint32(24)
        )
        if call != _PHASED and call != _UNPHASED:
            return calls
    return letters.size // 4


@part
def _next_column(data: NDArray[np.uint8], at: int, end: int) -> int:
    """Return the index behind the next tab."""
    while at < end and data[at] != _TAB:
        at += 1
    return at + 1


@part
def _genotype(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, int, int, int]:
    """Read one genotype.

    VCF 4.4 allows the phase of the first allele before it: ``/0|1``.

    Returns:
        Two alleles, -1 for those that are missing; their number, or minus a fault; the index of the
        next column.
    """
    first = second = -1
    n, value = 0, _NOTHING
    if at < end and (data[at] == _SLASH or data[at] == _BAR):
        at += 1
    while True:
        letter = _TAB if at >= end else int(data[at])
        if _ZERO <= letter <= _NINE and value != -1:
            if value < _MOST:
                value = max(value, 0) * 10 + letter - _ZERO
        elif letter in (_TAB, _COLON, _SLASH, _BAR):
            if value == _NOTHING:
                return first, second, -BAD_TEXT, at
            if n == 0:
                first = value
            elif n == 1:
                second = value
            else:
                return first, second, -BAD_PLOIDY, at
            n += 1
            value = _NOTHING
            if letter in (_TAB, _COLON):
                return first, second, n, _next_column(data, at, end)
        elif letter == _DOT and value == _NOTHING:
            value = -1
        else:
            return first, second, -BAD_TEXT, at
        at += 1


@part
def _cut(
    first: int, second: int, copies: int, fix: bool, told: NDArray[np.int64]
) -> tuple[int, int]:
    """Cut a genotype to the copies that a person has, if ``fix`` is set, and tell what it was."""
    if (first >= 0) + (second >= 0) <= copies:
        return first, second
    told[EXTRA_COPIES] += 1
    differ = copies == 1 and first != second
    told[HETEROZYGOUS] += differ
    if not fix:
        return first, second
    return (first, -1) if copies == 1 and not differ else (-1, -1)


@part
def _sort(sparse: _Sparse, n: int) -> None:
    """Sort genotypes by people."""
    order = np.argsort(sparse.who[:n])
    for column in sparse:
        column[:n] = column[:n][order]


@part
def _count_as(kept: int, other: int, sparse: _Sparse, n: int) -> None:
    """Replace an allele in genotypes by the one that it repeats."""
    for i in range(n):
        if sparse.first[i] == other:
            sparse.first[i] = kept
        if sparse.second[i] == other:
            sparse.second[i] = kept


@part
def _count_one(
    allele: int,
    n: int,
    sparse: _Sparse,
    samples: Samples,
    called: NDArray[np.int64],
    counts: NDArray[np.int64],
    carriers: NDArray[np.int32],
    homozygotes: NDArray[np.int32],
) -> tuple[int, int]:
    """Count one allele and list who has it; return the numbers of carriers and homozygotes."""
    counts[0], counts[5] = called[0], called[1]
    size = several = 0
    for i in range(n):
        first, second = sparse.first[i], sparse.second[i]
        copies = (first == allele) + (second == allele)
        if copies == 0:
            continue
        who = sparse.who[i]
        carriers[size] = who
        size += 1
        sex = 5 * samples.male[who]
        counts[sex + 1] += copies
        if copies == 2:
            counts[sex + 2] += 1
            homozygotes[several] = who
            several += 1
        elif first >= 0 and second >= 0:
            counts[sex + 3] += 1
        else:
            counts[sex + 4] += 1
    return size, several
