"""Allele counts by country and sex, computed on the pooled cohort by the truth's own code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import tskit

from rehearsal.model import SEXES, Block
from rehearsal.truth.decoded_genotypes import DecodedGenotypes, cells
from rehearsal.truth.subcohort import Subcohort

COUNTS = ("an", "ac", "hom", "het", "hemi")
COLUMNS = ("contig", "start", "ref", "alt", "country", "sex", *COUNTS)


def allele_counts(
    trees: Mapping[Block, Path], people: pd.DataFrame, subcohort: Subcohort
) -> pd.DataFrame:
    """Count every alternate allele in the women and the men of each country that has it.

    Args:
        trees: Tree-sequence files by block; individual *i* is row *i* of ``people``.
        people: All people of the run.
        subcohort: The people and alleles to count.

    Returns:
        Columns ``contig``, ``start`` (0-based), ``ref``, ``alt``, ``country``, ``sex`` and the
        counts of ``model.AlleleCounts``. A country without a carrier of the allele is left out.
    """
    countries = list(dict.fromkeys(people["country"]))
    cell = cells(people)
    alleles: list[tuple[str, int, str, str]] = []
    found: list[np.ndarray] = []  # countries that have the allele, by allele
    counts: list[np.ndarray] = []  # (countries, sexes, 5)
    for block, path in sorted(trees.items()):
        decoded = DecodedGenotypes(block.contig, tskit.load(path), cell, subcohort)
        for variant, _, copies in decoded.within([(block.start, block.end)]):
            counted = decoded.counts(copies, subcohort.people)
            found.append(np.flatnonzero(counted[:, :, 1].any(axis=1)))
            counts.append(counted[found[-1]])
            alleles.append((variant.contig, variant.start, variant.ref, variant.alt))
    if not alleles:
        return pd.DataFrame({column: [] for column in COLUMNS})
    row = np.repeat(np.arange(len(alleles)), [2 * len(some) for some in found])
    table = pd.DataFrame(alleles, columns=list(COLUMNS[:4])).iloc[row].reset_index(drop=True)
    table["country"] = np.array(countries, object)[np.repeat(np.concatenate(found), 2)]
    table["sex"] = np.tile(np.array(SEXES, object), len(table) // 2)
    table[list(COUNTS)] = np.concatenate(counts).reshape(-1, len(COUNTS))
    return table
