"""The genotypes of a group of people on one contig: the source of every genotype format.

A selection is made once, as a smaller tree sequence, and all formats are written from it. All
formats therefore hold the same sites: those that at least one selected person carries, with the
alleles that are carried. Blocks are loaded one after the other and sites come in chunks, so memory
depends on the number of people and on the largest block, not on the number of sites.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd
import tskit
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel
from rehearsal.errors import InputError, shown
from rehearsal.genomes.assembly import listed_contigs
from rehearsal.genomes.carriers import CarrierChunk, Haplotypes, carrier_chunks
from rehearsal.genomes.heteroplasmy import heteroplasmy_of
from rehearsal.genomes.reference_identity import ReferenceIdentity
from rehearsal.model import SEXES, Block, Variant


@dataclass(frozen=True, slots=True)
class SiteRecords:
    """Consecutive sites (S) and the haplotypes that carry an alternate allele there (E entries)."""

    position: NDArray[np.int64]  # (S,) 0-based
    end: NDArray[np.int64]  # (S,) 0-based exclusive end of the affected bases
    svlen: NDArray[np.int64]  # (S,) length of the structural variant, 0: the site has none
    alleles: list[tuple[str, ...]]  # by site, the reference first; each has a carrier
    indptr: NDArray[np.int64]  # (S + 1,) a site's entries are indptr[s]:indptr[s + 1]
    haplotype: NDArray[np.int32]  # (E,) ascending within a site
    allele: NDArray[np.uint8]  # (E,) index into the site's alleles, at least 1
    ploidy: NDArray[np.int8]  # (people,) copies that each person has here: 0, 1 or 2

    @property
    def owner(self) -> NDArray[np.int64]:
        """The person of each haplotype, shape (haplotypes,), int64."""
        return np.repeat(np.arange(self.ploidy.size), self.ploidy)

    @property
    def slot(self) -> NDArray[np.int64]:
        """The slot of each haplotype when every person has two, shape (haplotypes,), int64.

        The slots of a person are ``2 * person`` and ``2 * person + 1``.
        """
        return np.flatnonzero((np.arange(2) < self.ploidy[:, None]).ravel())


@dataclass(frozen=True)
class Genotypes:
    """The genotypes of a group of people on one contig. Make one with :meth:`of`.

    Blocks of chrX differ in the copies that men have.
    """

    contig: str
    length: int  # of the contig
    people: pd.DataFrame  # one row per person in the files' order, columns of people.parquet
    identity: ReferenceIdentity  # what the sequences of the reference are
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
        """Select people, regions and variants of one contig.

        Args:
            trees: Tree sequences of the contig's blocks, or their files, in order along the contig.
            contig: Name of the contig.
            people: One row per individual of the tree sequences, with the columns of
                ``people.parquet``.
            keep: Which people to take, shape (people,). None takes all.
            regions: Records that begin outside of these are left out. 0-based half-open. None keeps
                all.
            variants: Only records at the starts of these variants are kept. None keeps all.

        Returns:
            The genotypes of the selected people.

        Raises:
            InputError: The people do not fit the tree sequences, no one is selected, a sex is
                unknown, or a region is not inside the contig.
        """
        first = _load(trees[0])
        _check_people(people, first)
        rows = np.arange(len(people)) if keep is None else np.flatnonzero(keep)
        if rows.size == 0:
            raise InputError("people", "selection", "at least one person", "an empty selection")
        length = int(first.sequence_length)
        return cls(
            contig=contig,
            length=length,
            people=people.iloc[rows].reset_index(drop=True),
            identity=ReferenceIdentity.of_trees(first),
            _sources=tuple(trees),
            _rows=rows,
            _regions=None if regions is None else _regions_within(contig, length, regions),
            _starts=None if variants is None else _starts_on(contig, variants),
        )

    @property
    def male(self) -> NDArray[np.bool_]:
        """Whether each person is male, shape (people,)."""
        return (self.people["sex"] == "male").to_numpy()

    @property
    def contigs(self) -> dict[str, int]:
        """Names and lengths of the assembly's contigs, for file headers."""
        return listed_contigs(self.contig, self.length)

    def trees(self) -> Iterator[tskit.TreeSequence]:
        """Yield the selection, one tree sequence per block.

        Individual *i* is row *i* of ``people``. Some sites may have no carrier. The nodes of a
        person are those of ``Haplotypes.of``.
        """
        for number, source in enumerate(self._sources):
            if number in self._kept:
                yield self._kept[number]
                continue
            ts = self._select(_load(source))
            if len(self._sources) == 1:
                self._kept[number] = ts
            yield ts

    def mixtures(self) -> pd.DataFrame:
        """List people with two alleles at a site of chrM, as ``heteroplasmy_of`` does.

        The individual is the row of ``people``. Sites without a record are listed too.
        """
        row = pd.Series(np.arange(self._rows.size), index=self._rows)
        table = pd.concat([heteroplasmy_of(_load(source)) for source in self._sources])
        table = table[table["individual"].isin(row.index)]
        return table.assign(individual=table["individual"].map(row)).reset_index(drop=True)

    def chunks(self) -> Iterator[tuple[CarrierChunk, Haplotypes]]:
        """Yield the carriers of all sites by position, with sites that have no carrier."""
        for ts in self.trees():
            haplotypes = Haplotypes.of(ts)
            for chunk in carrier_chunks(ts, haplotypes):
                yield chunk, haplotypes

    def records(self) -> Iterator[SiteRecords]:
        """Yield the sites that have a carrier.

        Alleles without a carrier are left out, and the numbers of the remaining alleles close up.
        Records are cut to the fewest bases that name what is left.
        """
        for chunk, haplotypes in self.chunks():
            offset = chunk.row_offset
            number = _new_numbers(chunk.indptr, chunk.allele, int(offset[-1]), offset)
            allele = _renumbered(chunk.indptr, chunk.allele, offset, number)
            alleles = chunk.alleles
            for site in np.flatnonzero(np.diff(offset) > 1):
                kept = np.flatnonzero(number[offset[site] : offset[site + 1]])
                alleles[site] = (alleles[site][0], *(alleles[site][1 + i] for i in kept))
            cut = chunk.cuts(number > 0)
            for site in np.flatnonzero(cut):
                alleles[site] = tuple(text[: len(text) - cut[site]] for text in alleles[site])
            carried = np.diff(chunk.indptr) > 0
            indptr = chunk.indptr[np.append(True, carried)]  # sites left out have no entries
            yield SiteRecords(
                position=chunk.positions[carried],
                end=(chunk.affected_end - cut)[carried],
                svlen=chunk.svlen[carried],
                alleles=alleles if carried.all() else list(compress(alleles, carried)),
                indptr=indptr,
                haplotype=chunk.haplotype,
                allele=allele,
                ploidy=haplotypes.ploidy,
            )

    def upper_bounds(self) -> tuple[int, int]:
        """Return upper bounds of the number of records and of alleles at one, without a pass."""
        sites, most = 0, 2
        for ts in self.trees():
            sites += ts.num_sites
            mutations = np.bincount(ts.mutations_site, minlength=1)
            most = max(most, 1 + int(mutations.max(initial=0)))
        return sites, most

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
        number = np.full(ts.num_individuals + 1, -1, np.int32)  # the last: nodes of no individual
        number[self._rows] = np.arange(self._rows.size)
        nodes = tables.nodes
        nodes.individual = number[nodes.individual]
        tables.individuals.set_columns(flags=np.zeros(self._rows.size, np.uint32))
        tables.individuals.metadata_schema = tskit.MetadataSchema(None)
        return tables.tree_sequence()


def _check_people(people: pd.DataFrame, ts: tskit.TreeSequence) -> None:
    if len(people) != ts.num_individuals:
        expected = f"{ts.num_individuals} rows, one per individual of the tree sequences"
        raise InputError("people", "rows", expected, f"{len(people)} rows")
    unknown = people["sex"][~people["sex"].isin(SEXES)].tolist()
    if unknown:
        raise InputError("people", "sex", " or ".join(SEXES), shown(unknown[0]))


def _regions_within(contig: str, length: int, regions: Sequence[Block]) -> tuple[Block, ...]:
    """Return the regions on the contig. Raises InputError for one that is not inside it."""
    own = tuple(region for region in regions if region.contig == contig)
    for region in own:
        if not 0 <= region.start < region.end <= length:
            expected = f"a region inside {contig} (0 to {length})"
            raise InputError("regions", region.id, expected, f"{region.start} to {region.end}")
    return own


def _starts_on(contig: str, variants: Iterable[Variant]) -> NDArray[np.int64]:
    """Return the 0-based starts of the variants on the contig, ascending."""
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


@kernel()
def _new_numbers(
    indptr: NDArray[np.int64],
    allele: NDArray[np.uint8],
    rows: int,
    row_offset: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """Renumber the alternate alleles of a chunk by site; 0 for an allele without a carrier."""
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


@kernel()
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
