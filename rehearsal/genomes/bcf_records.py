"""Write carriers as BCF: the records of some people on one contig, with an index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.files import atomic_path
from rehearsal.formats.bcf import NO_LEVELS, BcfWriter, make_template
from rehearsal.formats.bcf_header import Header
from rehearsal.formats.bcf_kernel import Levels, RecordTemplate, Sites
from rehearsal.genomes.allele_notes import Notes
from rehearsal.genomes.assembly import ASSEMBLY, listed_contigs
from rehearsal.genomes.carriers import CarrierChunk


@contextmanager
def open_bcf(path: Path | str, contig: str, length: int, ids: list[str]) -> Iterator[BcfWriter]:
    """Open a BCF file to write, and write its index when the ``with`` block ends well.

    Both files appear whole or not at all.

    Args:
        path: The BCF file. Its index becomes ``{path}.csi``.
        contig: Contig of all records.
        length: Length of the contig in bases.
        ids: Names of the samples, in the order of the file's columns.

    Yields:
        A writer that takes the results of :func:`bcf_sites`, in order of position, with the
        template of their block (:func:`bcf_template`).
    """
    contigs = listed_contigs(contig, length)
    header = Header(contigs, ids, ASSEMBLY)
    with atomic_path(path) as aside, atomic_path(f"{path}.csi") as csi:
        with BcfWriter(aside, header, list(contigs).index(contig)) as writer:
            yield writer
        writer.write_index(csi)


def bcf_template(
    contig: str, ploidy: NDArray[np.int8], male: NDArray[np.bool_], first_haplotype: int = 0
) -> RecordTemplate:
    """Build what all records of one block in a file of :func:`open_bcf` begin with.

    Args:
        contig: Contig of the file.
        ploidy: Copies that each sample has in the block: 0, 1 or 2, shape (n_samples,).
        male: Whether each sample is a man's, shape (n_samples,).
        first_haplotype: Index of the first sample's first haplotype in the block. The samples'
            haplotypes are one contiguous range of the block's.

    Returns:
        The template.
    """
    index = list(listed_contigs(contig, 0)).index(contig)
    return make_template(ploidy, male, first_haplotype, index)


def bcf_sites(
    chunk: CarrierChunk,
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    people: NDArray[np.int32],
    notes: Notes,
) -> Sites:
    """Select from a chunk what ``BcfWriter.write`` needs for the people of one file.

    Args:
        chunk: Carriers of S consecutive sites.
        start: First entry of each site that belongs to the file's people, shape (S,).
        end: One past the last such entry of each site, shape (S,).
        people: Homozygous, heterozygous and hemizygous people of either sex, by alternate allele.
            Shape (R, 2, 3), where R is the number of alternate alleles in the chunk.
        notes: Consequences of the chunk's alternate alleles.

    Returns:
        The sites, as views of the chunk's arrays where possible.
    """
    sites = slice(chunk.first_site, chunk.first_site + chunk.positions.size)
    return Sites(
        chunk.positions,
        chunk.row_offset,
        chunk.table.site_offset[sites],
        chunk.table.text,
        chunk.table.text_offset,
        chunk.haplotype,
        chunk.allele,
        start,
        end,
        people,
        chunk.affected_end,
        chunk.svlen,
        notes.text,
        notes.offset,
    )


def bcf_levels(chunk: CarrierChunk, mixtures: pd.DataFrame | None) -> Levels:
    """Select the levels of heteroplasmy of a chunk's sites.

    Args:
        chunk: Carriers of S consecutive sites of chrM.
        mixtures: The table of ``heteroplasmy_of``; individuals are the file's samples. None for
            files of other contigs, whose records have no levels.

    Returns:
        The levels, for ``BcfWriter.write``.
    """
    if mixtures is None:
        return NO_LEVELS
    here = mixtures[mixtures["position"].isin(chunk.positions)].sort_values(
        ["position", "individual"]
    )
    site = np.searchsorted(chunk.positions, here["position"].to_numpy())
    alleles = [chunk.table.of_site(chunk.first_site + int(number)) for number in site]
    # 0, which no record shows, for an allele that nobody of the file has
    allele = [
        own.index(alt) if alt in own else 0 for own, alt in zip(alleles, here["alt"], strict=True)
    ]
    return Levels(
        np.searchsorted(site, np.arange(chunk.positions.size + 1)).astype(np.int64),
        here["individual"].to_numpy(np.int64),
        np.array(allele, np.int64),
        here["level"].to_numpy(np.float32),
    )
