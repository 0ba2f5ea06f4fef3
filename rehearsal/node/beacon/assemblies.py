"""The assembly of a request: as it states it, or as an accession in it says."""

from __future__ import annotations

from rehearsal.errors import shown
from rehearsal.genomes.contig_names import ASSEMBLIES, EARLIER_ASSEMBLIES, accession_in
from rehearsal.node.beacon.request_models import VariantParameters
from rehearsal.web.problem import Problem

GRCH38, GRCH37 = ASSEMBLIES[0], EARLIER_ASSEMBLIES[0]


def assembly_of(parameters: VariantParameters) -> str | None:
    """Find the assembly that a request's positions are on.

    Args:
        parameters: The parameters.

    Returns:
        GRCh38 or GRCh37; None: the request does not say, which stands for GRCh38.

    Raises:
        Problem: The assembly is neither, or an accession is of the other one (400).
    """
    given = parameters.assemblyid if parameters.assembly_id is None else parameters.assembly_id
    sent = _text(given)
    stated = None if sent is None else _assembly_named(sent)
    name = _text(parameters.reference_name or parameters.genomic_allele_short_form)
    if sent is not None and sent.partition(".")[0] == "hg19" and name in ("chrM", "M"):
        # UCSC's hg19 has NC_001807 as chrM, hgdownload.soe.ucsc.edu/goldenPath/hg19/bigZips
        raise Problem.mismatch("referenceName", "MT, as chrM of hg19 is no NC_012920.1", name)
    return stated if name is None else assembly_of_name(name, stated)


def _text(sent: str | tuple[str, ...] | None) -> str | None:
    return sent[0] if isinstance(sent, tuple) else sent


def _assembly_named(sent: str) -> str:
    assembly = sent.partition(".")[0]
    if assembly in EARLIER_ASSEMBLIES:
        return GRCH37
    if assembly not in ASSEMBLIES:
        raise Problem.mismatch("assemblyId", "GRCh38 or GRCh37", shown(sent))
    return GRCH38


def assembly_of_name(name: str, stated: str | None) -> str | None:
    """Find the assembly of a contig or variant by its name.

    Args:
        name: The name, which may begin with a RefSeq accession.
        stated: The assembly that the request states, if any.

    Returns:
        GRCh38 or GRCh37; None: neither the name nor the request says.

    Raises:
        Problem: The accession is of the other assembly (400).
    """
    found = accession_in(name) if "NC_" in name else None
    if found is None:
        return stated
    accession, assembly = found
    if stated is not None and stated != assembly:
        raise Problem.mismatch("assemblyId", f"{assembly}, which has {accession}", stated)
    return assembly
