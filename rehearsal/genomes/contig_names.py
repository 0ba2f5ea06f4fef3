"""The names that clients and files use for assemblies and their contigs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from rehearsal.genomes.assembly import REFSEQ
from rehearsal.logs import note

ASSEMBLIES = ("GRCh38", "hg38")
EARLIER_ASSEMBLIES = ("GRCh37", "hg19", "b37")

CONTIG_OF_ACCESSION = {accession: contig for contig, accession in REFSEQ.items()}
# the accession without its version is that of the chromosome in any assembly
_CONTIG_OF_CHROMOSOME = {name.partition(".")[0]: c for name, c in CONTIG_OF_ACCESSION.items()}
# GenBank's, all of the second version in GRCh38; chrM is the same sequence in both assemblies
_GENBANK = {f"CM{663 + n:06d}.2": c for n, c in enumerate(REFSEQ) if c != "chrM"}
_GENBANK["J01415.2"] = "chrM"
_CONTIG_OF_CHROMOSOME |= {name.partition(".")[0]: c for name, c in _GENBANK.items()}
_ACCESSION = re.compile(r"NC_\d{6}\.\d+")


def _version_before(accession: str) -> str:
    name, _, version = accession.partition(".")
    return f"{name}.{int(version) - 1}"


# GRCh37 (GCF_000001405.25) has the version before of every chromosome, and the same chrM
CONTIG_OF_EARLIER_ACCESSION = {
    _version_before(accession): contig for contig, accession in REFSEQ.items() if contig != "chrM"
}


def find_contig(name: str) -> str | None:
    """Find a contig of GRCh38 by any of its names.

    Args:
        name: For example ``17``, ``chr17``, ``CHR17``, ``NC_000017.11``, ``refseq:NC_000017.11`` or
            ``CM000679.2``.

    Returns:
        The name used inside, ``chr17``, or None if the name is no contig of GRCh38.
    """
    short = name.removeprefix("refseq:").upper()
    if of_accession := CONTIG_OF_ACCESSION.get(short) or _GENBANK.get(short):
        return of_accession
    short = short.removeprefix("CHR")
    contig = "chrM" if short == "MT" else f"chr{short}"
    return contig if contig in REFSEQ else None


def names_in_files(contig: str) -> list[str]:
    """List the names of a contig in files of UCSC and GENCODE, of Ensembl, and of NCBI.

    Args:
        contig: The name used inside.

    Returns:
        The names, that used inside first.
    """
    names = [contig, contig.removeprefix("chr"), REFSEQ[contig]]
    return [*names, "MT", "chrMT"] if contig == "chrM" else names


def note_other_names(path: Path | str, names: Iterable[str | None]) -> None:
    """Say once in the log which contigs a file names otherwise than the run's files.

    Args:
        path: The file.
        names: Names in the file. Those that are no contigs of GRCh38 are ignored.
    """
    found = {name: find_contig(name) for name in names if name}
    note_renamed(path, {name: contig for name, contig in found.items() if contig})


def note_renamed(path: Path | str, contigs: Mapping[str, str]) -> None:
    """Say once in the log which contigs a file names otherwise, where they are known.

    Args:
        path: The file.
        contigs: The names used inside, by those in the file.
    """
    others = [name for name, contig in contigs.items() if name != contig]
    if others:
        more = f", and {len(others) - 1} more likewise" if len(others) > 1 else ""
        note(f"{path}: contig {others[0]} is read as {contigs[others[0]]}{more}")


def find_contig_of_grch37(name: str) -> str | None:
    """Find a contig of GRCh37 by any of its names.

    Args:
        name: For example ``17``, ``chr17`` or ``NC_000017.10``.

    Returns:
        The name used inside, ``chr17``, or None if the name is no contig.
    """
    chromosome = name.removeprefix("refseq:").partition(".")[0]
    return _CONTIG_OF_CHROMOSOME.get(chromosome) or find_contig(name)


def accession_in(name: str) -> tuple[str, str] | None:
    """Find the RefSeq accession with which a name begins, and the assembly that it belongs to.

    Args:
        name: For example ``NC_000017.10`` or ``refseq:NC_000017.11:g.43057063G>A``.

    Returns:
        The accession, and GRCh38 or GRCh37. None: the name begins with another one, or with that of
        chrM, which is the same in both.
    """
    found = _ACCESSION.match(name.removeprefix("refseq:"))
    if found is None or found[0] == REFSEQ["chrM"]:
        return None
    if found[0] in CONTIG_OF_ACCESSION:
        return found[0], ASSEMBLIES[0]
    return (found[0], EARLIER_ASSEMBLIES[0]) if found[0] in CONTIG_OF_EARLIER_ACCESSION else None
