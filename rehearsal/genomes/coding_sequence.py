"""The coding bases of a transcript, and their translation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rehearsal.genomes.transcripts import Transcript

Fetch = Callable[[int, int], str]  # bases [start, end) of the contig, in upper case

_COMPLEMENT = str.maketrans("ACGT", "TGCA")
# the standard code, NCBI translation table 1, codons in the order TCAG
_AMINO_ACIDS = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
CODONS = [first + second + third for first in "TCAG" for second in "TCAG" for third in "TCAG"]
CODE = dict(zip(CODONS, _AMINO_ACIDS, strict=True))


def reverse_complement(bases: str) -> str:
    """Read bases on the other strand.

    Args:
        bases: Bases in upper case. Letters other than A, C, G and T are kept.

    Returns:
        The bases of the other strand, in its direction.
    """
    return bases.translate(_COMPLEMENT)[::-1]


def translate(bases: str, to_stop: bool = False) -> str:
    """Translate codons by the standard code.

    Args:
        bases: Bases of the coding strand. Bases after the last whole codon are ignored.
        to_stop: End after the first stop.

    Returns:
        One letter per codon: ``*`` for a stop, ``X`` for a codon with an unknown base.
    """
    protein = "".join(CODE.get(bases[i : i + 3], "X") for i in range(0, len(bases) - 2, 3))
    stop = protein.find("*") if to_stop else -1
    return protein[: stop + 1] if stop >= 0 else protein


@dataclass(frozen=True)
class CodingSequence:
    """The coding bases of one transcript, in its direction."""

    transcript: Transcript
    bases: str  # from the start codon to the stop codon
    tail: str  # the bases of the exons after the stop codon

    @classmethod
    def of(cls, transcript: Transcript, fetch: Fetch) -> CodingSequence:
        """Read the bases of a coding transcript.

        Args:
            transcript: The transcript.
            fetch: Reader of its contig.
        """
        coding = "".join(fetch(a, b) for a, b in transcript.coding)
        if transcript.forward:
            ends = [(max(a, transcript.cds_end), b) for a, b in transcript.exons]
        else:
            ends = [(a, min(b, transcript.cds_start)) for a, b in transcript.exons]
        tail = "".join(fetch(a, b) for a, b in ends if a < b)
        if not transcript.forward:
            coding, tail = reverse_complement(coding), reverse_complement(tail)
        return cls(transcript, coding, tail)

    @cached_property
    def protein(self) -> str:
        """The translation, with the stop."""
        return translate(self.bases)

    @cached_property
    def _start(self) -> NDArray[np.int64]:
        return np.array([a for a, _ in self.transcript.coding], np.int64)

    @cached_property
    def _before(self) -> NDArray[np.int64]:
        """The number of coding bases before each coding part, by position."""
        sizes = [b - a for a, b in self.transcript.coding]
        return np.concatenate(([0], np.cumsum(sizes)))

    def index(self, position: int) -> int:
        """Number a coding base.

        Args:
            position: 0-based position of a coding base in the contig.

        Returns:
            Its 0-based index from the start codon.
        """
        part = int(np.searchsorted(self._start, position, "right")) - 1
        along = int(self._before[part] + position - self._start[part])
        return along if self.transcript.forward else len(self.bases) - 1 - along

    def holds(self, position: int) -> bool:
        """Tell whether a base of the contig is a coding one.

        Args:
            position: 0-based.
        """
        part = int(np.searchsorted(self._start, position, "right")) - 1
        return part >= 0 and position < self.transcript.coding[part][1]

    def replaced(self, start: int, end: int, inserted: str) -> tuple[int, int, str]:
        """Find what a change of bases within one coding part replaces.

        Args:
            start: First replaced base in the contig, 0-based.
            end: Exclusive end. Equal to ``start`` for an insertion before it.
            inserted: The new bases on the contig's forward strand.

        Returns:
            First replaced coding base, exclusive end, and the new bases in the transcript's
            direction.
        """
        if self.transcript.forward:
            first = self.index(start) if self.holds(start) else self.index(start - 1) + 1
            return first, first + end - start, inserted
        first = self.index(end - 1) if self.holds(end - 1) else self.index(end) + 1
        return first, first + end - start, reverse_complement(inserted)
