"""Insertions and deletions in any equivalent notation.

An indel in a repeat has as many places as its shift says, plus one (see
:mod:`rehearsal.genomes.indel_shifts`). The bases between the first and the last place repeat its
own, so that no reference sequence is needed to tell its other names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from rehearsal.genomes import genomic_names
from rehearsal.genomes.variant_classes import LONGEST_INDEL
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.allele_source import AlleleSource

if TYPE_CHECKING:
    from rehearsal.stores.node_reference import ReferenceBases

_CHANGE = re.compile(r".*:[gm]\.(\d+)(?:_(\d+))?(?:(del)|(dup)|ins([ACGT]+))")
_WIDEST = 10_000  # bases of a deletion or duplication by letters, and of a repeat


@dataclass(frozen=True, slots=True)
class Indel:
    """An insertion or deletion as somebody names it."""

    contig: str
    start: int  # of the deleted bases, or of the base before which bases are inserted, 0-based
    length: int
    is_deletion: bool
    bases: str | None  # None: the name does not state them
    last: int  # a place that the indel must also be able to take: differs for duplications

    def is_named_by(self, row: Any) -> bool:
        """Tell whether an allele is this indel.

        Args:
            row: A row of a source of alleles.
        """
        if row.svlen:
            return False
        allele = genomic_names.trimmed(row.contig, row.start, row.ref, row.alt)
        bases = allele.deleted if self.is_deletion else allele.inserted
        if len(bases) != self.length or (allele.inserted if self.is_deletion else allele.deleted):
            return False
        if not allele.start <= self.start <= self.last <= allele.start + row.shift:
            return False
        return self.bases in (None, rotated(bases, self.start - allele.start))


def rotated(bases: str, places: int) -> str:
    """Return the bases of an indel after it was moved to the right.

    Args:
        bases: Its bases.
        places: By how many bases.
    """
    by = places % len(bases)
    return bases[by:] + bases[:by]


def indel_of_bases(contig: str, start: int, ref: str, alt: str) -> Indel | None:
    """Read an indel from alleles as in VCF.

    Args:
        contig: Contig name.
        start: Position, 0-based.
        ref: Reference bases, without ambiguity.
        alt: Alternate bases, without ambiguity.

    Returns:
        The indel, or None if the allele is none.
    """
    allele = genomic_names.trimmed(contig, start, ref, alt)
    if bool(allele.deleted) == bool(allele.inserted):
        return None
    bases = allele.deleted or allele.inserted
    return Indel(contig, allele.start, len(bases), bool(allele.deleted), bases, allele.start)


def indel_described(description: hgvs.Description) -> Indel | None:
    """Read an indel from a genomic HGVS description.

    Args:
        description: The description.

    Returns:
        The indel, or None if the description is of something else.
    """
    match = _CHANGE.fullmatch(description.text)
    if match is None:
        return None
    first, last = int(match[1]), int(match[2] or match[1])
    if match[5]:
        return Indel(description.contig, first, len(match[5]), False, match[5], first)
    length = last - first + 1
    behind = first - 1 if match[3] else last  # a copy may be inserted before it or behind it
    return Indel(description.contig, first - 1, length, bool(match[3]), None, behind)


def equivalent_rows(
    indel: Indel, source: AlleleSource, reference: ReferenceBases | None
) -> Iterator[Any]:
    """Find the alleles that are an indel.

    Args:
        indel: The indel.
        source: Where to search.
        reference: The node's reference, or None if it has none.

    Yields:
        Rows of the source: those with letters, then deletions and duplications without.
    """
    if indel.contig not in source.contigs:
        return
    if indel.length <= _WIDEST:
        # the anchor base of VCF is before the indel
        first = max(0, indel.start - source.longest_shift[indel.contig] - 1)
        for row in source.overlapping(indel.contig, first, indel.start + 1):
            if first <= row.start <= indel.start and indel.is_named_by(row):
                yield row
    if indel.length > LONGEST_INDEL:
        yield from _structural_rows(indel, source, reference)


def _structural_rows(
    indel: Indel, source: AlleleSource, reference: ReferenceBases | None
) -> Iterator[Any]:
    """Find a long deletion or duplication among the alleles that state their ends only."""
    places = places_of(indel, reference)
    if places is None:
        return
    first, last = places
    change = "del" if indel.is_deletion else "dup"
    for row in source.overlapping(indel.contig, max(0, first - 1), last):
        if row.svlen != indel.length or not first <= row.start + 1 <= last:
            continue
        name = genomic_names.describe_structural(row.contig, row.start, row.end, row.alt)
        if name is not None and name.endswith(change):
            yield row


def places_of(indel: Indel, reference: ReferenceBases | None) -> tuple[int, int] | None:
    """Find where a deletion or duplication can begin without a change of what comes out.

    Args:
        indel: The indel.
        reference: The node's reference. None: only the place that is named is known.

    Returns:
        The first and the last start of the deleted or doubled bases, 0-based. None for an insertion
        that is not known to repeat the bases beside it.
    """
    start, end = indel.start, indel.start + indel.length
    if reference is None:
        return (start, start) if indel.bases is None or indel.is_deletion else None
    bases = partial(_known_bases, reference, indel.contig)
    if indel.is_deletion or indel.bases is None:
        left = _shared_end(bases(start - _WIDEST, start), bases(end - _WIDEST, end))
        right = _shared_start(bases(start, start + _WIDEST), bases(end, end + _WIDEST))
        return start - left, start + right
    widest = max(_WIDEST, indel.length)
    copies = indel.bases * -(-widest // indel.length)
    left = _shared_end(bases(start - widest, start), copies)
    right = _shared_start(bases(start, start + widest), copies)
    if left + right < indel.length:
        return None
    return start - left, start + right - indel.length


def structural_shift(row: Any, reference: ReferenceBases | None) -> int:
    """Count the bases by which a structural deletion or duplication can be moved to the right.

    Args:
        row: A row of a source of alleles.
        reference: The node's reference, or None if it has none.

    Returns:
        The number of bases; 0 where it is not known.
    """
    first = row.start + 1
    event = Indel(row.contig, first, row.end - first, True, None, first)
    places = places_of(event, reference)
    return 0 if places is None else places[1] - first


def _known_bases(reference: ReferenceBases, contig: str, start: int, end: int) -> str:
    return reference.get(contig, max(0, start), max(0, end)) or ""


def _shared_start(one: str, other: str) -> int:
    return _shared_end(one[::-1], other[::-1])


def _shared_end(one: str, other: str) -> int:
    """Count the last bases that two sequences share. An unknown base is shared by none."""
    shared = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b or a == "N":
            break
        shared += 1
    return shared
