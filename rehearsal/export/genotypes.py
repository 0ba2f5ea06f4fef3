"""The genotypes of some people on one contig: what every genotype format is written from.

A selection is made once, as a smaller tree sequence, and all formats are written from that, so
all hold the same sites: those that somebody of the selection carries, with the alleles that are
carried. Blocks are loaded one after the other and sites come in chunks, so memory depends on the
number of people and on the largest block, not on the number of sites.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path

import numba
import numpy as np
import pandas as pd
import tskit
from numpy.typing import NDArray

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import listed_contigs
from rehearsal.genomes.carriers import CarrierChunk, Haplotypes, carrier_chunks
from rehearsal.model import SEXES, Block, Variant


@dataclass(frozen=True, slots=True)
class SiteRecords:
    """S consecutive sites, and who carries what there."""

    position: NDArray[np.int64]  # (S,) 0-based
    alleles: list[tuple[str, ...]]  # by site, the reference first; each is carried by somebody
    indptr: NDArray[np.int64]  # (S + 1,) a site's entries are indptr[s]:indptr[s + 1]
    haplotype: NDArray[np.int32]  # (E,) ascending within a site
    allele: NDArray[np.uint8]  # (E,) index into the site's alleles, at least 1


@dataclass(frozen=True)
class Genotypes:
    """Some people's genotypes on one contig.

    ``people`` has a row a person, in the order of the files, with the columns of
    ``people.parquet``; ``ploidy`` (people,) is 0, 1 or 2. Make one with ``Genotypes.of``.
    """

    contig: str
    length: int  # of the contig
    people: pd.DataFrame
    ploidy: NDArray[np.int8]
    _sources: tuple[Path | tskit.TreeSequence, ...]
    _rows: NDArray[np.int64]
    _regions: tuple[Block, ...] | None
    _starts: NDArray[np.int64] | None
    _kept: dict[int, tskit.TreeSequence] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        trees: Sequence[Path | tskit.TreeSequence],
        contig: str,
        people: pd.DataFrame,
        keep: NDArray[np.bool_] | None = None,
        regions: Sequence[Block] | None = None,
        variants: Collection[Variant] | None = None,
    ) -> Genotypes:
        """The genotypes in the contig's blocks ``trees``, which follow each other along it.

        ``people``: a row an individual of the tree sequences. ``keep`` (people,): whom to take;
        ``regions``: records that begin outside are left out; ``variants``: only what stands at
        their places; None: all. Raises InputError for people that do not fit the tree sequences,
        for nobody at all, for an unknown sex and for regions outside the contig.
        """
        first = _load(trees[0])
        _check_people(people, first)
        rows = np.arange(len(people)) if keep is None else np.flatnonzero(keep)
        if rows.size == 0:
            raise InputError("people", "selection", "somebody; nobody is selected")
        length = int(first.sequence_length)
        return cls(
            contig=contig,
            length=length,
            people=people.iloc[rows].reset_index(drop=True),
            ploidy=Haplotypes.of(first).ploidy[rows],
            _sources=tuple(trees),
            _rows=rows,
            _regions=None if regions is None else _regions_within(contig, length, regions),
            _starts=None if variants is None else _starts_on(contig, variants),
        )

    @property
    def male(self) -> NDArray[np.bool_]:
        """(people,)"""
        return (self.people["sex"] == "male").to_numpy()

    @property
    def contigs(self) -> dict[str, int]:
        """What headers list: names and lengths of the assembly's contigs."""
        return listed_contigs(self.contig, self.length)

    def trees(self) -> Iterator[tskit.TreeSequence]:
        """The selection, a tree sequence a block; individual *i* is row *i* of ``people``.

        There may be sites that nobody carries. The same person's nodes are those of
        ``Haplotypes.of``.
        """
        for number, source in enumerate(self._sources):
            if number in self._kept:
                yield self._kept[number]
                continue
            ts = self._select(_load(source))
            if len(self._sources) == 1:
                self._kept[number] = ts
            yield ts

    def chunks(self) -> Iterator[tuple[CarrierChunk, Haplotypes]]:
        """Carriers of all sites in order of position, also of those that nobody carries."""
        for ts in self.trees():
            haplotypes = Haplotypes.of(ts)
            for chunk in carrier_chunks(ts, haplotypes):
                yield chunk, haplotypes

    def records(self) -> Iterator[SiteRecords]:
        """Sites that somebody carries, without the alleles that nobody has; the others move up."""
        for chunk, _ in self.chunks():
            offset = chunk.row_offset
            number = _new_numbers(chunk.indptr, chunk.allele, int(offset[-1]), offset)
            allele = _renumbered(chunk.indptr, chunk.allele, offset, number)
            alleles = chunk.alleles
            for site in np.flatnonzero(np.diff(offset) > 1):
                kept = np.flatnonzero(number[offset[site] : offset[site + 1]])
                alleles[site] = (alleles[site][0], *(alleles[site][1 + i] for i in kept))
            carried = np.diff(chunk.indptr) > 0
            indptr = chunk.indptr[np.append(True, carried)]  # what is left out has no entries
            letters = alleles if carried.all() else list(compress(alleles, carried))
            yield SiteRecords(chunk.positions[carried], letters, indptr, chunk.haplotype, allele)

    def list_sites(self) -> tuple[NDArray[np.int64], int]:
        """Positions of all records, 0-based, and the most alleles that one of them has."""
        positions, most = [np.empty(0, np.int64)], 2
        for records in self.records():
            positions.append(records.position)
            most = max(most, *map(len, records.alleles)) if records.alleles else most
        return np.concatenate(positions), most

    def upper_bounds(self) -> tuple[int, int]:
        """How many records and the most alleles of one, without a pass: there may be fewer."""
        sites, most = 0, 2
        for ts in self.trees():
            sites += ts.num_sites
            mutations = np.bincount(ts.mutations_site, minlength=1)
            most = max(most, 1 + int(mutations.max(initial=0)))
        return sites, most

    def reference_alleles(self) -> Iterator[tuple[int, str]]:
        """0-based start and reference allele of every site of the blocks, whoever carries it."""
        for source in self._sources:
            for site in _load(source).sites():
                yield int(site.position), site.ancestral_state

    def haplotype_slots(self) -> NDArray[np.int64]:
        """By haplotype: its place among two a person, ``2 * person`` or ``2 * person + 1``."""
        called = np.arange(2) < self.ploidy[:, None]
        return np.flatnonzero(called.ravel())

    def _select(self, ts: tskit.TreeSequence) -> tskit.TreeSequence:
        if self._starts is not None:
            outside = ~np.isin(ts.sites_position.astype(np.int64), self._starts)
            ts = ts.delete_sites(np.flatnonzero(outside), record_provenance=False)
        if self._regions is not None:
            ts = _within(ts, self._regions)
        if self._rows.size == ts.num_individuals:
            return ts
        haplotypes = Haplotypes.of(ts)
        nodes = haplotypes.node[np.isin(haplotypes.individual, self._rows)]
        ts = ts.simplify(
            nodes, filter_individuals=False, filter_populations=False, record_provenance=False
        )
        tables = ts.dump_tables()
        number = np.full(ts.num_individuals + 1, -1, np.int32)  # the last one is of no individual
        number[self._rows] = np.arange(self._rows.size)
        nodes = tables.nodes
        nodes.individual = number[nodes.individual]
        tables.individuals.set_columns(flags=np.zeros(self._rows.size, np.uint32))
        tables.individuals.metadata_schema = tskit.MetadataSchema(None)
        return tables.tree_sequence()


def _check_people(people: pd.DataFrame, ts: tskit.TreeSequence) -> None:
    if len(people) != ts.num_individuals:
        raise InputError("people", "rows", f"{ts.num_individuals}, as the trees have")
    if not people["sex"].isin(SEXES).all():
        raise InputError("people", "sex", "one of " + ", ".join(SEXES))


def _regions_within(contig: str, length: int, regions: Sequence[Block]) -> tuple[Block, ...]:
    """The regions on the contig. Raises InputError for one that is not inside it."""
    own = tuple(region for region in regions if region.contig == contig)
    for region in own:
        if not 0 <= region.start < region.end <= length:
            expected = f"a stretch of {contig}, 0 to {length}"
            raise InputError("regions", region.id, expected)
    return own


def _starts_on(contig: str, variants: Iterable[Variant]) -> NDArray[np.int64]:
    """Where the contig's variants start, 0-based, ascending."""
    return np.array(sorted({v.start for v in variants if v.contig == contig}), np.int64)


def _load(source: Path | tskit.TreeSequence) -> tskit.TreeSequence:
    return source if isinstance(source, tskit.TreeSequence) else tskit.load(source)


def _within(ts: tskit.TreeSequence, regions: Sequence[Block]) -> tskit.TreeSequence:
    merged: list[list[int]] = []
    for region in sorted(regions):
        if merged and region.start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], region.end)
        else:
            merged.append([region.start, region.end])
    if not merged:
        return ts.delete_sites(np.arange(ts.num_sites), record_provenance=False)
    return ts.keep_intervals(merged, simplify=False, record_provenance=False)


@numba.njit(cache=True)
def _new_numbers(
    indptr: NDArray[np.int64],
    allele: NDArray[np.uint8],
    rows: int,
    row_offset: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """By alternate allele of the chunk: its new number, 0 if nobody has it."""
    number = np.zeros(rows, np.uint8)
    for site in range(indptr.size - 1):
        first, end = row_offset[site], row_offset[site + 1]
        for q in range(indptr[site], indptr[site + 1]):
            number[first + allele[q] - 1] = 1
        n = 0
        for row in range(first, end):
            if number[row]:
                n += 1
                number[row] = n
    return number


@numba.njit(cache=True)
def _renumbered(
    indptr: NDArray[np.int64],
    allele: NDArray[np.uint8],
    row_offset: NDArray[np.int64],
    number: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    out = np.empty_like(allele)
    for site in range(indptr.size - 1):
        for q in range(indptr[site], indptr[site + 1]):
            out[q] = number[row_offset[site] + allele[q] - 1]
    return out
