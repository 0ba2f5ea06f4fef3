"""Genotypes for the truth: decoded by tskit, counted with NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import tskit

from rehearsal.errors import mismatch
from rehearsal.model import Variant
from rehearsal.truth.subcohort import Subcohort
from rehearsal.truth.variant_classes import Extent, alone, extents


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
        self._samples = subcohort.samples_of(trees)
        self._person = trees.nodes_individual[self._samples]
        self._ploidy = np.bincount(self._person, minlength=people)
        self._ends, self._lengths = extents(trees)
        self._cells = 2 * (int(cell.max()) // 2 + 1)
        self._by_cell = np.argsort(cell, kind="stable")
        self._held, self._first = np.unique(cell[self._by_cell], return_index=True)

    def within(
        self, intervals: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[Variant, Extent, np.ndarray]]:
        """Yield each alternate allele at sites that overlap an interval, under its own name.

        A site inside two intervals comes once.

        Args:
            intervals: 0-based half-open.

        Yields:
            The variant, its own extent, and the copies of each person, shape (people,), int64.

        Raises:
            ValueError: A site has missing genotypes.
        """
        decoder = tskit.Variant(self._trees, samples=self._samples)
        for site in self._sites_within(intervals):
            decoder.decode(int(site))
            if decoder.has_missing_data:
                where = f"{self._contig}:{decoder.position}"
                raise ValueError(mismatch(where, "genotypes of all people", "missing genotypes"))
            ref, *alternates = decoder.alleles
            extent = Extent(int(self._ends[site]), int(self._lengths[site]))
            for index, alt in enumerate(alternates, start=1):
                holders = self._person[decoder.genotypes == index]
                if len(holders):
                    copies = np.bincount(holders, minlength=self._people)
                    named = Variant(self._contig, int(decoder.position), ref, alt)
                    yield *_by_itself(named, extent), copies

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
            copies: Copies of each person, shape (..., people), int64.
            among: Which people of the subcohort to count, shape (people,), bool.

        Returns:
            an, ac, hom, het and hemi, shape (..., countries, sexes, 5), int64.
        """
        two = self._ploidy == 2
        copies = copies * among
        parts = (
            np.broadcast_to(self._ploidy * among, copies.shape),
            copies,
            two & (copies == 2),
            two & (copies == 1),
            (self._ploidy == 1) & (copies == 1),
        )
        sums = np.zeros((*copies.shape[:-1], self._cells, len(parts)), np.int64)
        for number, part in enumerate(parts):
            ordered = part[..., self._by_cell].astype(np.int64)
            sums[..., self._held, number] = np.add.reduceat(ordered, self._first, axis=-1)
        return sums.reshape(*copies.shape[:-1], -1, 2, len(parts))


def _by_itself(variant: Variant, of_site: Extent) -> tuple[Variant, Extent]:
    """Return the allele's own name and extent."""
    own = alone(variant)
    end = of_site.end if of_site.length else own.start + len(own.ref)
    return own, Extent(end, of_site.length)
