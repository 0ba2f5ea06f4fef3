"""The consequence of one small change of bases for one transcript."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from rehearsal.genomes.coding_sequence import CodingSequence, translate
from rehearsal.genomes.consequence_terms import Term, by_severity
from rehearsal.genomes.protein_names import protein_name
from rehearsal.genomes.transcripts import Transcript

SPLICE_SITE = 2  # bases of an intron at either end
SPLICE_REGION_INTRON = 8  # bases of an intron at either end, the splice site included
SPLICE_REGION_EXON = 3  # bases of an exon beside an intron


_SPLICE_SITES = {"splice_donor_variant", "splice_acceptor_variant"}


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does to a transcript."""

    terms: tuple[Term, ...]  # the most severe first
    protein: str = ""  # name of the change of the protein in HGVS, such as p.Val600Glu
    amino_acids: str = ""  # change of amino acids in BCSQ, such as 600V>600E

    @property
    def loses_splice_site(self) -> bool:
        """Whether a donor or acceptor is touched."""
        return any(term.label in _SPLICE_SITES for term in self.terms)


def trimmed(start: int, ref: str, alt: str) -> tuple[int, int, str]:
    """Reduce a pair of alleles to the bases that change.

    Args:
        start: 0-based position of the first base of ``ref``.
        ref: Bases of the reference.
        alt: Bases instead of them.

    Returns:
        First changed base, exclusive end (equal to the first for an insertion), and the new bases.
        Bases that the ends of both alleles share are left out, those at the end first kept.
    """
    head = 0
    while head < min(len(ref), len(alt)) and ref[head] == alt[head]:
        head += 1
    tail = 0
    while tail < min(len(ref), len(alt)) - head and ref[-1 - tail] == alt[-1 - tail]:
        tail += 1
    return start + head, start + len(ref) - tail, alt[head : len(alt) - tail]


def small_effect(
    transcript: Transcript, coding: CodingSequence | None, start: int, end: int, inserted: str
) -> Effect:
    """Find the consequence of a change for a transcript that it touches.

    Args:
        transcript: The transcript.
        coding: Its coding bases; nothing for a transcript without.
        start: First changed base, 0-based.
        end: Exclusive end; equal to ``start`` for an insertion before it.
        inserted: The new bases.

    Returns:
        The effect.
    """
    labels = set(_splicing(transcript, start, end))
    if coding is not None and within_one(transcript, start, end):
        first, last, new = coding.replaced(start, end, inserted)
        labels |= _coding_labels(coding, first, last, new)
        protein, amino_acids = protein_name(coding, first, last, new)
        if labels & _SPLICE_SITES:
            protein = "p.?"
        return Effect(tuple(by_severity(labels)), protein, amino_acids)
    touched = set(_parts(transcript, start, end))
    if "coding_sequence_variant" in touched:
        labels |= touched | _ends_lost(transcript, start, end)
        return Effect(tuple(by_severity(labels)), "p.?")
    if not labels or touched - {"intron_variant"}:
        labels |= touched
    return Effect(tuple(by_severity(labels)))


def within_one(transcript: Transcript, start: int, end: int) -> bool:
    """Tell whether a change lies in the coding part of one exon.

    An insertion between an exon and the intron before it, by position, counts to the exon. One
    before all coding bases or after them does not.

    Args:
        transcript: The transcript.
        start: First changed base, 0-based.
        end: Exclusive end.
    """
    parts = transcript.coding
    k = bisect_right(parts, (start, 1 << 62)) - 1
    first = transcript.cds_start + (end == start)
    return k >= 0 and start >= first and max(end, start + 1) <= parts[k][1]


def _overlaps(start: int, end: int, a: int, b: int) -> bool:
    """Tell whether a change touches the bases ``[a, b)``, or inserts before one of them."""
    return start < b and a < max(end, start + 1)


def _splicing(transcript: Transcript, start: int, end: int) -> Iterator[str]:
    """Name the splice sites and regions that a change touches.

    An insertion just before the last bases of an intron leaves them as they are.
    """
    insertion = end == start
    for a, b in transcript.introns:
        if start > b + SPLICE_REGION_EXON or end < a - SPLICE_REGION_EXON:
            continue
        first, last = "splice_donor_variant", "splice_acceptor_variant"
        if not transcript.forward:
            first, last = last, first
        if _overlaps(start, end, a, a + SPLICE_SITE):
            yield first
        if _overlaps(start, end, b - SPLICE_SITE + insertion, b):
            yield last
        regions = (
            (a - SPLICE_REGION_EXON, a),
            (a + SPLICE_SITE, a + SPLICE_REGION_INTRON),
            (b - SPLICE_REGION_INTRON + insertion, b - SPLICE_SITE + insertion),
            (b, b + SPLICE_REGION_EXON),
        )
        if any(_overlaps(start, end, *region) for region in regions):
            yield "splice_region_variant"


def _parts(transcript: Transcript, start: int, end: int) -> Iterator[str]:
    """Name the parts of a transcript that a change touches: exons by their kind, introns."""
    left, right = start - (end == start), max(end, start + 1)
    for a, b in transcript.introns:
        if left < b and a < right:
            yield "intron_variant"
    for a, b in transcript.exons:
        if not (left < b and a < right):
            continue
        if transcript.cds_start == transcript.cds_end:
            yield "non_coding_transcript_exon_variant"
            continue
        yield from _untranslated(transcript, max(a, left), min(b, right))
        coding = max(a, transcript.cds_start), min(b, transcript.cds_end)
        if end > start and _overlaps(start, end, *coding):
            yield "coding_sequence_variant"


def _untranslated(transcript: Transcript, start: int, end: int) -> Iterator[str]:
    """Name the untranslated ends of a coding transcript that a stretch of an exon touches."""
    if start < transcript.cds_start:
        yield "5_prime_UTR_variant" if transcript.forward else "3_prime_UTR_variant"
    if end > transcript.cds_end:
        yield "3_prime_UTR_variant" if transcript.forward else "5_prime_UTR_variant"


def _ends_lost(transcript: Transcript, start: int, end: int) -> set[str]:
    """Name what a deletion over either end of the coding bases takes away."""
    labels = set()
    if start < transcript.cds_start < end:
        labels.add("start_lost" if transcript.forward else "stop_lost")
    if start < transcript.cds_end < end:
        labels.add("stop_lost" if transcript.forward else "start_lost")
    return labels


def _coding_labels(coding: CodingSequence, first: int, last: int, new: str) -> set[str]:
    """Name the consequences of a change of coding bases."""
    bases = coding.bases
    change = len(new) - (last - first)
    begin = first // 3 * 3
    until = -(-max(last, first + 1) // 3) * 3  # end of the last codon that changes
    before = translate(bases[begin:until])
    if change % 3:
        labels = {"frameshift_variant"}
        after = translate(bases[begin:first] + new + bases[last:] + coding.tail, to_stop=True)
    else:
        after = translate(bases[begin:first] + new + bases[last:until])
        labels = _in_frame_labels(before, after, change)
    if begin == 0 and not after.startswith("M"):
        return {"start_lost"}
    if begin == 0:
        labels.add("start_retained_variant")
    return labels


def _in_frame_labels(before: str, after: str, change: int) -> set[str]:
    """Name the consequences of codons that replace others."""
    if change:
        labels = {"inframe_insertion" if change > 0 else "inframe_deletion"}
    else:
        labels = {"synonymous_variant" if before == after else "missense_variant"}
    had, has = before.endswith("*"), "*" in after
    if had:
        labels -= {"synonymous_variant", "missense_variant"}
        labels.add("stop_retained_variant" if has else "stop_lost")
    elif has:
        labels.discard("missense_variant")
        labels.add("stop_gained")
    return labels
