"""What the measures are held against: published figures and the run's own prediction."""

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

# Sites of a simulated chromosome 21 by people (published with VCF Zarr; simulated,
# from memory, after Anderson-Trocmé et al. 2023 as French Canadians: of the same order only).
CHR21_SITES = {1_000: 403_989, 10_000: 863_998, 100_000: 2_365_367, 1_000_000: 7_254_858}
CHR21_MB = 46.7  # GRCh38, 40.1 of it known bases
CHR21_FACTOR = 1.5
# Taliun et al. 2021, Nature 590:290: TOPMed, people of many ancestries.
TOPMED_PEOPLE = 40_000
TOPMED_SINGLETONS, TOPMED_SINGLETONS_UNRELATED = 0.46, 0.53
LINKAGE_RANGES = {5_000: (0.24, 0.28), 100_000: (0.05, 0.07)}

PREDICTED = "the run's own demographic model, by the two-lineage recursion"


@dataclass(frozen=True)
class ReferenceFigures:
    """What the measures are held against.

    ``expected_fst`` (k, k) in the order of the panel's codes; ``published`` has country1,
    country2, fst; ``popres`` has country, pc1, pc2; ``crossovers`` is how many the recombination
    map leads one to expect in the gametes that were looked at.
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
    """The published figures of those of the countries that have somebody in the panel.

    ``expected_fst``: expected_fst.parquet, a row and a column a country.
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
    """Crossovers that the map leads one to expect: gametes times Morgans, a block after the other.

    ``morgans`` are the blocks' genetic lengths, in the order of ``parts``.
    """
    return sum(float(part.gametes) * length for part, length in zip(parts, morgans, strict=True))
