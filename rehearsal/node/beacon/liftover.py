"""Positions of GRCh37 on GRCh38: of some stretches by a table, of others by a user's chain file.

A query whose place is not known on GRCh38 is not answered. A "no" would be wrong. Where a stretch
is reversed, bases are written on the other strand, and the base before an event is another one.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from rehearsal.errors import InputError, cause, mismatch
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.coding_sequence import reverse_complement
from rehearsal.genomes.genomic_names import numbered
from rehearsal.node.beacon.hgvs import Description, parse
from rehearsal.node.beacon.indels import Indel, indel_described, indel_of_bases
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
from rehearsal.node.beacon.vrs_index import VrsQuery
from rehearsal.node.privacy.public_facts import PublicAllele

DATA = Path(__file__).parent / "data"
STRETCHES = DATA / "grch37_stretches.tsv"  # around the variants below; 0-based, half-open
# positions are 1-based, as in VCF; change_grch37 is the published name behind the accession and g.
PLANTED = DATA / "grch37.tsv"
_POSITIONS = re.compile(r"(\d+)(?:_(\d+))?")  # at the beginning of a change in HGVS
_PLAIN = frozenset("ACGT")


class _Aligned(NamedTuple):
    """A stretch without gaps, 0-based: bases [start, end) of GRCh37 and where they begin now."""

    start: int
    end: int
    contig: str
    now: int
    forward: bool = True  # on GRCh38; else the last base comes first

    def range(self, start: int, end: int) -> tuple[int, int]:
        """Move a range within the stretch, 0-based half-open."""
        if self.forward:
            by = self.now - self.start
            return start + by, end + by
        mirror = self.now + self.end
        return mirror - end, mirror - start

    def bases(self, text: str) -> str:
        """Write bases as the strand of GRCh38 has them."""
        return text if self.forward else reverse_complement(text)


# NC_012920.1 in both assemblies
SAME = _Aligned(0, CONTIG_LENGTHS["chrM"], "chrM", 0)


class Liftover:
    """Moves queries from GRCh37 to GRCh38.

    Args:
        chain: A chain file from GRCh37 to GRCh38 (UCSC's format, as text). None: only stretches of
            the table are known.

    Raises:
        InputError: The file is not a chain file.
    """

    def __init__(self, chain: Path | None = None) -> None:
        self._sources = [_table()] if chain is None else [_read_chain(chain), _table()]

    def lift(self, query: VariantQuery | None) -> VariantQuery | None:
        """Move a query.

        Args:
            query: A query on GRCh37.

        Returns:
            The same query on GRCh38. None: a place of the query is not known there, or it is on the
            other strand and cannot be asked for there.
        """
        match query:
            case SequenceQuery():
                return _planted_allele(query) or self._allele(query)
            case RangeQuery(contig, start, end):
                return self._moved_range(query, self._stretch(contig, start, end))
            case BracketQuery():
                return self._bracket(query)
            case HgvsQuery(description):
                return _planted_by_name(description) or self._described(description)
            case StructuralQuery():
                return self._structural(query)
            case GeneQuery() | ProteinQuery() | CodingQuery() | VrsQuery():
                return query  # has no position on an assembly
        return None

    def _stretch(self, contig: str, start: int, end: int) -> _Aligned | None:
        """Find the stretch without gaps in which a range lies, 0-based half-open."""
        if contig == SAME.contig:
            return SAME
        for stretches in (one.get(contig, []) for one in self._sources):
            at = bisect_right(stretches, start, key=lambda one: one.start) - 1
            if at >= 0 and end <= stretches[at].end:
                return stretches[at]
        return None

    def _allele(self, query: SequenceQuery) -> SequenceQuery | None:
        ref = query.ref or ""
        first, last = query.start, query.start + max(1, len(ref))
        stretch = self._stretch(query.contig, first, last)
        if stretch is None:
            return None
        if stretch.forward:
            return replace(query, contig=stretch.contig, start=stretch.range(first, last)[0])
        if query.ref is None or not _PLAIN.issuperset(ref + query.alt):
            return None
        start, _ = stretch.range(first, first + len(ref))
        bases = stretch.bases(ref), stretch.bases(query.alt)
        return SequenceQuery(stretch.contig, start, *bases)

    @staticmethod
    def _moved_range(query: RangeQuery, stretch: _Aligned | None) -> RangeQuery | None:
        """Move a range. Reversed, longer alleles have another base before them than they state."""
        if stretch is None:
            return None
        start, end = stretch.range(query.start, query.end)
        given = query.restrictions
        if not stretch.forward and (given.ref is not None or given.alt is not None):
            ref, alt = given.ref or "N", given.alt or "N"
            if len(ref) != 1 or len(alt) != 1 or not _PLAIN.issuperset(f"{ref}{alt}"):
                return None
            given = replace(given, ref=stretch.bases(ref), alt=stretch.bases(alt))
        return replace(query, contig=stretch.contig, start=start, end=end, restrictions=given)

    def _structural(self, query: StructuralQuery) -> StructuralQuery | None:
        end = query.start + 1 + query.length
        stretch = self._stretch(query.contig, query.start, end)
        if stretch is None:
            return None
        if stretch.forward:
            start, _ = stretch.range(query.start, end)
            return replace(query, contig=stretch.contig, start=start)
        first = query.start + 1  # of the affected bases, none for an insertion
        before = stretch.range(first, first if query.alt.startswith("<INS") else end)[0] - 1
        return replace(query, contig=stretch.contig, start=before, ref="")

    def _described(self, name: Description) -> HgvsQuery | None:
        plain = parse(name.text) if len(name.stated) > 1 else name
        if (plain.start, plain.end) != (name.start, name.end):  # it states bases that stay
            name = plain
        stretch = self._stretch(name.contig, name.start, name.end)
        if stretch is None:
            return None
        start, end = stretch.range(name.start, name.end)
        change = _POSITIONS.sub("", re.split(":[gm][.]", name.text)[1], count=1)
        change = re.sub("[ACGT]+", lambda found: stretch.bases(found[0]), change)
        where = f"{start + 1}" if end == start + 1 else f"{start + 1}_{end}"
        text = f"{numbered(stretch.contig)}{where}{change}"
        stated = stretch.bases(name.stated)
        return HgvsQuery(Description(stretch.contig, start, end, text, stated))

    def _bracket(self, query: BracketQuery) -> BracketQuery | None:
        """Move a bracket. Reversed, the base before an event, where it starts, is another one."""
        first = self._stretch(query.contig, query.start[0], query.start[1] + 1)
        second = self._stretch(query.contig, query.end[0] - 1, query.end[1])
        if first is None or second is None or first.contig != second.contig:
            return None
        if not (first.forward and second.forward):
            return None
        low, high = first.range(query.start[0], query.start[1] + 1)
        begin, end = second.range(query.end[0] - 1, query.end[1])
        return replace(query, contig=first.contig, start=(low, high - 1), end=(begin + 1, end))


@cache
def _table() -> dict[str, list[_Aligned]]:
    """Read the stretches around the planted variants, by contig."""
    found: dict[str, list[_Aligned]] = {}
    for row in _rows(STRETCHES):
        place = int(row["start_grch37"]), int(row["end_grch37"])
        one = _Aligned(*place, row["contig"], int(row["start_grch38"]))
        found.setdefault(one.contig, []).append(one)
    return found


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as table:
        yield from csv.DictReader(table, delimiter="\t")


@cache
def _planted_indels() -> tuple[tuple[PublicAllele, SequenceQuery], ...]:
    """Read the planted insertions and deletions on GRCh37, with their shifts, and on GRCh38."""
    found = []
    for row in _rows(PLANTED):
        contig, start, ref, alt = row["contig"], int(row["position_grch37"]), row["ref"], row["alt"]
        if len(ref) != len(alt):
            last = int(re.findall("[0-9]+", row["change_grch37"])[-1])  # of the repeated bases
            shift = last - start - (len(ref) - 1)
            one = PublicAllele(contig, start - 1, ref, alt, 0, 0, shift, 0, 0)
            there = SequenceQuery(contig, int(row["position_grch38"]) - 1, ref, alt)
            found.append((one, there))
    return tuple(found)


def _planted(indel: Indel | None) -> tuple[PublicAllele, SequenceQuery] | None:
    """Find the planted allele that an indel on GRCh37 is, in any notation."""
    if indel is None:
        return None
    pairs = (pair for pair in _planted_indels() if pair[0].contig == indel.contig)
    return next((pair for pair in pairs if indel.is_named_by(pair[0])), None)


def _planted_by_name(name: Description) -> SequenceQuery | None:
    """Find the planted indel with a name; not if it states bases, which are compared later."""
    found = None if name.stated else _planted(indel_described(name))
    return found and found[1]


def _planted_allele(query: SequenceQuery) -> SequenceQuery | None:
    """Find the planted indel that an allele is, if it states bases that the allele shows."""
    if query.ref is None or not _PLAIN.issuperset(query.ref + query.alt):
        return None
    found = _planted(indel_of_bases(query.contig, query.start, query.ref, query.alt))
    if found is None:
        return None
    one, there = found
    own = one.ref[1:] or one.alt[1:]
    size = len(one.ref) - 1 + one.shift
    known = one.ref[0] + (own * (size // len(own) + 1))[:size]
    return there if known.startswith(query.ref, query.start - one.start) else None


def _read_chain(path: Path) -> dict[str, list[_Aligned]]:
    """Read the stretches, by contig and start. Raises InputError."""
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
    and lines of a length and the gaps behind it, genome.ucsc.edu/goldenPath/help/chain.html. On the
    reverse strand, positions are counted from the end of the sequence.
    """
    here, now, contig, to_stretch = 0, 0, "", None
    for line in lines:
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        if fields[0] == "chain":
            contig, here, now = fields[2], int(fields[5]), int(fields[10])
            to_stretch = partial(_stretch_of, fields[7], int(fields[8]), fields[4] == fields[9])
            continue
        if to_stretch is None:
            raise ValueError(mismatch("line", "the head of a chain", line.strip()))
        size, *gaps = map(int, fields)
        yield contig, to_stretch(here, now, size)
        here += size + (gaps[0] if gaps else 0)
        now += size + (gaps[1] if gaps else 0)


def _stretch_of(
    contig: str, length: int, forward: bool, here: int, now: int, size: int
) -> _Aligned:
    """Build a stretch; ``length``: of the contig, from whose end a reversed one counts ``now``."""
    first = now if forward else length - now - size
    return _Aligned(here, here + size, contig, first, forward)
