"""Genomic HGVS descriptions of alleles (``NC_000017.11:g.43057063G>A``).

Alleles are trimmed of the bases that REF and ALT share. By the 3' rule, an insertion or deletion in
a repeat stands at its last place, and an insertion is a duplication where it repeats the bases
before it. A store says how far an indel can be moved. Where it was built without a reference
sequence, only the bases of REF itself are known. Positions in HGVS are 1-based.
"""

from __future__ import annotations

from dataclasses import dataclass

from rehearsal.genomes.assembly import REFSEQ


@dataclass(frozen=True, slots=True)
class TrimmedAllele:
    """An allele without shared bases at its ends: ``deleted`` is replaced by ``inserted``."""

    contig: str
    start: int  # 0-based
    deleted: str
    inserted: str

    @property
    def end(self) -> int:
        """The end of the replaced bases, exclusive."""
        return self.start + len(self.deleted)


def numbered(contig: str) -> str:
    """Return what stands before the change: the sequence, and g., or m. of mitochondrial DNA.

    Args:
        contig: Contig name.
    """
    return f"{REFSEQ.get(contig, contig)}:{'m' if contig == 'chrM' else 'g'}."


def trimmed(contig: str, start: int, ref: str, alt: str) -> TrimmedAllele:
    """Remove the shared last bases of an allele, then its shared first bases.

    Args:
        contig: Contig name.
        start: Position, 0-based.
        ref: Reference bases.
        alt: Alternate bases.

    Returns:
        The trimmed allele.
    """
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    shared = 0
    while shared < min(len(ref), len(alt)) and ref[shared] == alt[shared]:
        shared += 1
    return TrimmedAllele(contig, start + shared, ref[shared:], alt[shared:])


def describe(contig: str, start: int, ref: str, alt: str, shift: int = 0) -> str:
    """Write the genomic HGVS description of an allele in VCF notation.

    Args:
        contig: Contig name.
        start: Position, 0-based.
        ref: Reference bases.
        alt: Alternate bases.
        shift: Bases by which an insertion or deletion can be moved to the right.

    Returns:
        The description, with a RefSeq accession for contigs of GRCh38.
    """
    if len(ref) == len(alt) == 1 and ref != alt:
        return f"{numbered(contig)}{start + 1}{ref}>{alt}"
    allele = trimmed(contig, start, ref, alt)
    first, last = allele.start + 1 + shift, allele.end + shift
    where = f"{first}" if first == last else f"{first}_{last}"
    if not allele.deleted:
        change = _insertion(allele, start, ref, shift)
    elif not allele.inserted:
        change = f"{where}del"
    elif len(allele.deleted) == len(allele.inserted) == 1:  # after trimming shared bases
        change = f"{first}{allele.deleted}>{allele.inserted}"
    else:
        change = f"{where}delins{allele.inserted}"
    return f"{numbered(contig)}{change}"


def describe_moved(contig: str, start: int, deleted: str, inserted: str, before: str) -> str:
    """Write the genomic HGVS description of an insertion or deletion at its last place.

    Args:
        contig: Contig name.
        start: First deleted base, or the base before which bases are inserted, 0-based.
        deleted: The deleted bases.
        inserted: The inserted bases, if none are deleted.
        before: As many bases of the reference as are inserted, before the place.

    Returns:
        The description, as :func:`describe` writes it.
    """
    if deleted:
        end = start + len(deleted)
        change = f"{start + 1}{f'_{end}' if end > start + 1 else ''}del"
    elif before == inserted:
        change = _duplication(start - len(inserted), len(inserted))
    else:
        change = f"{start}_{start + 1}ins{inserted}"
    return f"{numbered(contig)}{change}"


def describe_structural(contig: str, start: int, end: int, alt: str, shift: int = 0) -> str | None:
    """Write the genomic HGVS description of a structural variant.

    Args:
        contig: Contig name.
        start: Position of the base before the event, 0-based.
        end: End of the affected bases, exclusive.
        alt: The symbolic allele.
        shift: Bases by which a deletion or duplication can be moved to the right.

    Returns:
        The description. None for insertions, whose bases are not known, and for copy numbers above
        2, of which no neighbouring copy is meant.
    """
    changes = {"<DEL": "del", "<CN0": "del", "<DUP": "dup", "<CN2": "dup", "<INV": "inv"}
    change = changes.get(alt[:4])
    if change is None or (alt.startswith("<CN") and alt[4:] != ">"):
        return None
    by = 0 if change == "inv" else shift
    return f"{numbered(contig)}{start + 2 + by}_{end + by}{change}"


def _insertion(allele: TrimmedAllele, start: int, ref: str, shift: int) -> str:
    """Return ``..dup`` when the inserted bases are known before or after it, else ``..ins``."""
    size = len(allele.inserted)
    if shift:
        place = allele.start + shift
        if shift >= size:
            return _duplication(place - size, size)
        bases = allele.inserted[shift % size :] + allele.inserted[: shift % size]
        return f"{place}_{place + 1}ins{bases}"
    before, behind = ref[: allele.start - start], ref[allele.start - start :]
    if behind.startswith(allele.inserted) and size:
        return _duplication(allele.start, size)
    if before.endswith(allele.inserted) and size:
        return _duplication(allele.start - size, size)
    return f"{allele.start}_{allele.start + 1}ins{allele.inserted}"


def _duplication(start: int, size: int) -> str:
    return f"{start + 1}dup" if size == 1 else f"{start + 1}_{start + size}dup"
