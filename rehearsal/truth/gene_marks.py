"""What each base of a gene is, and what splicing needs it for.

A base has one mark of its kind (``coding``, ``5`` and ``3`` for untranslated, ``exon`` in a gene
without a protein, ``intron``) and may have more: ``donor``, ``acceptor``, ``region`` for those near
a border that splicing reads, ``end`` for the last eight of an intron.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from rehearsal.truth.gene_files import GeneRow


def marks_of(row: GeneRow) -> list[set[str]]:
    """Mark every base from the first exon to the last.

    Args:
        row: The transcript.

    Returns:
        The marks of each base, by position.
    """
    start, end = row.exons[0][0], row.exons[-1][1]
    marks: list[set[str]] = [set() for _ in range(start, end)]
    for position, mark in chain(_in_exons(row), _in_introns(row), _beside_introns(row)):
        marks[position - start].add(mark)
    return marks


def _in_exons(row: GeneRow) -> Iterator[tuple[int, str]]:
    """Yield the kind of every base of the exons."""
    for first, end in row.exons:
        for position in range(first, end):
            yield position, _kind(row, position)


def _kind(row: GeneRow, position: int) -> str:
    low, high = row.coding
    if low >= high:  # no protein is made of the transcript
        return "exon"
    if low <= position < high:
        return "coding"
    # positions of a gene on the other strand run against its reading
    return "5" if (position < low) == (row.strand == "+") else "3"


def _in_introns(row: GeneRow) -> Iterator[tuple[int, str]]:
    """Yield every mark of the bases of the introns."""
    begin, finish = ("donor", "acceptor") if row.strand == "+" else ("acceptor", "donor")
    for first, end in _introns(row):
        for position in range(first, end):
            before, left = position - first, end - position
            yield position, "intron"
            if before < 2:
                yield position, begin
            if left <= 2:
                yield position, finish
            if 2 <= before < 8 or 2 < left <= 8:
                yield position, "region"
            if left <= 8:
                yield position, "end"


def _beside_introns(row: GeneRow) -> Iterator[tuple[int, str]]:
    """Yield the mark of the three bases on either side of each intron."""
    inside = range(row.exons[0][0], row.exons[-1][1])  # the outer exons may be shorter than three
    for first, end in _introns(row):
        for position in (*range(first - 3, first), *range(end, end + 3)):
            if position in inside:
                yield position, "region"


def _introns(row: GeneRow) -> Iterator[tuple[int, int]]:
    for (_, first), (end, _) in zip(row.exons, row.exons[1:], strict=False):
        yield first, end
