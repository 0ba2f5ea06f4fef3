"""Divide a block among countries: one sparse pass writes a BCF and a store part for each."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import tskit
from numpy.typing import NDArray

from rehearsal.errors import InputError, shown
from rehearsal.files import atomic_path
from rehearsal.formats.bcf import DigestingBcfWriter
from rehearsal.formats.bcf_kernel import RecordTemplate
from rehearsal.genomes.allele_kernels import copy_cut_alleles
from rehearsal.genomes.allele_notes import AlleleNotes
from rehearsal.genomes.bcf_records import bcf_levels, bcf_sites, bcf_template, open_records
from rehearsal.genomes.carriers import (
    CarrierChunk,
    GroupCounts,
    Haplotypes,
    carrier_chunks,
    count_groups,
)
from rehearsal.genomes.heteroplasmy import heteroplasmy_of
from rehearsal.genomes.indel_shifts import row_shifts
from rehearsal.genomes.reference_identity import ReferenceIdentity
from rehearsal.model import SEXES, Block
from rehearsal.stores.country_shards_kernel import entries_of_haplotypes, write_lists
from rehearsal.stores.variant_store import individuals_digest
from rehearsal.stores.variant_store_part import StorePartWriter


@dataclass(frozen=True, slots=True)
class _Country:
    """The people of one country: a contiguous range of rows, and so of haplotypes."""

    code: str
    number: int  # index among the countries; groups 2 * number (women) and 2 * number + 1 (men)
    people: pd.DataFrame
    individuals: slice
    haplotypes: slice

    @property
    def male(self) -> NDArray[np.bool_]:
        return self.people["sex"].to_numpy() == "male"


def write_shards(
    ts: tskit.TreeSequence,
    block: Block,
    people: pd.DataFrame,
    out_bcf: dict[str, Path],
    out_store_part: dict[str, Path],
    consequences: pd.DataFrame | None = None,
    reference: str = "",
) -> dict[str, str]:
    """Write the genotypes of one block for every country named in the two dicts, in one pass.

    A country's files hold the sites that at least one person there carries. Memory stays bounded
    whatever the number of sites.

    Args:
        ts: Tree sequence of the block.
        block: The block, 0-based half-open.
        people: One row per individual of the tree sequence, in that order, with ``id``, ``country``
            and ``sex``. The rows of a country are contiguous.
        out_bcf: BCF file to write, by country code. Its CSI index is written beside it
            (``.bcf.csi``). May be empty.
        out_store_part: Part of the variant store to write, by country code. May be empty.
        consequences: The table of ``annotate_block``, for ``INFO/BCSQ``.
        reference: Bases of the block, by which stores know all names of an insertion or deletion.
            Without them, they know the names that REF and ALT show.

    Returns:
        The SHA-256 of each BCF's content before compression, by country code.

    Raises:
        InputError: The people do not fit the tree sequence, or a country has no people.
    """
    haplotypes = Haplotypes.of(ts)
    countries = _countries(ts, people, haplotypes)
    wanted = _wanted(countries, [*out_bcf, *out_store_part])
    group = np.empty(len(people), np.int32)
    for country in countries.values():
        group[country.individuals] = 2 * country.number + country.male
    contig, length = block.contig, int(ts.sequence_length)
    with ExitStack() as stack:
        identity = ReferenceIdentity.of_trees(ts)
        bcfs = _open_bcfs(stack, out_bcf, contig, length, countries, identity)
        parts = _open_parts(stack, out_store_part, contig, length, countries)
        templates = {code: _template(contig, countries[code], haplotypes) for code in bcfs}
        mixtures = {code: _mixtures(ts, contig, countries[code]) for code in bcfs}
        allele_notes = AlleleNotes(consequences)
        for chunk in carrier_chunks(ts, haplotypes):
            counts = count_groups(chunk, haplotypes, group, 2 * len(countries))
            order = _store_order(chunk, counts)
            shifts = row_shifts(chunk, reference, block.start)
            notes = allele_notes.of_chunk(chunk)
            for country in wanted:
                shard = _Shard.of(chunk, counts, country)
                if country.code in bcfs:
                    own = shard.start, shard.end, shard.people, shard.carried
                    sites = bcf_sites(chunk, *own, notes)
                    levels = bcf_levels(chunk, mixtures[country.code])
                    bcfs[country.code].write(sites, templates[country.code], levels)
                if country.code in parts:
                    parts[country.code].write(
                        _store_columns(chunk, counts, order, shifts, shard, haplotypes)
                    )
    return {code: writer.content_digest for code, writer in bcfs.items()}


def _wanted(countries: dict[str, _Country], codes: list[str]) -> list[_Country]:
    """List the countries that get files, in the order of the people."""
    for code in codes:
        if code not in countries:
            raise InputError("people", "country", f"at least one person of {code}", "none")
    return [country for country in countries.values() if country.code in codes]


def _countries(
    ts: tskit.TreeSequence, people: pd.DataFrame, haplotypes: Haplotypes
) -> dict[str, _Country]:
    if len(people) != ts.num_individuals:
        expected = f"{ts.num_individuals}, the number of individuals in the tree sequence"
        raise InputError("people", "number of rows", expected, shown(len(people)))
    unknown = people["sex"][~people["sex"].isin(SEXES)]
    if len(unknown):
        raise InputError("people", "sex", " or ".join(SEXES), shown(unknown.iloc[0]))
    codes = people["country"].to_numpy()
    starts = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
    if len(set(codes[starts])) < starts.size:
        raise InputError("people", "country", "contiguous rows per country", "rows apart")
    countries = {}
    for number, (i0, i1) in enumerate(
        zip(starts.tolist(), [*starts[1:].tolist(), len(people)], strict=True)
    ):
        span = slice(int(haplotypes.offset[i0]), int(haplotypes.offset[i1]))
        countries[codes[i0]] = _Country(codes[i0], number, people.iloc[i0:i1], slice(i0, i1), span)
    return countries


def _open_bcfs(
    stack: ExitStack,
    paths: dict[str, Path],
    contig: str,
    length: int,
    countries: dict[str, _Country],
    identity: ReferenceIdentity,
) -> dict[str, DigestingBcfWriter]:
    writers = {}
    for code, path in paths.items():
        ids = countries[code].people["id"].tolist()
        writers[code] = stack.enter_context(
            open_records(DigestingBcfWriter, path, contig, length, ids, identity)
        )
    return writers


def _template(contig: str, country: _Country, haplotypes: Haplotypes) -> RecordTemplate:
    ploidy = haplotypes.ploidy[country.individuals]
    return bcf_template(contig, ploidy, country.male, country.haplotypes.start)


def _mixtures(ts: tskit.TreeSequence, contig: str, country: _Country) -> pd.DataFrame | None:
    """List a country's people with two alleles at a site of chrM, numbered as in its files."""
    if contig != "chrM":
        return None
    table, own = heteroplasmy_of(ts), country.individuals
    table = table[table["individual"].between(own.start, own.stop, inclusive="left")]
    return table.assign(individual=table["individual"] - own.start)


def _open_parts(
    stack: ExitStack,
    paths: dict[str, Path],
    contig: str,
    length: int,
    countries: dict[str, _Country],
) -> dict[str, StorePartWriter]:
    writers = {}
    for code, path in paths.items():
        people = countries[code].people
        aside = stack.enter_context(atomic_path(path))
        digest = individuals_digest(people["id"].tolist(), people["sex"].tolist())
        writer = StorePartWriter(aside, contig, length, digest)
        writers[code] = stack.enter_context(writer)
    return writers


@dataclass(frozen=True, slots=True)
class _Shard:
    """A country's share of a chunk."""

    country: _Country
    start: NDArray[np.int64]  # (n_sites,) the country's first entry of each site
    end: NDArray[np.int64]  # (n_sites,) one past its last entry
    people: NDArray[np.int32]  # (n_rows, 2 sexes, 3) homozygous, heterozygous, hemizygous
    carried: NDArray[np.bool_]  # (n_rows,) whether anybody there has the allele

    @classmethod
    def of(cls, chunk: CarrierChunk, counts: GroupCounts, country: _Country) -> _Shard:
        start, end = entries_of_haplotypes(
            chunk.indptr, chunk.haplotype, country.haplotypes.start, country.haplotypes.stop
        )
        sexes = slice(2 * country.number, 2 * country.number + 2)
        people = counts.by_zygosity(sexes)
        return cls(country, start, end, people, np.logical_or.reduce(people, axis=(1, 2)))


def _store_order(chunk: CarrierChunk, counts: GroupCounts) -> NDArray[np.int64]:
    """Order the chunk's rows as in the store: a site's alternate alleles by their own names."""
    order = np.arange(counts.site.size)
    offset = chunk.row_offset
    for site in np.flatnonzero(np.diff(offset) > 1):
        names = chunk.table.names_at(chunk.first_site + int(site))
        by_name = sorted(range(len(names)), key=names.__getitem__)
        order[offset[site] : offset[site + 1]] = offset[site] + np.array(by_name)
    return order


def _store_columns(
    chunk: CarrierChunk,
    counts: GroupCounts,
    order: NDArray[np.int64],
    shifts: NDArray[np.int32],
    shard: _Shard,
    haplotypes: Haplotypes,
) -> list[pa.Array]:
    """Select the country's rows of the chunk, as columns of a store part."""
    rows = order[shard.carried[order]]
    site, allele = counts.site[rows], counts.allele[rows]
    table = chunk.table
    ref = table.site_offset[chunk.first_site + site]
    cut = table.shared_end[ref + allele]
    columns = [pa.array(chunk.positions[site])]
    for which in (ref, ref + allele):
        text, offset = copy_cut_alleles(which, cut, table.text, table.text_offset)
        names = pa.StringArray.from_buffers(rows.size, pa.py_buffer(offset), pa.py_buffer(text))
        columns.append(names)
    behind_ref = chunk.positions[site] + table.text_offset[ref + 1] - table.text_offset[ref]
    structural = chunk.svlen[site], chunk.affected_end[site] - behind_ref
    columns += [pa.array(values.astype(np.int32)) for values in structural]
    columns.append(pa.array(shifts[rows]))
    for sex in range(2):
        hom, het, hemi = shard.people[rows, sex].T
        an = np.full(rows.size, counts.an[2 * shard.country.number + sex], np.int32)
        columns += [pa.array(values) for values in (an, 2 * hom + het + hemi, hom, het, hemi)]
    size = int((shard.end - shard.start).sum())
    carriers, homozygotes = np.empty((2, 5 * size), np.uint8)
    carriers_offset, homozygotes_offset = np.zeros((2, rows.size + 1), np.int32)
    write_lists(
        site,
        allele,
        shard.start,
        shard.end,
        chunk.haplotype,
        chunk.allele,
        haplotypes.individual,
        shard.country.individuals.start,
        len(shard.country.people),
        carriers,
        homozygotes,
        carriers_offset,
        homozygotes_offset,
    )
    lists = ((carriers, carriers_offset), (homozygotes, homozygotes_offset))
    for data, offset in lists:
        buffers = [None, pa.py_buffer(offset), pa.py_buffer(data[: offset[-1]].copy())]
        columns.append(pa.Array.from_buffers(pa.binary(), rows.size, buffers))
    return columns
