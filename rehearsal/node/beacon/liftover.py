"""Positions of GRCh37 on GRCh38: of some variants by a table, of others by a user's chain file.

A query whose place is not known on GRCh38 is not answered. A "no" would be wrong.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from rehearsal.errors import InputError, cause, mismatch
from rehearsal.genomes.assembly import REFSEQ
from rehearsal.node.beacon.hgvs import Description
from rehearsal.node.beacon.transcript_names import CodingQuery, ProteinQuery
from rehearsal.node.beacon.variant_queries import (
    BracketQuery,
    GeneQuery,
    HgvsQuery,
    RangeQuery,
    SequenceQuery,
    StructuralQuery,
    VariantQuery,
)

# positions are 1-based, as in VCF; change_grch37 is the published name behind the accession and g.
TABLE = Path(__file__).parent / "data" / "grch37.tsv"
POSITIONS = re.compile(r"(\d+)(?:_(\d+))?")  # at the beginning of a change in HGVS


class _Aligned(NamedTuple):
    """A stretch without gaps, 0-based: bases [start, end) of GRCh37 and where they begin now."""

    start: int
    end: int
    contig: str
    now: int


class Liftover:
    """Moves queries from GRCh37 to GRCh38.

    Args:
        chain: A chain file from GRCh37 to GRCh38 (UCSC's format, as text). None: only variants of
            the table are known.

    Raises:
        InputError: The file is not a chain file.
    """

    def __init__(self, chain: Path | None = None) -> None:
        self._aligned = {} if chain is None else _read_chain(chain)

    def lift(self, query: VariantQuery | None) -> VariantQuery | None:
        """Move a query.

        Args:
            query: A query on GRCh37.

        Returns:
            The same query on GRCh38. None: a place of the query is not known there.
        """
        match query:
            case SequenceQuery():
                return self._allele(query)
            case RangeQuery(contig, start, end):
                place = self._range(contig, start, end)
                if place is None:
                    return None
                return replace(query, contig=place[0], start=place[1], end=place[2])
            case BracketQuery():
                return self._bracket(query)
            case HgvsQuery(description):
                return self._described(description)
            case StructuralQuery():
                return self._structural(query)
            case GeneQuery() | ProteinQuery() | CodingQuery():
                return query  # has no position
        return None

    def _allele(self, query: SequenceQuery) -> SequenceQuery | None:
        ref = query.ref or ""
        known = _table().get((query.contig, query.start, ref, query.alt))
        if known is not None:
            return replace(query, start=known)
        place = self._range(query.contig, query.start, query.start + max(1, len(ref)))
        return None if place is None else replace(query, contig=place[0], start=place[1])

    def _structural(self, query: StructuralQuery) -> StructuralQuery | None:
        place = self._range(query.contig, query.start, query.start + 1 + query.length)
        return None if place is None else replace(query, contig=place[0], start=place[1])

    def _described(self, name: Description) -> SequenceQuery | HgvsQuery | None:
        change = name.text.partition(":g.")[2]
        known = _named().get((name.contig, change))
        if known is not None:
            return known
        place = self._range(name.contig, name.start, name.end)
        if place is None:
            return None
        contig, start, end = place
        moved = POSITIONS.sub(lambda found: _moved(found, start - name.start), change, count=1)
        text = f"{REFSEQ[contig]}:g.{moved}"
        return HgvsQuery(replace(name, contig=contig, start=start, end=end, text=text))

    def _bracket(self, query: BracketQuery) -> BracketQuery | None:
        first = self._range(query.contig, query.start[0], query.start[1] + 1)
        second = self._range(query.contig, query.end[0] - 1, query.end[1])
        if first is None or second is None or first[0] != second[0]:
            return None
        starts, ends = (first[1], first[2] - 1), (second[1] + 1, second[2])
        return replace(query, contig=first[0], start=starts, end=ends)

    def _range(self, contig: str, start: int, end: int) -> tuple[str, int, int] | None:
        """Move a range, 0-based half-open, that lies in one stretch without gaps."""
        stretches = self._aligned.get(contig, [])
        at = bisect_right(stretches, start, key=lambda one: one.start) - 1
        if at < 0 or end > stretches[at].end:
            return None
        by = stretches[at].now - stretches[at].start
        return stretches[at].contig, start + by, end + by


def _moved(positions: re.Match[str], by: int) -> str:
    """Move the one or two positions of a change in HGVS."""
    return "_".join(str(int(one) + by) for one in positions.groups() if one)


@cache
def _rows() -> tuple[dict[str, str], ...]:
    with TABLE.open(encoding="utf-8", newline="") as table:
        return tuple(csv.DictReader(table, delimiter="\t"))


@cache
def _table() -> dict[tuple[str, int, str, str], int]:
    """Read the starts on GRCh38 of the variants of the table, 0-based."""
    return {
        (row["contig"], int(row["position_grch37"]) - 1, row["ref"], row["alt"]): int(
            row["position_grch38"]
        )
        - 1
        for row in _rows()
    }


@cache
def _named() -> dict[tuple[str, str], SequenceQuery]:
    """Read the variants of the table on GRCh38, by contig and name on GRCh37."""
    return {
        (row["contig"], row["change_grch37"]): SequenceQuery(
            row["contig"], int(row["position_grch38"]) - 1, row["ref"], row["alt"]
        )
        for row in _rows()
    }


def _read_chain(path: Path) -> dict[str, list[_Aligned]]:
    """Read the stretches on the forward strand, by contig and start. Raises InputError."""
    found: dict[str, list[_Aligned]] = {}
    try:
        with path.open(encoding="ascii") as lines:
            for contig, one in _stretches(lines):
                found.setdefault(contig, []).append(one)
    except (OSError, ValueError, IndexError) as error:
        expected = "a chain file from GRCh37 to GRCh38, not compressed"
        raise InputError(path, "file", expected, f"unusable content ({cause(error)})") from None
    return {contig: sorted(some) for contig, some in found.items()}


def _stretches(lines: Iterator[str]) -> Iterator[tuple[str, _Aligned]]:
    """Yield contig and stretch.

    A chain is a head (``chain score name size strand start end name size strand start end id``)
    and lines of a length and the gaps behind it, genome.ucsc.edu/goldenPath/help/chain.html.
    """
    here, now, contig, other, forward = 0, 0, "", "", False
    for line in lines:
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        if fields[0] == "chain":
            contig, here, other, now = fields[2], int(fields[5]), fields[7], int(fields[10])
            forward = fields[4] == fields[9] == "+"
            continue
        if not contig:
            raise ValueError(mismatch("line", "the head of a chain", line.strip()))
        size, *gaps = map(int, fields)
        if forward:
            yield contig, _Aligned(here, here + size, other, now)
        here += size + (gaps[0] if gaps else 0)
        now += size + (gaps[1] if gaps else 0)
