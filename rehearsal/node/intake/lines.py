"""The lines of a VCF, divided into runs of one contig, with their columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import InputError, shown
from rehearsal.node.intake.lines_kernel import (
    CHROM,
    COLUMNS,
    GENOTYPES,
    INFO,
    NO_POSITION,
    POS,
    SAME_CONTIG,
    split_lines,
)
from rehearsal.node.intake.source import LineSource


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one contig, with what :func:`split_lines` found."""

    text: bytes
    data: NDArray[np.uint8]
    borders: NDArray[np.int64]
    starts: NDArray[np.int64]
    marks: NDArray[np.uint8]
    first: int  # number of the first line among those after the header

    def column(self, line: int, column: int) -> str:
        """Return the text of a column.

        Args:
            line: Number of the line.
            column: Number of the column.
        """
        begin, end = self.borders[line, column], self.borders[line, column + 1] - 1
        return self.text[begin:end].decode("utf-8", "replace")

    def place(self, line: int) -> str:
        """Name a record in an error, by contig and position of the file.

        Args:
            line: Number of the line.
        """
        return f"{self.column(line, CHROM)}:{self.column(line, POS)}"


def lines_by_contig(source: LineSource) -> Iterator[Lines]:
    """Divide lines into runs of one contig.

    Args:
        source: The open file.

    Yields:
        The runs, without empty lines.

    Raises:
        InputError: A line is no record, or has fewer columns than a record with genotypes.
    """
    before = 0
    for text in source.chunks():
        data = np.frombuffer(text, np.uint8)
        ends = np.flatnonzero(data == ord("\n"))
        borders, starts, marks = split_lines(data, ends)
        runs = [0, *(np.flatnonzero(~marks[1:] & SAME_CONTIG) + 1).tolist(), ends.size]
        for begin, end in pairwise(runs):
            run = slice(begin, end)
            lines = Lines(text, data, borders[run], starts[run], marks[run], before + begin)
            if lines.borders[0, COLUMNS] - 1 > lines.borders[0, CHROM]:
                _refuse_no_records(source, lines)
                yield lines
        before += ends.size


def _refuse_no_records(source: LineSource, lines: Lines) -> None:
    """Check that lines have a contig, a position and the columns of a record with genotypes."""
    cut = lines.borders[:, GENOTYPES] > lines.borders[:, COLUMNS] - 1
    if not cut.any() and (lines.starts > NO_POSITION).all() and lines.column(0, CHROM):
        return
    wrong = cut | (lines.starts == NO_POSITION)
    line = int(np.argmax(wrong))
    text = lines.text[lines.borders[line, 0] : lines.borders[line, COLUMNS] - 1]
    found = shown(text[:80].decode("utf-8", "replace"))
    where = source.place(lines.first + line)
    if text.startswith(b"#"):
        expected = "a record"
        found = f"the header of another file, {found} (bcftools concat joins files)"
    elif text.count(b"\t") < INFO or not cut[line]:
        expected = "a record: eight columns or more, separated by tabs, with a number as POS"
    else:
        expected = "FORMAT and a genotype for each sample, as in the line #CHROM"
        found = f"{text.count(chr(9).encode()) + 1} columns: the file may be cut off here"
    raise InputError(source.path, where, expected, found)
