"""The alleles of a VCF record as a variant store holds them, or why it does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from rehearsal.genomes.allele_names import without_shared_bases
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.indel_shifts import shift_right
from rehearsal.model import Block
from rehearsal.node.intake.report import (
    ANY_ALLELE,
    BREAKEND,
    EQUALS_REFERENCE,
    NO_LENGTH,
    OTHER_BASES,
    OTHER_LENGTHS,
    OTHER_REFERENCE,
    OTHER_SYMBOL,
    SPANNING_DELETION,
)

FARTHEST = 10_000  # bases by which an allele is moved at most

_SEQUENCE = re.compile("[ACGTUNRYSWKMBDHV]+")
_SYMBOLIC = re.compile("<(?:(?:DEL|DUP|INS|INV|CNV)(?::[A-Z0-9:]+)?|CN[0-9]+)>")
_SPANS = re.compile("<(?!INS)")  # symbols of stretches of the reference
_COPY_NUMBER = re.compile("<CN[0-9]+>")
_END = re.compile("(?:^|;)END=([0-9]{1,10})(?:;|$)")
_SVLEN = re.compile("(?:^|;)SVLEN=([^;]*)")
_LENGTH = re.compile("[.]|-?[0-9]{1,10}")
_KNOWN = frozenset("ACGT")
_WINDOW = 1 << 20  # bases that are read at a time


class StoredAllele(NamedTuple):
    """An allele as :mod:`rehearsal.stores.variant_store` describes it."""

    start: int  # 0-based
    ref: str
    alt: str
    svlen: int = 0
    reach: int = 0
    shift: int = 0


class RecordAlleles(NamedTuple):
    """The columns of a record that decide about its alleles, in capitals but for INFO."""

    contig: str  # the name used inside
    start: int  # 0-based
    ref: str
    alts: list[str]
    info: str


class ReferenceBases:
    """Bases of a reference, of which a stretch is kept.

    Args:
        read: A function that reads a block, as ``rehearsal.genomes.reference`` opens it.
    """

    def __init__(self, read: Callable[[Block], str]) -> None:
        self._read = read
        self._contig, self._start, self._bases = "", 0, ""

    def bases(self, contig: str, start: int, end: int) -> str:
        """Return bases.

        Args:
            contig: Name of the contig.
            start: First base, 0-based. Bases before the contig are left out.
            end: One past the last base. Bases behind the contig are left out.
        """
        start, end = max(start, 0), min(end, CONTIG_LENGTHS[contig])
        kept = self._start, self._start + len(self._bases)
        if contig != self._contig or start < kept[0] or end > kept[1]:
            first = max(0, start - FARTHEST)
            last = min(max(end, first + _WINDOW), CONTIG_LENGTHS[contig])
            self._bases = self._read(Block(contig, first, last))
            self._contig, self._start = contig, first
        return self._bases[start - self._start : end - self._start]

    def has(self, contig: str, start: int, ref: str) -> bool:
        """Tell whether REF is what the reference has. Letters of several bases agree with any.

        Args:
            contig: Name of the contig.
            start: First base, 0-based.
            ref: REF, in capitals.
        """
        there = self.bases(contig, start, start + len(ref))
        if there == ref:
            return True
        pairs = zip(there, ref, strict=False)
        alike = (one == other or not {one, other} <= _KNOWN for one, other in pairs)
        return len(there) == len(ref) and all(alike)


def read_allele(
    record: RecordAlleles, number: int, reference: ReferenceBases | None
) -> StoredAllele | str:
    """Read one alternate allele.

    Symbolic alleles are kept if they are deletions, duplications, insertions, inversions or copy
    numbers, and if INFO states their length: SVLEN or END, of insertions SVLEN.

    Args:
        record: The record.
        number: Number of the allele, 1 for the first alternate one.
        reference: The reference, in which insertions and deletions are left-aligned. None: they
            stay where the record has them, and nobody knows how far they can be moved.

    Returns:
        The allele in the form of a store, or the reason why it is left out.
    """
    alt = record.alts[number - 1]
    if _SEQUENCE.fullmatch(alt) and _SEQUENCE.fullmatch(record.ref):
        return _read_sequence(record, alt, reference)
    if _SYMBOLIC.fullmatch(alt):
        lengths = _lengths(record)
        if lengths is None:
            return OTHER_LENGTHS
        length = lengths[number - 1]
        reach = 0 if alt.startswith("<INS") else length
        if not length or record.start + 1 + reach > CONTIG_LENGTHS[record.contig]:
            return NO_LENGTH
        return StoredAllele(record.start, record.ref[:1], alt, length, reach)
    return _reason(alt)


def _reason(alt: str) -> str:
    """Say why an allele that is neither bases nor a known symbol is left out."""
    if alt == "*":
        return SPANNING_DELETION
    if alt in ("<NON_REF>", "<*>", "<X>"):
        return ANY_ALLELE
    is_breakend = "[" in alt or "]" in alt or alt.startswith(".") or alt.endswith(".")
    return BREAKEND if is_breakend or alt == "<BND>" else OTHER_SYMBOL


def _read_sequence(
    record: RecordAlleles, alt: str, reference: ReferenceBases | None
) -> StoredAllele | str:
    if alt == record.ref:
        return EQUALS_REFERENCE
    trimmed = StoredAllele(*without_shared_bases(record.start, record.ref, alt))
    if not _KNOWN.issuperset(trimmed.ref + trimmed.alt):
        return OTHER_BASES
    if reference is None:
        return trimmed
    if not reference.has(record.contig, record.start, record.ref):
        return OTHER_REFERENCE
    return _in_normal_form(record.contig, trimmed, reference)


def _lengths(record: RecordAlleles) -> list[int] | None:
    """Return the lengths of symbolic alleles in bases, 0 where the record does not state one.

    SVLEN is that of each allele, END the last base of the longest (VCF 4.5, sections 1.6.1 and 3).
    Before VCF 4.4 SVLEN was the difference to REF: of copy numbers not the length, of inversions 0.

    Returns:
        The lengths. None: SVLEN is malformed, or END is more than one base from the longest.
    """
    lengths = _stated_lengths(record)
    if lengths is None:
        return None
    end = _END.search(record.info)
    reach = int(end[1]) - record.start - 1 if end else 0
    longest, shortest = 0, len(record.ref) - 1
    for number, alt in enumerate(record.alts):
        if _SPANS.match(alt):
            lengths[number] = _span(alt, lengths[number], reach if reach > shortest else 0)
            longest = max(longest, lengths[number])
    contradicts = longest and end and abs(reach - max(longest, shortest)) > 1
    return None if contradicts else lengths


def _span(alt: str, stated: int, by_end: int) -> int:
    """Choose between SVLEN and END, 0 where not stated: END of copy numbers, else SVLEN."""
    return (_COPY_NUMBER.fullmatch(alt) and by_end) or stated or by_end


def _stated_lengths(record: RecordAlleles) -> list[int] | None:
    """Read SVLEN, without its signs. None: it is not one number for each alternate allele."""
    stated = _SVLEN.search(record.info)
    if stated is None or stated[1] in ("", "."):
        return [0] * len(record.alts)
    texts = stated[1].split(",")
    if len(texts) != len(record.alts) or not all(map(_LENGTH.fullmatch, texts)):
        return None
    return [0 if text == "." else abs(int(text)) for text in texts]


def _in_normal_form(contig: str, allele: StoredAllele, reference: ReferenceBases) -> StoredAllele:
    """Left-align an allele (Tan, Abecasis and Kang 2015, doi:10.1093/bioinformatics/btv112)."""
    start, ref, alt = allele[:3]
    if len(ref) == len(alt) or ref[0] != alt[0] or min(len(ref), len(alt)) > 1:
        return allele
    bases, is_deletion = ref[1:] or alt[1:], len(ref) > 1
    left = reference.bases(contig, start - FARTHEST, start + 1)
    shift = 0  # to the left: each base that enters in front leaves at the end
    while shift < len(left) - 1 and left[-1 - shift] == bases[-1 - shift % len(bases)]:
        shift += 1
    turn = shift % len(bases)
    bases = bases[len(bases) - turn :] + bases[: len(bases) - turn]
    start, base = start - shift, left[-1 - shift]
    behind = reference.bases(contig, start + 1, start + 1 + len(bases) + FARTHEST)
    right = shift_right(behind, 0, bases, is_deletion)
    ref, alt = (base + bases, base) if is_deletion else (base, base + bases)
    return StoredAllele(start, ref, alt, shift=right)
