"""Allele counts by country and sex, computed on the pooled cohort by the truth's own code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import tskit

from rehearsal.logs import Progress
from rehearsal.model import SEXES, Block, Variant
from rehearsal.truth.decoded_genotypes import DecodedGenotypes, cells
from rehearsal.truth.subcohort import Subcohort
from rehearsal.truth.variant_classes import Extent

COUNTS = ("an", "ac", "hom", "het", "hemi")
COLUMNS = ("contig", "start", "ref", "alt", "country", "sex", *COUNTS)


@dataclass(frozen=True)
class CountedAlleles:
    """Every alternate allele of a subcohort, in order of block and position, with its counts."""

    countries: Sequence[str]
    alleles: Sequence[tuple[Variant, Extent]]
    counts: np.ndarray  # (alleles, countries, sexes, 5) int64, the last axis as ``COUNTS``

    def by_country(self) -> pd.DataFrame:
        """Build the table of counts in the women and the men of each country that has an allele.

        Returns:
            The columns ``COLUMNS``; ``start`` is 0-based. A country without a carrier of the allele
            is left out.
        """
        row, country = np.nonzero(self.counts[..., 1].any(axis=2))
        table = self._names.iloc[np.repeat(row, 2)].reset_index(drop=True)
        table["country"] = np.array(self.countries, object)[np.repeat(country, 2)]
        table["sex"] = np.tile(np.array(SEXES, object), len(row))
        table[list(COUNTS)] = self.counts[row, country].reshape(-1, len(COUNTS))
        return table

    def sites(self) -> pd.DataFrame:
        """Build the table of ``pooled_sites``: one row per allele, of all people together."""
        table = self._names.copy()
        table["end"] = [extent.end for _, extent in self.alleles]
        table["svlen"] = [extent.length for _, extent in self.alleles]
        table["ac"] = self.counts[..., 1].sum(axis=(1, 2))
        table["an"] = self.counts[..., 0].sum(axis=(1, 2))
        return table

    @cached_property
    def _names(self) -> pd.DataFrame:
        named = [one for one, _ in self.alleles]
        return pd.DataFrame(
            {
                "contig": np.array([one.contig for one in named], object),
                "start": np.array([one.start for one in named], np.int64),
                "ref": np.array([one.ref for one in named], object),
                "alt": np.array([one.alt for one in named], object),
            }
        )


def count_alleles(
    trees: Mapping[Block, Path], people: pd.DataFrame, subcohort: Subcohort
) -> CountedAlleles:
    """Count every alternate allele in the women and the men of each country.

    Args:
        trees: Tree-sequence files by block; individual *i* is row *i* of ``people``.
        people: All people of the run.
        subcohort: The people and alleles to count.

    Returns:
        The alleles with the counts of ``model.AlleleCounts``.
    """
    countries = list(dict.fromkeys(people["country"]))
    cell = cells(people)
    alleles: list[tuple[Variant, Extent]] = []
    counts = [np.zeros((0, len(countries), len(SEXES), len(COUNTS)), np.int64)]
    for block, path in sorted(trees.items()):
        sequence = tskit.load(path)
        decoded = DecodedGenotypes(block.contig, sequence, cell, subcohort)
        progress = Progress(sequence.num_sites, f"sites of {block.contig}")
        for some in decoded.within([(block.start, block.end)]):
            alleles += some.alleles
            counts.append(decoded.counts(some, subcohort.people))
            progress.step(some.sites)
    return CountedAlleles(countries, alleles, np.concatenate(counts))
