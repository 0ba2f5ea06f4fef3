"""Genomic HGVS descriptions (``NC_000017.11:g.43057063G>A``) of alleles and back.

Alleles are trimmed of the bases that REF and ALT share, nothing more: a node holds no reference
sequence, so the 3' rule cannot shift a deletion or insertion along a repeat, and an insertion is
called a duplication only where REF itself shows the bases that it repeats. Positions in HGVS
are 1-based.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rehearsal.errors import shown
from rehearsal.genomes.assembly import REFSEQ
from rehearsal.genomes.contig_names import CONTIG_OF_ACCESSION
from rehearsal.web.problem import Problem

PATTERN = re.compile(
    r"(?P<accession>NC_\d{6}\.\d+):g\.(?P<first>\d{1,10})(?:_(?P<last>\d{1,10}))?"
    r"(?:(?P<ref>[ACGT])>(?P<alt>[ACGT])"
    r"|del(?P<deleted>[ACGT]*)(?:ins(?P<delins>[ACGT]+))?"
    r"|dup(?P<duplicated>[ACGT]*)"
    r"|ins(?P<inserted>[ACGT]+))"
)


@dataclass(frozen=True, slots=True)
class TrimmedAllele:
    """``[start, end)`` of the reference replaced by ``inserted``; nothing shared at the ends."""

    contig: str
    start: int
    deleted: str
    inserted: str

    @property
    def end(self) -> int:
        return self.start + len(self.deleted)


def trimmed(contig: str, start: int, ref: str, alt: str) -> TrimmedAllele:
    """The allele without shared last bases, then without shared first bases."""
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    shared = 0
    while shared < min(len(ref), len(alt)) and ref[shared] == alt[shared]:
        shared += 1
    return TrimmedAllele(contig, start + shared, ref[shared:], alt[shared:])


def describe(contig: str, start: int, ref: str, alt: str) -> str:
    """The genomic HGVS description of a VCF-like allele with a 0-based start."""
    if len(ref) == len(alt) == 1 and ref != alt:
        return f"{REFSEQ.get(contig, contig)}:g.{start + 1}{ref}>{alt}"
    allele = trimmed(contig, start, ref, alt)
    first, last = allele.start + 1, allele.end
    where = f"{first}" if first == last else f"{first}_{last}"
    if not allele.deleted:
        change = _insertion(allele, start, ref, alt)
    elif not allele.inserted:
        change = f"{where}del"
    elif len(allele.deleted) == len(allele.inserted) == 1:  # with bases that both share
        change = f"{first}{allele.deleted}>{allele.inserted}"
    else:
        change = f"{where}delins{allele.inserted}"
    return f"{REFSEQ.get(contig, contig)}:g.{change}"


def _insertion(allele: TrimmedAllele, start: int, ref: str, alt: str) -> str:
    """``..dup`` where the bases before or behind it, as far as REF shows them, are the same."""
    size = len(allele.inserted)
    before, behind = ref[: allele.start - start], ref[allele.start - start :]
    if behind.startswith(allele.inserted) and size:
        return _duplication(allele.start, size)
    if before.endswith(allele.inserted) and size:
        return _duplication(allele.start - size, size)
    return f"{allele.start}_{allele.start + 1}ins{allele.inserted}"


def _duplication(start: int, size: int) -> str:
    return f"{start + 1}dup" if size == 1 else f"{start + 1}_{start + size}dup"


@dataclass(frozen=True, slots=True)
class Description:
    """A parsed description: where to look, ``[start, end)``, and what its text must then be."""

    contig: str
    start: int
    end: int
    text: str


def parse(text: str) -> Description:
    """A description of a substitution, deletion, insertion, duplication or both.

    Raises Problem when it is none that a genome can be asked for, e.g. ``c.`` or ``p.``.
    """
    match = PATTERN.fullmatch(text)
    contig = CONTIG_OF_ACCESSION.get(match["accession"]) if match else None
    if match is None or contig is None:
        raise Problem(
            f"genomicAlleleShortForm {shown(text)} is no genomic description on GRCh38, "
            "e.g. NC_000017.11:g.43057063G>A"
        )
    first, last = int(match["first"]), int(match["last"] or match["first"])
    if fault := _find_fault(match, first, last):
        raise Problem(f"genomicAlleleShortForm {shown(text)}: {fault}")
    return Description(contig, first - 1, last, _canonical(match))


def _find_fault(match: re.Match[str], first: int, last: int) -> str | None:
    """What is wrong with the positions of a description; they are 1-based, both included."""
    if first < 1 or last < first:
        return "positions are from 1 upwards"
    if match["inserted"] and last != first + 1:
        return "an insertion stands between two neighbours"
    for stated in (match["deleted"], match["duplicated"]):
        if stated and len(stated) != last - first + 1:
            return f"{stated} is not as long as its range"
    return None


def _canonical(match: re.Match[str]) -> str:
    """The same without the bases that newer HGVS leaves out (``delCT`` is ``del``)."""
    where = match["first"]
    if match["last"] and match["last"] != match["first"]:
        where += f"_{match['last']}"
    if match["ref"]:
        change = f"{match['ref']}>{match['alt']}"
    elif match["inserted"]:
        change = f"ins{match['inserted']}"
    elif match["duplicated"] is not None:
        change = "dup"
    else:
        change = "del" + (f"ins{match['delins']}" if match["delins"] else "")
    return f"{match['accession']}:g.{where}{change}"
