"""Compiled code that finds the columns of VCF lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part

COLUMNS = 10  # of a line: the fixed ones, FORMAT, and the genotypes as one
CHROM, POS, ID, REF, ALT, QUAL, FILTER, INFO, FORMAT, GENOTYPES = range(COLUMNS)
NO_POSITION = -2  # POS is no number
SAME_CONTIG, PASSES, HAS_GENOTYPES, IS_SNV = 1, 2, 4, 8

_TAB, _DOT, _COLON, _CARRIAGE_RETURN = b"\t.:\r"
_ZERO, _NINE, _G, _T = b"09GT"


@kernel(nogil=True)
def split_lines(
    data: NDArray[np.uint8], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Find the columns of lines.

    Args:
        data: Whole lines, each with its newline, shape (n,).
        ends: Index of each newline, shape (n_lines,).

    Returns:
        Borders, shape (n_lines, 11): column ``c`` of a line is from ``borders[c]`` to before
        ``borders[c + 1] - 1``; columns that a line lacks are empty. Starts, 0-based, or
        NO_POSITION. Marks: SAME_CONTIG where the line before has the same CHROM; PASSES where
        FILTER is PASS or missing; HAS_GENOTYPES where GT is the first field of FORMAT; IS_SNV where
        REF and ALT are two different bases of A, C, G and T.
    """
    borders = np.empty((ends.size, COLUMNS + 1), np.int64)
    starts = np.empty(ends.size, np.int64)
    marks = np.zeros(ends.size, np.uint8)
    begin = 0
    for line in range(ends.size):
        end = ends[line]
        if end > begin and data[end - 1] == _CARRIAGE_RETURN:
            end -= 1
        row = borders[line]
        row[0] = begin
        column, at = 1, begin
        while at < end and column < COLUMNS:
            if data[at] == _TAB:
                row[column] = at + 1
                column += 1
            at += 1
        row[column:] = end + 1
        starts[line] = _start(data, row[POS], row[POS + 1] - 1)
        marks[line] = _marks(data, row)
        if line and _equal(data, borders[line - 1], row):
            marks[line] |= SAME_CONTIG
        begin = ends[line] + 1
    return borders, starts, marks


@part
def _start(data: NDArray[np.uint8], at: int, end: int) -> int:
    """Read POS, and return it 0-based."""
    value = 0
    if not 0 < end - at < 12:
        return NO_POSITION
    for i in range(at, end):
        if not _ZERO <= data[i] <= _NINE:
            return NO_POSITION
        value = 10 * value + int(data[i]) - _ZERO
    return value - 1


@part
def _equal(data: NDArray[np.uint8], one: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Tell whether two lines have the same CHROM."""
    size = one[1] - one[0]
    if other[1] - other[0] != size:
        return False
    at = np.arange(size - 1)
    return bool((data[one[0] + at] == data[other[0] + at]).all())


@part
def _marks(data: NDArray[np.uint8], row: NDArray[np.int64]) -> int:
    found = 0
    at, size = row[FILTER], row[FILTER + 1] - 1 - row[FILTER]
    if (size == 1 and data[at] == _DOT) or (size == 4 and _is_pass(data, at)):
        found |= PASSES
    at, size = row[FORMAT], row[FORMAT + 1] - 1 - row[FORMAT]
    if (
        size >= 2
        and data[at] == _G
        and data[at + 1] == _T
        and (size == 2 or data[at + 2] == _COLON)
    ):
        found |= HAS_GENOTYPES
    ref, alt = row[REF], row[ALT]
    is_short = row[REF + 1] - ref == 2 and row[ALT + 1] - alt == 2
    if is_short and data[ref] != data[alt] and _is_base(data[ref]) and _is_base(data[alt]):
        found |= IS_SNV
    return found


@part
def _is_pass(data: NDArray[np.uint8], at: int) -> bool:
    return data[at] == 80 and data[at + 1] == 65 and data[at + 2] == 83 and data[at + 3] == 83


@part
def _is_base(letter: int) -> bool:
    return letter == 65 or letter == 67 or letter == 71 or letter == 84
