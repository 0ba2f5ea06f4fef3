"""Sixty people of five countries, and three blocks that were simulated for them."""

from __future__ import annotations

from pathlib import Path

import msprime
import pandas as pd
import pytest

from rehearsal.model import Country
from rehearsal.realism.block_structure import BlockStructure, measure_block_structure
from rehearsal.realism.frequency_spectrum import frequency_spectrum
from rehearsal.realism.principal_components import cohort_components

COUNTRIES = (
    Country("BE", "Belgium", 50.7, 4.6, 11.7, "Brussels", 50.85, 4.35, "2018-2020"),
    Country("ES", "Spain", 40.3, -3.6, 48.0, "Madrid", 40.42, -3.7, "2018-2020"),
    Country("FI", "Finland", 61.0, 25.0, 5.6, "Helsinki", 60.17, 24.94, "2018-2020"),
    Country("PL", "Poland", 52.1, 19.4, 36.8, "Warsaw", 52.23, 21.01, "no"),
    Country("SI", "Slovenia", 46.1, 14.8, 2.1, "Ljubljana", 46.06, 14.51, "2018-2020"),
)
CODES = [country.code for country in COUNTRIES]


def made_people(countries=COUNTRIES, each: int = 12) -> pd.DataFrame:
    """Make people of whom the first three of each country are a couple and their child.

    Args:
        countries: The countries.
        each: Number of people per country.

    Returns:
        The people table.
    """
    rows = []
    for country in countries:
        ids = [f"{country.code}-{number:06d}" for number in range(1, each + 1)]
        for number, name in enumerate(ids):
            family = f"{country.code}-F1" if number < 3 else None
            father, mother = (ids[0], ids[1]) if number == 2 else (None, None)
            sex = "female" if number % 2 else "male"
            rows.append((name, country.code, sex, 1950 + number, family, father, mother))
    columns = ["id", "country", "sex", "birth_year", "family", "father", "mother"]
    return pd.DataFrame(rows, columns=columns)


def simulate_blocks(folder: Path, people: pd.DataFrame, lengths: dict[str, int]) -> list[Path]:
    """Simulate one ``.trees`` file per contig, with countries distant enough for a PCA to separate.

    Args:
        folder: The folder to write to.
        people: The people table.
        lengths: Lengths in bases by contig.

    Returns:
        The files.
    """
    codes = list(dict.fromkeys(people["country"]))
    demography = msprime.Demography.island_model([2_000] * len(codes), 0.0002)
    paths = []
    for number, (contig, length) in enumerate(lengths.items()):
        samples = {
            f"pop_{index}": int((people["country"] == code).sum())
            for index, code in enumerate(codes)
        }
        ts = msprime.sim_ancestry(
            samples,
            demography=demography,
            sequence_length=length,
            recombination_rate=1e-8,
            random_seed=number + 1,
        )
        ts = msprime.sim_mutations(ts, rate=2e-8, random_seed=number + 1)
        path = folder / f"{contig}-0-{length}.trees"
        ts.dump(path)
        paths.append(path)
    return paths


@pytest.fixture(scope="session")
def people() -> pd.DataFrame:
    return made_people()


@pytest.fixture(scope="session")
def trees(tmp_path_factory, people) -> list[Path]:
    folder = tmp_path_factory.mktemp("blocks")
    return simulate_blocks(folder, people, {"chr21": 400_000, "chr22": 400_000, "chrX": 50_000})


@pytest.fixture(scope="session")
def blocks(trees, people) -> list[BlockStructure]:
    return [measure_block_structure(path, people, seed=1) for path in trees]


@pytest.fixture(scope="session")
def spectrum(blocks, people) -> pd.DataFrame:
    return frequency_spectrum(blocks, people)


@pytest.fixture(scope="session")
def components(trees, blocks, people) -> pd.DataFrame:
    return cohort_components(trees, blocks, people, seed=1)
