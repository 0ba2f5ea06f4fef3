"""Write carriers as BCF or VCF: the records of some people on one contig, with an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.files import atomic_path
from rehearsal.formats.bcf import NO_LEVELS, RecordWriter, make_template
from rehearsal.formats.bcf_alleles_kernel import Sites
from rehearsal.formats.bcf_header import VCF_VERSIONS, Header, Reference
from rehearsal.formats.bcf_kernel import Levels, RecordTemplate
from rehearsal.genomes.allele_notes import Notes
from rehearsal.genomes.assembly import listed_contigs
from rehearsal.genomes.carriers import CarrierChunk
from rehearsal.genomes.reference_identity import ReferenceIdentity

_Writer = TypeVar("_Writer", bound=RecordWriter)


@contextmanager
def open_records(
    form: type[_Writer],
    path: Path | str,
    contig: str,
    length: int,
    ids: list[str],
    identity: ReferenceIdentity,
    version: str = VCF_VERSIONS[0],
) -> Iterator[_Writer]:
    """Open a file of records to write, and write its index when the ``with`` block ends well.

    Both files appear whole or not at all.

    Args:
        form: What writes: ``BcfWriter``, ``VcfWriter`` or a class of one of them.
        path: The file. The name of its index is longer by the form's ``INDEX``.
        contig: Contig of all records.
        length: Length of the contig in bases.
        ids: Names of the samples, in the order of the file's columns.
        identity: What the sequences of the reference are.
        version: The version of VCF that the header names, of ``VCF_VERSIONS``.

    Yields:
        A writer that takes the results of :func:`bcf_sites`, in order of position, with the
        template of their block (:func:`bcf_template`).
    """
    contigs = listed_contigs(contig, length)
    header = Header(contigs, ids, header_reference(identity, contigs), version)
    with atomic_path(path) as aside, atomic_path(f"{path}{form.INDEX}") as index:
        with form(aside, header, list(contigs).index(contig)) as writer:
            yield writer
        writer.write_index(index)


def header_reference(identity: ReferenceIdentity, contigs: Iterable[str]) -> Reference:
    """Select what headers of VCF and of formats like it say of the reference.

    Args:
        identity: What the sequences of the reference are.
        contigs: Names of the contigs that the header lists.
    """
    contigs = list(contigs)
    md5 = {name: one.md5 for name, one in identity.contigs.items() if name in contigs}
    return Reference(identity.file, {name: identity.assembly(name) for name in contigs}, md5)


def bcf_template(
    contig: str, ploidy: NDArray[np.int8], male: NDArray[np.bool_], first_haplotype: int = 0
) -> RecordTemplate:
    """Build what all records of one block in a file of :func:`open_records` begin with.

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
    present: NDArray[np.bool_],
    notes: Notes,
) -> Sites:
    """Select from a chunk what ``BcfWriter.write`` needs for the people of one file.

    A record has the alleles that are present, cut to the fewest bases that name them.

    Args:
        chunk: Carriers of S consecutive sites.
        start: First entry of each site that belongs to the file's people, shape (S,).
        end: One past the last such entry of each site, shape (S,).
        people: Homozygous, heterozygous and hemizygous people of either sex, by alternate allele.
            Shape (R, 2, 3), where R is the number of alternate alleles in the chunk.
        present: Which alternate alleles the file's people have, shape (R,).
        notes: Consequences of the chunk's alternate alleles.

    Returns:
        The sites, as views of the chunk's arrays where possible.
    """
    sites = slice(chunk.first_site, chunk.first_site + chunk.positions.size)
    cut = chunk.cuts(present)
    return Sites(
        chunk.positions,
        chunk.row_offset,
        chunk.table.site_offset[sites],
        chunk.table.text,
        chunk.table.text_offset,
        cut,
        chunk.haplotype,
        chunk.allele,
        start,
        end,
        people,
        chunk.affected_end - cut,
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
