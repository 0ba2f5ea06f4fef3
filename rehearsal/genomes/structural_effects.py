"""The consequence of a structural variant for one transcript."""

from __future__ import annotations

from rehearsal.genomes.consequence_terms import Term, by_severity
from rehearsal.genomes.transcripts import Transcript

_LOSES = ("<DEL>", "<CN0>")
_GAINS = ("<DUP", "<CN")  # tandem duplications, copy numbers above one


def structural_effect(transcript: Transcript, start: int, end: int, alt: str) -> tuple[Term, ...]:
    """Find the consequence of a structural variant for a transcript that it touches.

    Args:
        transcript: The transcript.
        start: First affected base, 0-based: the one after the variant's position.
        end: Exclusive end of the affected bases; equal to ``start`` for an insertion before it.
        alt: The symbolic allele.

    Returns:
        The terms, the most severe first. A whole transcript is lost or doubled; a part of its exons
        makes it shorter or longer, and an inversion changes them.
    """
    exons = [(a, b) for a, b in transcript.exons if start < b and a < max(end, start + 1)]
    if not exons:
        return by_label("intron_variant")
    if alt.startswith("<INV"):
        coding = any(start < b and a < end for a, b in transcript.coding)
        return by_label("coding_sequence_variant" if coding else _noncoding(transcript, exons[0]))
    return by_label(_change_of_length(alt, start <= transcript.start and transcript.end <= end))


def by_label(label: str) -> tuple[Term, ...]:
    """List the one term of a label.

    Args:
        label: Label of a term, such as ``intron_variant``.
    """
    return tuple(by_severity({label}))


def _change_of_length(alt: str, whole: bool) -> str:
    """Name the change of a transcript whose exons are lost, doubled or get bases."""
    if alt in _LOSES:
        return "transcript_ablation" if whole else "feature_truncation"
    return "transcript_amplification" if whole and alt.startswith(_GAINS) else "feature_elongation"


def _noncoding(transcript: Transcript, exon: tuple[int, int]) -> str:
    """Name the kind of an exon that has no coding bases in reach."""
    if transcript.cds_start == transcript.cds_end:
        return "non_coding_transcript_exon_variant"
    before = exon[0] < transcript.cds_start
    return "5_prime_UTR_variant" if before == transcript.forward else "3_prime_UTR_variant"
