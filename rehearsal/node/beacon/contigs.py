"""Contigs of GRCh38 in Beacon requests."""

from __future__ import annotations

from rehearsal.errors import shown
from rehearsal.genomes.contig_names import find_contig
from rehearsal.web.problem import Problem


def contig_named(name: str, where: str = "referenceName") -> str:
    """Find a contig by any of its usual names.

    Args:
        name: For example ``17``, ``chr17`` or ``NC_000017.11``.
        where: Place of the name in the request, for the message.

    Returns:
        The contig's name, ``chr17``.

    Raises:
        Problem: GRCh38 has no such contig (400).
    """
    contig = find_contig(name)
    if contig is None:
        raise Problem.mismatch(where, "a contig of GRCh38, like chr17", shown(name))
    return contig
