"""Write carriers as BCF: the records of some people on one contig, with an index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehearsal.files import atomic_path
from rehearsal.formats.bcf import BcfWriter, make_template
from rehearsal.formats.bcf_header import Header
from rehearsal.formats.bcf_kernel import Sites
from rehearsal.genomes.assembly import ASSEMBLY, listed_contigs
from rehearsal.genomes.carriers import CarrierChunk


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of a BCF file. Their haplotypes are one contiguous range of the block's."""

    ids: list[str]  # sample names, in the order of the file's columns
    male: NDArray[np.bool_]  # (n_samples,)
    ploidy: NDArray[np.int8]  # (n_samples,) copies of the file's contig: 0, 1 or 2
    first_haplotype: int = 0  # index of the first sample's first haplotype in the block


@contextmanager
def open_bcf(path: Path | str, contig: str, length: int, samples: Samples) -> Iterator[BcfWriter]:
    """Open a BCF file to write, and write its index when the ``with`` block ends well.

    Both files appear whole or not at all.

    Args:
        path: The BCF file. Its index becomes ``{path}.csi``.
        contig: Contig of all records.
        length: Length of the contig in bases.
        samples: The people of the file.

    Yields:
        A writer that takes the results of :func:`bcf_sites`, in order of position.
    """
    contigs = listed_contigs(contig, length)
    template = make_template(
        samples.ploidy, samples.male, samples.first_haplotype, list(contigs).index(contig)
    )
    header = Header(contigs, samples.ids, ASSEMBLY)
    with atomic_path(path) as aside, atomic_path(f"{path}.csi") as csi:
        with BcfWriter(aside, header, template) as writer:
            yield writer
        writer.write_index(csi)


def bcf_sites(
    chunk: CarrierChunk,
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    people: NDArray[np.int32],
) -> Sites:
    """Select from a chunk what ``BcfWriter.write`` needs for the people of one file.

    Args:
        chunk: Carriers of S consecutive sites.
        start: First entry of each site that belongs to the file's people, shape (S,).
        end: One past the last such entry of each site, shape (S,).
        people: Homozygous, heterozygous and hemizygous people of either sex, by alternate allele.
            Shape (R, 2, 3), where R is the number of alternate alleles in the chunk.

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
    )
