"""The names that clients use for GRCh38 and its contigs."""

from __future__ import annotations

from rehearsal.genomes.assembly import REFSEQ

ASSEMBLIES = ("GRCh38", "hg38")

CONTIG_OF_ACCESSION = {accession: contig for contig, accession in REFSEQ.items()}


def find_contig(name: str) -> str | None:
    """Find a contig of GRCh38 by any of its names.

    Args:
        name: For example ``17``, ``chr17``, ``NC_000017.11`` or ``refseq:NC_000017.11``.

    Returns:
        The name used inside, ``chr17``, or None if the name is no contig of GRCh38.
    """
    short = name.removeprefix("refseq:")
    if short in CONTIG_OF_ACCESSION:
        return CONTIG_OF_ACCESSION[short]
    short = short.removeprefix("chr")
    contig = "chrM" if short == "MT" else f"chr{short}"
    return contig if contig in REFSEQ else None
