"""Check that a gene model and a reference fit: coding bases are open reading frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from rehearsal.errors import InputError
from rehearsal.genomes.coding_sequence import CodingSequence
from rehearsal.genomes.transcripts import Transcript
from rehearsal.model import Block

# A few human genes start at another codon, or read a stop as selenocysteine.
MOST_EXCEPTIONS = 0.05


def check_reading_frames(
    transcripts: Iterable[Transcript], reference: Callable[[Block], str], source: Path | str
) -> None:
    """Check that the coding bases of transcripts read from a start codon to one stop.

    Args:
        transcripts: The gene model.
        reference: Reader of the reference, in upper case.
        source: The file of the gene model, for messages.

    Raises:
        InputError: More than one transcript in 20 does not.
    """
    number, faults = 0, []
    for transcript in transcripts:
        if not transcript.coding:
            continue
        number += 1
        fetch = _on_contig(reference, transcript.contig)
        fault = _fault(CodingSequence.of(transcript, fetch).protein)
        if fault:
            faults.append((transcript.name, fault))
    if len(faults) > MOST_EXCEPTIONS * number:
        name, fault = faults[0]
        expected = "coding bases that read from ATG to one stop in the reference"
        raise InputError(source, name, expected, fault)


def _on_contig(reference: Callable[[Block], str], contig: str) -> Callable[[int, int], str]:
    return lambda start, end: reference(Block(contig, start, end))


def _fault(protein: str) -> str:
    """Say what is wrong with the translation of coding bases; nothing if it is right."""
    if protein[0] not in "MX":
        return f"no start codon but one of {protein[0]}"
    stop = protein.find("*")
    if 0 <= stop < len(protein) - 1:
        return f"a stop at codon {stop + 1} of {len(protein)}"
    return "" if protein[-1] in "*X" else "no stop at the end"
