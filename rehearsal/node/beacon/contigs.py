"""Contigs of GRCh38 and GRCh37 in Beacon requests."""

from __future__ import annotations

from collections.abc import Mapping

from rehearsal.errors import shown
from rehearsal.genomes.assembly import CONTIG_LENGTHS, LENGTHS_OF_GRCH37
from rehearsal.genomes.contig_names import find_contig
from rehearsal.web.problem import Problem

# requests mean NC_012920.1 by chrM, whatever the assembly
_GRCH37 = LENGTHS_OF_GRCH37 | {"chrM": CONTIG_LENGTHS["chrM"]}


def contig_lengths(on_grch37: bool) -> Mapping[str, int]:
    """Return the length of each contig in bases.

    Args:
        on_grch37: Whether positions are on GRCh37; else on GRCh38.
    """
    return _GRCH37 if on_grch37 else CONTIG_LENGTHS


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
