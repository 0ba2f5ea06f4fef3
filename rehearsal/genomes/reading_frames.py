"""Check that a gene model and a reference fit: reading frames, and the codons of the table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from rehearsal.errors import Complaints, InputError
from rehearsal.genomes.coding_constraints import fits_codon
from rehearsal.genomes.coding_sequence import CodingSequence
from rehearsal.genomes.odd_genes import keep_usable
from rehearsal.genomes.transcripts import Transcript
from rehearsal.model import Block

Reference = Callable[[Block], str]  # bases of a stretch, in upper case


def keep_open_frames(
    transcripts: Iterable[Transcript],
    reference: Reference,
    source: Callable[[Transcript], Path | str],
    needed: Collection[str],
) -> list[Transcript]:
    """Keep the transcripts whose coding bases read from a start codon to one stop.

    Args:
        transcripts: The gene model.
        reference: Reader of the reference.
        source: The file to blame for a transcript.
        needed: Names of genes that cannot be left out.

    Returns:
        The transcripts, those without coding bases among them.

    Raises:
        InputError: A needed gene does not, or more than one gene in five (``odd_genes``).
    """
    found: list[tuple[str, Transcript | InputError]] = []
    for one in transcripts:
        fault = _fault(_coding(one, reference).protein) if one.coding else ""
        expected = "coding bases that read from ATG to one stop in the reference"
        key = f"{one.gene} {one.name}"
        found.append((one.gene, InputError(source(one), key, expected, fault) if fault else one))
    return keep_usable(found, needed)


def check_codons(transcripts: Sequence[Transcript], reference: Reference, path: Path | str) -> None:
    """Check that the reference has the codons that the table of transcripts names.

    Args:
        transcripts: The gene model.
        reference: Reader of the reference.
        path: The table, for messages.

    Raises:
        InputError: A transcript has no such codon, or other bases there: of a FASTA, of the real
            bases, of a planted variant, or of a gene that overlaps it.
    """
    complaints = Complaints()
    for one in transcripts:
        bases = _coding(one, reference).bases if one.codons else ""
        for number, letters in one.codons:
            there = bases[3 * number - 3 : 3 * number]
            with complaints.collected():
                if not there or not fits_codon(there, letters):
                    found = there or f"{len(bases) // 3} codons"
                    expected = f"{letters} as codon {number} in the reference"
                    raise InputError(path, f"{one.gene} {one.name}: codons", expected, found)
    complaints.raise_any()


def _coding(transcript: Transcript, reference: Reference) -> CodingSequence:
    contig = transcript.contig
    return CodingSequence.of(transcript, lambda start, end: reference(Block(contig, start, end)))


def _fault(protein: str) -> str:
    """Say what is wrong with the translation of coding bases; nothing if it is right."""
    if protein[0] not in "MX":
        return f"no start codon but one of {protein[0]}"
    stop = protein.find("*")
    if 0 <= stop < len(protein) - 1:
        return f"a stop at codon {stop + 1} of {len(protein)}"
    return "" if protein[-1] in "*X" else "no stop at the end"
