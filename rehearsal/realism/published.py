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

# Ranges and sources of rows about classes of variants.
# Eichler 2019, N Engl J Med 381:64, PMC6681822, table 1: 4-5 million SNVs and 700,000-800,000
# indels of 1 to 49 bases in a genome; Chaisson et al. 2019 found 818,054.
INDEL_SHARE = (0.13, 0.17, "700,000-800,000 indels and 4-5 million SNVs a genome (PMC6681822)")
# Against the ancestral allele deletions prevail; call sets against GRCh38 have a ratio near 1.
INSERTIONS_PER_DELETION = (
    0.5,
    1.1,
    "call sets: about 1 against GRCh38, less among rare variants (from memory)",
)
ONE_BASE_SHARE = (0.4, 0.6, "1000 Genomes: about half (from memory)")
REPEAT_SHARE = (
    0.43,
    0.75,
    "43-48 % in the 4 % of the genome with most indels, up to three quarters by slippage "
    "(Montgomery et al. 2013, PMC3638132)",
)
CPG_SHARE = (
    0.12,
    0.2,
    "C to T in CpG: 18.3 % of new mutations (Sasani et al. 2019, eLife 8:e46922, counted)",
)
# Phillips et al. 2020: 271,934 of the 84.7 million SNPs of 2,504 people (1000 Genomes, low
# coverage) have three alleles; within a factor of three, because cohorts differ in size.
MULTIALLELIC_SHARE = (
    0.001,
    0.01,
    "1000 Genomes, 2,504 people: 0.32 % of SNPs (doi:10.1016/j.fsigen.2020.102232); within a "
    "factor of 3",
)
MULTIALLELIC_PEOPLE = (1_000, 10_000)
STRUCTURAL_PER_GENOME = (23_000, 28_000, "long reads against GRCh38 (PMC6681822, table 1)")
STRUCTURAL_BY_TYPE = {
    "DEL": ("9,474", "median of 3,622 people (Beyter et al. 2021, doi:10.1038/s41588-021-00865-4)"),
    "DUP": (
        "13,353 together with INS",
        "insertions by long reads, most of them units of tandem repeats (Beyter et al. 2021)",
    ),
    "INS": (
        "mobile elements, inserted or deleted: 3,490 Alu, 980 L1, 1,070 SVA",
        "PMC11451085, table 1",
    ),
    "INV": ("153", "PMC6681822, table 1"),
    "CNV": ("about 500, multi-copy", "PMC6681822, table 1"),
}
GENOME_BASES = 2.9e9  # half of the 5.8 Gb of euchromatin of a diploid genome (PMC6681822)

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
