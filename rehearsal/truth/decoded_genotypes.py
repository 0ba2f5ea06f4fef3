"""Genotypes as the truth sees them: decoded by tskit, counted with NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import tskit

from rehearsal.model import Variant
from rehearsal.truth.subcohort import Subcohort


def cells(people: pd.DataFrame) -> np.ndarray:
    """Each person's place in a table of counts by country and sex, int[people]: twice the number
    of the country in order of appearance, and one more for men."""
    country = pd.factorize(people["country"])[0]
    return country.astype(np.int64) * 2 + (people["sex"] == "male").to_numpy()


class DecodedGenotypes:
    """One block's genotypes, person by person, as far as they are in a subcohort.

    ``cell``: of everybody, as ``cells`` gives it.
    """

    def __init__(
        self, contig: str, trees: tskit.TreeSequence, cell: np.ndarray, subcohort: Subcohort
    ) -> None:
        people = len(cell)
        if trees.num_individuals != people:
            raise ValueError(f"{trees.num_individuals} individuals in the trees, {people} people")
        self._contig, self._trees, self._cell, self._people = contig, trees, cell, people
        self._subcohort = subcohort
        self._samples = subcohort.samples_of(trees)
        self._person = trees.nodes_individual[self._samples]
        self._ploidy = np.bincount(self._person, minlength=people)
        self._cells = 2 * (int(cell.max()) // 2 + 1)

    def within(self, intervals: Sequence[tuple[int, int]]) -> Iterator[tuple[Variant, np.ndarray]]:
        """Each alternate allele at sites that overlap an interval, with the copies of each
        person, int[people]. A site inside two intervals comes once."""
        decoder = tskit.Variant(self._trees, samples=self._samples)
        for site in self._sites_within(intervals):
            decoder.decode(int(site))
            if decoder.has_missing_data:
                raise ValueError(f"missing genotypes at {self._contig}:{decoder.position}")
            ref, *alternates = decoder.alleles
            for index, alt in enumerate(alternates, start=1):
                holders = self._person[decoder.genotypes == index]
                if len(holders):
                    copies = np.bincount(holders, minlength=self._people)
                    yield Variant(self._contig, int(decoder.position), ref, alt), copies

    def _sites_within(self, intervals: Sequence[tuple[int, int]]) -> np.ndarray:
        """Numbers of the sites whose reference allele overlaps an interval, in order."""
        starts = self._trees.sites_position.astype(np.int64)
        lengths = np.diff(self._trees.tables.sites.ancestral_state_offset.astype(np.int64))
        wanted = np.zeros(len(starts), dtype=bool)
        for start, end in intervals:
            wanted |= (starts < end) & (starts + lengths > start)
        return np.flatnonzero(wanted & self._subcohort.contains_alleles(self._contig, starts))

    def counts(self, copies: np.ndarray, among: np.ndarray) -> np.ndarray:
        """int[countries, sexes, 5] of one allele among some people of the subcohort (bool[people]):
        an, ac, hom, het, hemi."""
        two = self._ploidy == 2
        copies = copies * among
        parts = (
            self._ploidy * among,
            copies,
            two & (copies == 2),
            two & (copies == 1),
            (self._ploidy == 1) & (copies == 1),
        )
        sums = [np.bincount(self._cell, part, self._cells).astype(np.int64) for part in parts]
        return np.stack(sums, axis=1).reshape(-1, 2, 5)
