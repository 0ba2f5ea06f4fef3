"""What a search for variants needs of where alleles are listed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol


class AlleleSource(Protocol):
    """Where alleles are searched: a variant store, or the alleles that public facts list."""

    contigs: dict[str, int]
    longest_shift: dict[str, int]  # of the insertions and deletions of each contig, bases

    def get(self, contig: str, start: int, ref: str, alt: str) -> Any:
        """Look up an allele.

        Args:
            contig: Contig name.
            start: Position of the first REF base, 0-based.
            ref: Reference bases.
            alt: Alternate bases.

        Returns:
            The allele, or None if there is none.
        """

    def overlapping(self, contig: str, start: int, end: int) -> Iterator[Any]:
        """Iterate over the alleles whose reference bases touch a range.

        Args:
            contig: Contig name.
            start: First base, 0-based.
            end: One past the last base.
        """
