"""Carriers as BCF records: the file of some people on one contig, written with its index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehearsal.files import atomic_path
from rehearsal.formats.bcf import BcfWriter, Header, Sites, make_template
from rehearsal.genomes.assembly import ASSEMBLY, listed_contigs
from rehearsal.genomes.carriers import CarrierChunk


@dataclass(frozen=True, slots=True)
class Samples:
    """The people of a file, in its order; their haplotypes follow each other in the block's."""

    ids: list[str]
    male: NDArray[np.bool_]
    ploidy: NDArray[np.int8]  # 0, 1 or 2 on the file's contig
    first_haplotype: int = 0  # of the first of them, among the block's


@contextmanager
def open_bcf(path: Path | str, contig: str, length: int, samples: Samples) -> Iterator[BcfWriter]:
    """Write the BCF at ``path``, and its index at ``path.csi`` when the block ends well.

    Both are whole or not there. ``length``: of the contig, in bases.
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
    """A chunk's sites as ``BcfWriter.write`` takes them, of the people of one file.

    ``start`` and ``end`` bound their entries by site; ``people`` (rows, 2, 3) counts homozygous,
    heterozygous and hemizygous people of either sex by alternate allele.
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
    )
