"""A small Europe of three countries for the tests of genomes."""

from __future__ import annotations

from collections.abc import Callable

import msprime
import pytest

from rehearsal.genomes.people import plan_people
from rehearsal.model import Country, PlantedVariant, Variant

CODES = ("ES", "FI", "IE")


def country(code: str) -> Country:
    return Country(code, code, 50.0, 10.0, 5.0, "Capital", 50.0, 10.0, "no")


@pytest.fixture(scope="session")
def countries() -> list[Country]:
    return [country(code) for code in CODES]


@pytest.fixture(scope="session")
def planted() -> list[PlantedVariant]:
    """Deletion, insertion, SNVs; by frequency, in named people, somatic; on an autosome and X."""
    return [
        PlantedVariant(
            Variant("chr22", 20_030_000, "ACT", "A"),
            *("DEL", "deletion", "dominant", "cancer"),
            frequency={"*": 0.01, "FI": 0.05},
        ),
        PlantedVariant(
            Variant("chr22", 20_050_000, "T", "TG"),
            *("INS", "insertion", "dominant", "cancer"),
            frequency={"*": 0.0},
            minimum_per_country=3,
        ),
        PlantedVariant(
            Variant("chr22", 20_060_000, "T", "C"),
            *("COMMON", "snv", "dose", "common"),
            frequency={"*": 0.3},
        ),
        PlantedVariant(
            Variant("chr22", 20_070_000, "G", "A"),
            *("RARE", "recessive", "recessive", "rare"),
            carriers=(("IE", "homozygous", 1), ("ES", "homozygous", 1), ("FI", "heterozygous", 2)),
        ),
        PlantedVariant(
            Variant("chr22", 20_080_000, "A", "T"), "SOMATIC", "somatic", "somatic", "cancer"
        ),
        PlantedVariant(
            Variant("chrX", 12_886_151, "A", "G"),
            *("TLR7", "brothers", "X-linked", "infectious"),
            carriers=(("ES", "brothers", 1), ("FI", "hemizygous", 1)),
        ),
        PlantedVariant(
            Variant("chrX", 12_900_000, "C", "CA"),
            *("XFREQ", "insertion", "X-linked", "infectious"),
            frequency={"*": 0.1},
        ),
    ]


@pytest.fixture(scope="session")
def cohort(countries, planted):
    """People and plan of a cohort: 120 people per country, half of them in families."""
    return plan_people(countries, dict.fromkeys(CODES, 120), 0.5, planted, seed=5)


@pytest.fixture(scope="session")
def demography() -> msprime.Demography:
    model = msprime.Demography()
    for code in CODES:
        model.add_population(name=code, initial_size=10_000)
    model.add_population(name="ancestors", initial_size=10_000)
    model.add_population_split(time=100, derived=list(CODES), ancestral="ancestors")
    return model


@pytest.fixture(scope="session")
def planted_by_frequency() -> Callable[..., PlantedVariant]:
    """Return a maker of variants planted by frequency; ``others``: in all other countries."""

    def make(start: int, minimum: int = 0, contig: str = "chr22", **frequency: float):
        frequency = {("*" if code == "others" else code): f for code, f in frequency.items()}
        variant = Variant(contig, start, "A", "G")
        return PlantedVariant(
            variant, "GENE", f"v{start}", "dominant", "cancer", frequency, minimum
        )

    return make
