"""Genotypes as the truth sees them: decoded by tskit, counted with NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tskit

from rehearsal.model import Block, Variant
from rehearsal.truth.subcohort import Part


def cells(people: pd.DataFrame) -> np.ndarray:
    """Each person's place in a table of counts by country and sex, int[people]: twice the number
    of the country in order of appearance, and one more for men."""
    country = pd.factorize(people["country"])[0]
    return country.astype(np.int64) * 2 + (people["sex"] == "male").to_numpy()


class DecodedGenotypes:
    """One block's genotypes, person by person, as far as they are in a part of the cohort.

    ``cell``: of everybody, as ``cells`` gives it.
    """

    def __init__(
        self, contig: str, trees: tskit.TreeSequence, cell: np.ndarray, part: Part
    ) -> None:
        people = len(cell)
        if trees.num_individuals != people:
            raise ValueError(f"{trees.num_individuals} individuals in the trees, {people} people")
        self._contig, self._trees, self._cell, self._people = contig, trees, cell, people
        self._part = part
        self._samples = _samples_of(trees, part)
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
        return np.flatnonzero(wanted & self._part.holds(self._contig, starts))

    def counts(self, copies: np.ndarray, among: np.ndarray) -> np.ndarray:
        """int[countries, sexes, 5] of one allele among some people of the part (bool[people]):
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


def _samples_of(trees: tskit.TreeSequence, part: Part) -> np.ndarray:
    samples = trees.samples()
    return samples[part.people[trees.nodes_individual[samples]]]


def pooled_sites(trees: Mapping[Block, Path], part: Part | None = None) -> pd.DataFrame:
    """Every alternate allele of the pooled cohort, a row each, in order of block and position.

    Columns: ``contig``, ``start`` (0-based), ``ref``, ``alt``, ``ac`` (copies in the whole
    cohort, or in a part of it, above 0), ``an`` (genomes at that place). Counted on the trees,
    without genotypes: copies of an allele are the samples under its mutations less those under
    mutations of them.
    """
    rows: list[tuple[str, int, str, str, int, int]] = []
    for block, path in sorted(trees.items()):
        sequence = tskit.load(path)
        some = part or Part.whole(sequence.num_individuals)
        counted = _samples_of(sequence, some)
        held = some.holds(block.contig, sequence.sites_position)
        for tree in sequence.trees(tracked_samples=counted):
            for site in tree.sites():
                place = (block.contig, int(site.position), site.ancestral_state)
                copies = _copies(tree, site) if held[site.id] else {}
                rows += [(*place, alt, ac, len(counted)) for alt, ac in copies.items()]
    return pd.DataFrame(rows, columns=["contig", "start", "ref", "alt", "ac", "an"])


def _copies(tree: tskit.Tree, site: Any) -> dict[str, int]:
    """Copies of each derived allele at a site, those that a tracked sample has."""
    if len(site.mutations) == 1:
        mutation = site.mutations[0]
        copies = tree.num_tracked_samples(mutation.node)
        differs = mutation.derived_state != site.ancestral_state
        return {mutation.derived_state: copies} if copies and differs else {}
    found: dict[str, int] = {}
    state = {mutation.id: mutation.derived_state for mutation in site.mutations}
    for mutation in site.mutations:
        below = tree.num_tracked_samples(mutation.node)
        before = state.get(mutation.parent, site.ancestral_state)
        found[mutation.derived_state] = found.get(mutation.derived_state, 0) + below
        found[before] = found.get(before, 0) - below
    return {allele: ac for allele, ac in found.items() if ac > 0 and allele != site.ancestral_state}
