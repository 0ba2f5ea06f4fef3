"""GRCh38 contigs by all the names that clients use."""

from __future__ import annotations

from rehearsal.genomes.assembly import REFSEQ
from rehearsal.web.problem import Problem, shown

ASSEMBLIES = ("GRCh38", "hg38")

CONTIGS = {accession: contig for contig, accession in REFSEQ.items()}


def contig_named(name: str) -> str:
    """``chr17`` for any of ``17``, ``chr17``, ``NC_000017.11``, ``refseq:NC_000017.11``.

    Raises Problem for anything that is no contig of GRCh38.
    """
    short = name.removeprefix("refseq:")
    if short in CONTIGS:
        return CONTIGS[short]
    short = short.removeprefix("chr")
    contig = "chrM" if short == "MT" else f"chr{short}"
    if contig not in REFSEQ:
        raise Problem(f"referenceName {shown(name)} is no contig of GRCh38")
    return contig
