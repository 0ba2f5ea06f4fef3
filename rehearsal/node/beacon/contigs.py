"""Contigs of GRCh38 in Beacon requests."""

from __future__ import annotations

from rehearsal.errors import shown
from rehearsal.genomes.contig_names import find_contig
from rehearsal.web.problem import Problem


def contig_named(name: str) -> str:
    """The contig of any name that clients use. Raises Problem for what is none of GRCh38."""
    contig = find_contig(name)
    if contig is None:
        raise Problem(f"referenceName {shown(name)} is no contig of GRCh38")
    return contig
