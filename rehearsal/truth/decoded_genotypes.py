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
    """Some alternate alleles of a block, each under the name that it has by itself.

    The carriers of allele ``k`` are entries ``offset[k]:offset[k + 1]``, in the order of people.
    """

    alleles: Sequence[tuple[Variant, Extent]]
    offset: np.ndarray  # shape (alleles + 1,), int64
    person: np.ndarray  # shape (carriers,), int64
    copies: np.ndarray  # of each carrier, 1 or 2, shape (carriers,), int8
    sites: int  # number of sites decoded for them

    @property
    def stretch(self) -> tuple[int, int]:
        """All that the alleles affect, 0-based half-open; empty without alleles."""
        first = min((variant.start for variant, _ in self.alleles), default=0)
        return first, max((extent.end for _, extent in self.alleles), default=0)

    def row(self, allele: int) -> DecodedAlleles:
        """Return one of the alleles.

        Args:
            allele: Its number.
        """
        first, end = self.offset[allele : allele + 2].tolist()
        person, copies = self.person[first:end], self.copies[first:end]
        offset = np.array([0, end - first])
        return DecodedAlleles([self.alleles[allele]], offset, person, copies, 1)

    def of_everybody(self, people: int) -> np.ndarray:
        """Return the copies of each person.

        Args:
            people: Number of people in the cohort.

        Returns:
            Copies, shape (alleles, people), int8.
        """
        found = np.zeros((len(self.alleles), people), np.int8)
        found[np.repeat(np.arange(len(self.alleles)), np.diff(self.offset)), self.person] = (
            self.copies
        )
        return found


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
        self._contig, self._trees, self._cell = contig, trees, cell
        self._subcohort = subcohort
        person = trees.nodes_individual[trees.samples()]
        # of each sample; -1 outside of the subcohort
        self._person = np.where(subcohort.people[person], person, -1)
        self._ploidy = np.bincount(person[self._person >= 0], minlength=people)
        self._ends, self._lengths = extents(trees)
        self._cells = 2 * (int(cell.max()) // 2 + 1)
        self._called: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # people and their genomes

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
        at_a_time = max(COPIES_AT_A_TIME // len(self._cell), 1)
        for first in range(0, len(sites), at_a_time):
            yield self._decoded(decoder, sites[first : first + at_a_time])

    def _decoded(self, decoder: tskit.Variant, sites: np.ndarray) -> DecodedAlleles:
        alleles: list[tuple[Variant, Extent]] = []
        people, copies = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for site in sites.tolist():
            decoder.decode(site)
            for number, who in self._carriers(decoder):
                alleles.append(self._by_itself(site, decoder.alleles, number))
                person, times = np.unique(who, return_counts=True)
                people.append(person)
                copies.append(times)
        offset = np.cumsum([len(part) for part in people])
        joined = np.concatenate(people), np.concatenate(copies).astype(np.int8)
        return DecodedAlleles(alleles, offset, *joined, len(sites))

    def _carriers(self, decoder: tskit.Variant) -> Iterator[tuple[int, np.ndarray]]:
        """Yield each alternate allele of a decoded site with the person of each copy."""
        carrying = np.flatnonzero(decoder.genotypes != 0)  # faster than of numbers
        index, person = decoder.genotypes[carrying], self._person[carrying]
        if index.min(initial=0) < 0:
            where = f"{self._contig}:{decoder.site.position}"
            raise ValueError(mismatch(where, "genotypes of all people", "missing genotypes"))
        for number in range(1, len(decoder.alleles)):
            who = person[(index == number) & (person >= 0)]
            if who.size:
                yield number, who

    def _by_itself(
        self, site: int, names: Sequence[str | None], number: int
    ) -> tuple[Variant, Extent]:
        """Return an allele's own name and extent."""
        position, end = int(self._trees.sites_position[site]), int(self._ends[site])
        own = alone(Variant(self._contig, position, str(names[0]), str(names[number])))
        length = int(self._lengths[site])
        return own, Extent(end if length else own.start + len(own.ref), length)

    def _sites_within(self, intervals: Sequence[tuple[int, int]]) -> np.ndarray:
        """Return the numbers of sites that affect bases of an interval, in order."""
        starts = self._trees.sites_position.astype(np.int64)
        wanted = np.zeros(len(starts), dtype=bool)
        for start, end in intervals:
            wanted |= (starts < end) & (self._ends > start)
        return np.flatnonzero(wanted & self._subcohort.contains_alleles(self._contig, starts))

    def counts(self, some: DecodedAlleles, among: np.ndarray) -> np.ndarray:
        """Count alleles by country and sex.

        Args:
            some: The alleles, decoded here.
            among: Which people of the subcohort to count, shape (people,), bool.

        Returns:
            an, ac, hom, het and hemi, shape (alleles, countries, sexes, 5), int64.
        """
        counted = among[some.person]
        person, twice = some.person[counted], some.copies[counted] == 2
        row = np.repeat(np.arange(len(some.alleles)), np.diff(some.offset))[counted]
        place, size = row * self._cells + self._cell[person], len(some.alleles) * self._cells
        carriers, hom, hemi = (
            np.bincount(place[chosen], minlength=size)
            for chosen in (slice(None), twice, self._ploidy[person] == 1)
        )
        an = np.tile(self._genomes(among), len(some.alleles))
        counts = np.stack((an, carriers + hom, hom, carriers - hom - hemi, hemi), axis=-1)
        return counts.reshape(len(some.alleles), -1, 2, 5)

    def _genomes(self, among: np.ndarray) -> np.ndarray:
        """Count the genomes of people in each cell; people that were asked for before are known."""
        if id(among) not in self._called:
            ploidy = self._ploidy[among]
            cell = np.repeat(self._cell[among], ploidy)
            self._called[id(among)] = among, np.bincount(cell, minlength=self._cells)
        return self._called[id(among)][1]
