"""The table of stretches without bases: those that blocks avoid, and gaps inside of blocks."""

from __future__ import annotations

import csv
from pathlib import Path

from rehearsal.errors import InputError, shown
from rehearsal.formats.tables import not_a_row, read_lines, whole_number
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS
from rehearsal.genomes.contig_names import find_contig, note_other_names
from rehearsal.model import Block

MASK_COLUMNS = ("contig", "start", "end", "kind", "source")
# the kind of a short run of N inside a block: ancestry runs across, no variant is there
GAP = "gap"
KINDS = ("centromere", GAP, "heterochromatin", "par", "short_arm", "telomere")


def read_masks(path: Path | str) -> list[Block]:
    """Read the stretches that no block may touch from a mask table: those of any kind but ``gap``.

    Args:
        path: A tab-separated table with the columns contig, start, end (0-based half-open), kind
            and source.

    Returns:
        The stretches in the order of the file.

    Raises:
        InputError: The file cannot be read or lacks a column, a stretch is not on a contig of
            GRCh38, or its kind is unknown.
    """
    return [stretch for stretch, kind in _read_table(path) if kind != GAP]


def read_gaps(path: Path | str) -> list[Block]:
    """Read the runs of unknown bases (N) inside of blocks from a mask table: those of kind ``gap``.

    Args:
        path: The table, as :func:`read_masks` reads it.

    Returns:
        The stretches in the order of the file.

    Raises:
        InputError: As :func:`read_masks`.
    """
    return [stretch for stretch, kind in _read_table(path) if kind == GAP]


def _read_table(path: Path | str) -> list[tuple[Block, str]]:
    reader = csv.DictReader(read_lines(path, "a tab-separated table of masks"), delimiter="\t")
    try:
        rows = list(reader)
    except csv.Error as problem:
        raise not_a_row(path, reader.line_num + 1, problem) from None
    missing = [name for name in MASK_COLUMNS if name not in (reader.fieldnames or [])]
    if missing:
        found = ", ".join(reader.fieldnames or []) or "nothing"
        raise InputError(path, "line 1", f"the columns {', '.join(MASK_COLUMNS)}", found)
    note_other_names(path, (row["contig"] for row in rows))
    return [
        (_mask(path, f"line {number}", row), row["kind"])
        for number, row in enumerate(rows, start=2)
    ]


def _mask(path: Path | str, key: str, row: dict[str, str]) -> Block:
    contig = find_contig(row["contig"] or "")
    if contig is None:
        raise InputError(path, f"{key}, contig", f"a contig of {ASSEMBLY}", shown(row["contig"]))
    try:
        start, end = whole_number(row["start"]), whole_number(row["end"])
    except (TypeError, ValueError):
        found = f"{shown(row['start'])} and {shown(row['end'])}"
        raise InputError(path, f"{key}, start and end", "two whole numbers", found) from None
    if not 0 <= start < end <= CONTIG_LENGTHS[contig]:
        expected = f"0 <= start < end <= {CONTIG_LENGTHS[contig]}, the length of {contig}"
        raise InputError(path, f"{key}, start and end", expected, f"{start} and {end}")
    if row["kind"] not in KINDS:
        raise InputError(path, f"{key}, kind", f"one of {', '.join(KINDS)}", shown(row["kind"]))
    return Block(contig, start, end)
