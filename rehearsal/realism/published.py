"""Published figures and the run's own prediction, with which measures are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from rehearsal.demography.targets import (
    POPRES_CENTROIDS,
    PUBLISHED_FST,
    pca_centroids,
    published_pairs,
)
from rehearsal.model import Country
from rehearsal.realism.measures import BlockMeasures
from rehearsal.realism.panel import MeasuredPeople
from rehearsal.realism.statistics import Matrix

# Sites of a simulated chromosome 21 by number of people (published with VCF Zarr; simulated,
# from memory, after Anderson-Trocmé et al. 2023 as French Canadians: same order of magnitude).
CHR21_SITES = {1_000: 403_989, 10_000: 863_998, 100_000: 2_365_367, 1_000_000: 7_254_858}
CHR21_MB = 46.7  # GRCh38; 40.1 Mb of it are known bases
CHR21_FACTOR = 1.5
# Taliun et al. 2021, Nature 590:290: TOPMed, people of many ancestries.
TOPMED_PEOPLE = 40_000
TOPMED_SINGLETONS, TOPMED_SINGLETONS_UNRELATED = 0.46, 0.53
LINKAGE_RANGES = {5_000: (0.24, 0.28), 100_000: (0.05, 0.07)}

PREDICTED = "the run's own demographic model, by the two-lineage recursion"


@dataclass(frozen=True)
class ReferenceFigures:
    """The figures with which measures are compared.

    ``expected_fst`` has the shape (k, k) in the order of the panel's codes. ``published`` has
    ``country1``, ``country2`` and ``fst``; ``popres`` has ``country``, ``pc1`` and ``pc2``.
    ``crossovers`` is the number that the recombination map predicts in the measured gametes.
    """

    countries: Sequence[Country]
    expected_fst: Matrix
    published: pd.DataFrame
    popres: pd.DataFrame
    crossovers: float


def compare_with(
    panel: MeasuredPeople,
    countries: Sequence[Country],
    expected_fst: pd.DataFrame,
    crossovers: float,
) -> ReferenceFigures:
    """Collect the figures of the countries that have people in the panel.

    Args:
        panel: The measured people.
        countries: All countries.
        expected_fst: ``expected_fst.parquet``, one row and column per country.
        crossovers: Number of crossovers that the recombination map predicts.
    """
    present = [country for country in countries if country.code in panel.codes]
    codes = [country.code for country in present]
    return ReferenceFigures(
        countries=present,
        expected_fst=expected_fst.loc[codes, codes].to_numpy(),
        published=published_pairs(PUBLISHED_FST, present),
        popres=pca_centroids(POPRES_CENTROIDS, present),
        crossovers=crossovers,
    )


def expected_crossovers(parts: Sequence[BlockMeasures], morgans: Sequence[float]) -> float:
    """Return the number of crossovers that the map predicts: the sum of gametes times morgans.

    Args:
        parts: The sums of each block.
        morgans: Genetic length of each block, in the same order.
    """
    return sum(float(part.gametes) * length for part, length in zip(parts, morgans, strict=True))
