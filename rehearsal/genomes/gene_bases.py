"""The transcripts of a gene model with the bases of the reference around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from rehearsal.genomes.coding_names import FLANK, Window
from rehearsal.genomes.coding_sequence import CodingSequence
from rehearsal.genomes.transcripts import Transcript
from rehearsal.model import Block

MOST_WINDOWS = 32  # transcripts whose bases are kept; most have fewer than 100 kb


class GeneBases:
    """Coding transcripts by name, and their bases, read when they are first asked for.

    Args:
        transcripts: The transcripts.
        read: Reads bases of the reference, in upper case.
    """

    def __init__(self, transcripts: Iterable[Transcript], read: Callable[[Block], str]) -> None:
        self._read_block = read
        coding = [one for one in transcripts if one.coding]
        self._by_name = {one.name: one for one in coding}
        self._by_protein = {one.protein: one for one in coding if one.protein}
        self.window = lru_cache(MOST_WINDOWS)(self._read)

    def transcript(self, accession: str) -> Transcript | None:
        """Find a transcript.

        Args:
            accession: Its accession with version.
        """
        return self._by_name.get(accession)

    def of_protein(self, accession: str) -> Transcript | None:
        """Find the transcript of a protein.

        Args:
            accession: The protein's accession with version.
        """
        return self._by_protein.get(accession)

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

    def protein(self, transcript: Transcript) -> str:
        """Translate a transcript.

        Args:
            transcript: The transcript.

        Returns:
            One letter per codon, with the stop.
        """
        return CodingSequence.of(transcript, self.window(transcript).get).protein

    def _read(self, transcript: Transcript) -> Window:
        start = max(0, transcript.start - FLANK)
        return Window(start, self._read_block(Block(transcript.contig, start, transcript.end)))
