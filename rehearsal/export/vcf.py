"""VCF 4.3 or 4.2: BCF with its CSI index, and bgzipped VCF with its TBI index."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from rehearsal.export.genotypes import Genotypes
from rehearsal.formats.bcf import BcfWriter, RecordWriter
from rehearsal.formats.bcf_header import VCF_VERSIONS
from rehearsal.formats.vcf import VcfWriter
from rehearsal.genomes.allele_notes import AlleleNotes
from rehearsal.genomes.bcf_records import bcf_levels, bcf_sites, bcf_template, open_records
from rehearsal.genomes.carriers import count_groups
from rehearsal.genomes.reference_identity import ReferenceIdentity


def write_bcf(
    genotypes: Genotypes,
    path: Path | str,
    consequences: pd.DataFrame | None = None,
    version: str = VCF_VERSIONS[0],
) -> None:
    """Write the BCF at ``path`` and its index at ``path.csi``.

    INFO has AN, AC, AF and AC by zygosity, for all people and for each sex, and BCSQ.
    On chrM, FORMAT has HF, the fraction of each alternate allele, beside the major allele in GT. At
    copy numbers it has CN, the copies of each person.

    Args:
        genotypes: The genotypes of one contig.
        path: The ``.bcf`` file.
        consequences: The table of ``annotate_block`` of the contig's blocks, for ``INFO/BCSQ``.
        version: The version of VCF that the header names. Old programs refuse 4.3.

    Raises:
        InputError: A site has more than 62 alternate alleles.
    """
    with open_records(BcfWriter, path, *_about(genotypes), version) as writer:
        _write_records(genotypes, consequences, writer)


def write_vcf(
    genotypes: Genotypes,
    path: Path | str,
    consequences: pd.DataFrame | None = None,
    version: str = VCF_VERSIONS[0],
) -> None:
    """Write the bgzipped VCF at ``path`` and its index at ``path.tbi``.

    It has the records of :func:`write_bcf`.

    Args:
        genotypes: The genotypes of one contig.
        path: The ``.vcf.gz`` file.
        consequences: The table of ``annotate_block`` of the contig's blocks, for ``INFO/BCSQ``.
        version: The version of VCF that the header names. Old programs refuse 4.3.
    """
    with open_records(VcfWriter, path, *_about(genotypes), version) as writer:
        _write_records(genotypes, consequences, writer)


def _about(genotypes: Genotypes) -> tuple[str, int, list[str], ReferenceIdentity]:
    ids = genotypes.people["id"].tolist()
    return genotypes.contig, genotypes.length, ids, genotypes.identity


def _write_records(
    genotypes: Genotypes, consequences: pd.DataFrame | None, writer: RecordWriter
) -> None:
    male, notes = genotypes.male, AlleleNotes(consequences)
    mixtures = genotypes.mixtures() if genotypes.contig == "chrM" else None
    for chunk, haplotypes in genotypes.chunks():
        people = count_groups(chunk, haplotypes, male.astype(np.int32), 2).by_zygosity()
        template = bcf_template(genotypes.contig, haplotypes.ploidy, male)
        texts = notes.of_chunk(chunk)
        present = np.logical_or.reduce(people, axis=(1, 2))
        sites = bcf_sites(chunk, chunk.indptr[:-1], chunk.indptr[1:], people, present, texts)
        writer.write(sites, template, bcf_levels(chunk, mixtures))
