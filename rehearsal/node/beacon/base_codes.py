"""Letters that stand for one of several bases (IUPAC), and alleles that are written with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rehearsal.genomes import genomic_names

IUPAC = {
    **{"A": "A", "C": "C", "G": "G", "T": "T", "R": "AG", "Y": "CT", "S": "CG", "W": "AT"},
    **{"K": "GT", "M": "AC", "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"},
}


def is_base_match(bases: str, pattern: str | None) -> bool:
    """Tell whether bases match IUPAC codes.

    Args:
        bases: Bases A, C, G, T.
        pattern: IUPAC codes. None matches everything.
    """
    if pattern is None:
        return True
    return len(bases) == len(pattern) and all(  # a symbolic allele has no bases
        base == code or base in IUPAC[code] for base, code in zip(bases, pattern, strict=True)
    )


def may_be_same(one: str, other: str) -> bool:
    """Tell whether two texts can be the same bases.

    Args:
        one: Bases or IUPAC codes. Any other letter stands for itself.
        other: IUPAC codes.
    """
    return len(one) == len(other) and _shared_start(one, other) == len(one)


def _shared_start(one: str, other: str) -> int:
    """Count the first letters of two texts that can be the same bases."""
    for number, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b and set(IUPAC.get(a, a)).isdisjoint(IUPAC[b]):
            return number
    return min(len(one), len(other))


@dataclass(frozen=True, slots=True)
class Spelling:
    """REF and ALT as somebody writes one allele, with IUPAC codes and perhaps more bases.

    Attributes:
        start: Position of the first letter of REF, 0-based.
        ref: Letters of the reference.
        alt: Letters instead of them.
        first: How many first letters REF and ALT may share.
        last: How many last letters they may share.
    """

    start: int
    ref: str
    alt: str
    first: int
    last: int

    @classmethod
    def of(cls, start: int, ref: str, alt: str) -> Spelling:
        """Compare REF and ALT.

        Args:
            start: Position of the first letter of REF, 0-based.
            ref: Letters of the reference.
            alt: Letters instead of them.

        Returns:
            The spelling.
        """
        return cls(start, ref, alt, _shared_start(ref, alt), _shared_start(ref[::-1], alt[::-1]))

    def is_of(self, row: Any) -> bool:
        """Tell whether an allele can be written so, at any of its places in a repeat.

        Args:
            row: A row of a source of alleles.
        """
        if row.svlen or len(row.ref) - len(row.alt) != len(self.ref) - len(self.alt):
            return False
        allele = genomic_names.trimmed(row.contig, row.start, row.ref, row.alt)
        is_indel = not allele.deleted or not allele.inserted
        places = range(allele.start, allele.start + (row.shift if is_indel else 0) + 1)
        return any(
            self._has(place - self.start, deleted, inserted)
            for place, deleted, inserted in _rotations(places, allele.deleted, allele.inserted)
            if place >= self.start
        )

    def _has(self, at: int, deleted: str, inserted: str) -> bool:
        """Tell whether letters are replaced at a place of REF, and the others stay."""
        behind = at + len(deleted)
        return (
            at <= self.first
            and 0 <= len(self.ref) - behind <= self.last
            and is_base_match(deleted, self.ref[at:behind])
            and is_base_match(inserted, self.alt[at : at + len(inserted)])
        )


def _rotations(places: range, deleted: str, inserted: str) -> Iterator[tuple[int, str, str]]:
    """Yield the places of an allele in a repeat, with its bases there."""
    for place in places:
        yield place, deleted, inserted
        deleted, inserted = deleted[1:] + deleted[:1], inserted[1:] + inserted[:1]
