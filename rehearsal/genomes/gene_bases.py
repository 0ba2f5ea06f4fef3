"""The transcripts of a gene model with the bases of the reference around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from rehearsal.genomes.coding_names import FLANK, Window
from rehearsal.genomes.coding_sequence import CodingSequence
from rehearsal.genomes.transcripts import Transcript
from rehearsal.model import Block

MOST_PROTEINS = 1_000  # some 500 letters each
MOST_WINDOWS = 32  # transcripts whose bases are kept; most have fewer than 100 kb


class GeneBases:
    """Coding transcripts by name, and their bases, read when they are first asked for.

    Args:
        transcripts: The transcripts.
        read: Reads bases of the reference, in upper case.

    Attributes:
        window: Returns the bases around a transcript.
        protein: Translates a transcript: one letter per codon, with the stop.
    """

    def __init__(self, transcripts: Iterable[Transcript], read: Callable[[Block], str]) -> None:
        self._read_block = read
        coding = [one for one in transcripts if one.coding]
        self._by_name = {one.same_as: one for one in coding if one.same_as}
        self._by_name |= {one.name: one for one in coding}
        self._by_protein = {one.protein: one for one in coding if one.protein}
        self._by_gene: dict[str, list[Transcript]] = {}
        for one in coding:
            self._by_gene.setdefault(one.gene, []).append(one)
        self.window = lru_cache(MOST_WINDOWS)(self._read)
        self.protein = lru_cache(MOST_PROTEINS)(self._translate)

    def transcript(self, accession: str) -> Transcript | None:
        """Find a transcript.

        Args:
            accession: Its accession with version, in either database.
        """
        return self._by_name.get(accession)

    def of_protein(self, accession: str) -> Transcript | None:
        """Find the transcript of a protein.

        Args:
            accession: The protein's accession with version.
        """
        return self._by_protein.get(accession)

    def of_gene(self, symbol: str) -> list[Transcript]:
        """Find the coding transcripts of a gene.

        Args:
            symbol: Symbol of the gene.
        """
        return self._by_gene.get(symbol, [])

    def other_version(self, accession: str) -> str | None:
        """Find a transcript or protein that differs from an accession only by its version.

        Args:
            accession: The accession.

        Returns:
            The accession that the gene model has.
        """
        stem = accession.partition(".")[0] + "."
        known = (*self._by_name, *self._by_protein)
        return next((one for one in known if one.startswith(stem)), None)

    def _translate(self, transcript: Transcript) -> str:
        """Return one letter per codon, with the stop."""
        return CodingSequence.of(transcript, self.window(transcript).get).protein

    def _read(self, transcript: Transcript) -> Window:
        start = max(0, transcript.start - FLANK)
        return Window(start, self._read_block(Block(transcript.contig, start, transcript.end)))
