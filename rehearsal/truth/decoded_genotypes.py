"""Genotypes for the truth: decoded by tskit, counted with NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import tskit

from rehearsal.errors import mismatch
from rehearsal.model import Variant
from rehearsal.truth.subcohort import Subcohort
from rehearsal.truth.variant_classes import Extent, alone, extents

COPIES_AT_A_TIME = 4_000_000  # copies of people that are decoded together


@dataclass(frozen=True, slots=True)
class DecodedAlleles:
    """Some alternate alleles of a block, each under the name that it has by itself."""

    alleles: Sequence[tuple[Variant, Extent]]
    copies: np.ndarray  # of each person, shape (alleles, people), int8
    sites: int  # number of sites decoded for them


def cells(people: pd.DataFrame) -> np.ndarray:
    """Return each person's cell in a table of counts by country and sex.

    It is twice the number of the country in order of appearance, and one more for men.

    Args:
        people: All people of the run.

    Returns:
        Cells, shape (people,), int64.
    """
    country = pd.factorize(people["country"])[0]
    return country.astype(np.int64) * 2 + (people["sex"] == "male").to_numpy()


class DecodedGenotypes:
    """The genotypes of one block, person by person, restricted to a subcohort.

    Args:
        contig: Name of the contig.
        trees: The block's tree sequence.
        cell: Each person's cell, as :func:`cells` returns it.
        subcohort: The people and alleles to decode.

    Raises:
        ValueError: The number of people is not that of the tree sequence.
    """

    def __init__(
        self, contig: str, trees: tskit.TreeSequence, cell: np.ndarray, subcohort: Subcohort
    ) -> None:
        people = len(cell)
        if trees.num_individuals != people:
            expected = f"{trees.num_individuals} rows, one per individual of the trees"
            raise ValueError(mismatch("people", expected, f"{people} rows"))
        self._contig, self._trees, self._people = contig, trees, people
        self._subcohort = subcohort
        self._columns = _columns_of_people(trees, subcohort, people)
        self._ploidy = (self._columns < trees.num_samples).sum(axis=0)
        self._ends, self._lengths = extents(trees)
        self._cells = 2 * (int(cell.max()) // 2 + 1)
        self._by_cell = np.argsort(cell, kind="stable")
        self._bounds = np.searchsorted(cell[self._by_cell], np.arange(self._cells + 1))

    def within(self, intervals: Sequence[tuple[int, int]]) -> Iterator[DecodedAlleles]:
        """Yield the alternate alleles at sites that overlap an interval, in order of position.

        A site inside two intervals comes once.

        Args:
            intervals: 0-based half-open.

        Raises:
            ValueError: A site has missing genotypes.
        """
        decoder = tskit.Variant(self._trees)  # of everybody, which tskit decodes faster than some
        sites = self._sites_within(intervals)
        at_a_time = max(COPIES_AT_A_TIME // self._people, 1)
        for first in range(0, len(sites), at_a_time):
            yield self._decoded(decoder, sites[first : first + at_a_time])

    def _decoded(self, decoder: tskit.Variant, sites: np.ndarray) -> DecodedAlleles:
        genotypes = np.zeros((len(sites), self._trees.num_samples + 1), np.int16)
        names: list[tuple[str | None, ...]] = []
        for row, site in enumerate(sites):
            decoder.decode(int(site))
            genotypes[row, :-1] = decoder.genotypes
            names.append(decoder.alleles)
        if genotypes.min(initial=0) < 0:
            row = int(np.flatnonzero((genotypes < 0).any(axis=1))[0])
            where = f"{self._contig}:{self._trees.sites_position[sites[row]]}"
            raise ValueError(mismatch(where, "genotypes of all people", "missing genotypes"))
        first, second = (np.take(genotypes, column, axis=1) for column in self._columns)
        numbers = np.array([len(alleles) - 1 for alleles in names], np.int64)
        found = []
        for index in range(1, numbers.max(initial=0) + 1):
            rows = np.flatnonzero(numbers >= index)
            copies = (first[rows] == index).view(np.int8) + (second[rows] == index)
            held = copies.any(axis=1)
            found.append((rows[held], np.full(held.sum(), index), copies[held]))
        return self._in_order(sites, names, found)

    def _in_order(
        self,
        sites: np.ndarray,
        names: Sequence[tuple[str | None, ...]],
        found: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
    ) -> DecodedAlleles:
        """Put alleles in the order of their sites, given rows, numbers and copies of alleles."""
        if not found:
            return DecodedAlleles([], np.zeros((0, self._people), np.int8), len(sites))
        row, index, copies = (np.concatenate(part) for part in zip(*found, strict=True))
        order = np.lexsort((index, row))
        positions = self._trees.sites_position[sites].astype(np.int64).tolist()
        ends, lengths = self._ends[sites].tolist(), self._lengths[sites].tolist()
        alleles = [
            _by_itself(
                Variant(self._contig, positions[k], str(names[k][0]), str(names[k][number])),
                Extent(ends[k], lengths[k]),
            )
            for k, number in zip(row[order].tolist(), index[order].tolist(), strict=True)
        ]
        return DecodedAlleles(alleles, copies[order], len(sites))

    def _sites_within(self, intervals: Sequence[tuple[int, int]]) -> np.ndarray:
        """Return the numbers of sites that affect bases of an interval, in order."""
        starts = self._trees.sites_position.astype(np.int64)
        wanted = np.zeros(len(starts), dtype=bool)
        for start, end in intervals:
            wanted |= (starts < end) & (self._ends > start)
        return np.flatnonzero(wanted & self._subcohort.contains_alleles(self._contig, starts))

    def counts(self, copies: np.ndarray, among: np.ndarray) -> np.ndarray:
        """Count alleles by country and sex.

        Args:
            copies: Copies of each person, 0 to 2, shape (..., people).
            among: Which people of the subcohort to count, shape (people,), bool.

        Returns:
            an, ac, hom, het and hemi, shape (..., countries, sexes, 5), int64.
        """
        copies = (copies * among)[..., self._by_cell]
        ploidy = (self._ploidy * among)[self._by_cell]
        twice, alone_there = copies == 2, copies * (ploidy == 1)
        sums = np.zeros((*copies.shape[:-1], self._cells, 5), np.int64)
        filled = np.flatnonzero(np.diff(self._bounds))  # without those of nobody
        an, ac, hom, hemi = (
            np.add.reduceat(part, self._bounds[filled], axis=-1, dtype=np.int64)
            for part in (ploidy, copies, twice, alone_there)
        )
        for number, part in enumerate((an, ac, hom, ac - 2 * hom - hemi, hemi)):
            sums[..., filled, number] = part
        return sums.reshape(*copies.shape[:-1], -1, 2, 5)


def _columns_of_people(trees: tskit.TreeSequence, subcohort: Subcohort, people: int) -> np.ndarray:
    """Find the genotypes of each person's haplotypes.

    Returns:
        Columns of a first and a second haplotype among the samples, shape (2, people). One that a
        person lacks, and those of people outside of the subcohort, is the number of samples.
    """
    person = trees.nodes_individual[trees.samples()]
    column = np.flatnonzero(subcohort.people[person])
    column = column[np.argsort(person[column], kind="stable")]
    person = person[column]
    place = np.arange(len(person)) - np.searchsorted(person, person)
    columns = np.full((2, people), trees.num_samples)
    columns[place, person] = column
    return columns


def _by_itself(variant: Variant, of_site: Extent) -> tuple[Variant, Extent]:
    """Return the allele's own name and extent."""
    own = alone(variant)
    end = of_site.end if of_site.length else own.start + len(own.ref)
    return own, Extent(end, of_site.length)
