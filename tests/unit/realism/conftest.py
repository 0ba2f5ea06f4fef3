"""A small cohort with families in five countries, on an autosome and on X."""

from __future__ import annotations

from types import SimpleNamespace

import msprime
import numpy as np
import pandas as pd
import pytest

from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.genomes.variant_classes import VariantClasses
from rehearsal.model import Block, Country
from rehearsal.realism.measures import block_measures, join
from rehearsal.realism.panel import choose_panel
from rehearsal.realism.published import ReferenceFigures

from ..simulated_blocks import blocks, components, people, spectrum, trees

__all__ = ["blocks", "components", "people", "spectrum", "trees"]

PLACES = {"ES": (40, -4), "FI": (61, 25), "IE": (53, -8), "IT": (42, 12), "PL": (52, 19)}
SEED = 5
SINGLE_BASES = VariantClasses(indel_share=0, structural_per_genome=0)


def unknown(block: Block) -> str:
    """The bases of a reference that has none."""
    return "N" * block.length


def recombination(block: Block) -> msprime.RateMap:
    """The map of a block's contig."""
    return uniform_map(block.contig, 1.1e-8)


def _simulated(block: Block, people: pd.DataFrame):
    demography = msprime.Demography.island_model([10_000] * len(PLACES), 1e-3)
    for population, code in zip(demography.populations, PLACES, strict=True):
        population.name = code
    return simulate_block(
        block,
        people,
        pd.DataFrame(columns=["variant", "gene", "role", "case", "kind", "person", "haplotype"]),
        [],
        SimulationSettings(demography, 1.29e-8, kappa=4.0, seed=SEED, classes=SINGLE_BASES),
        recombination(block),
        draw_reference(block, SEED),
    )


@pytest.fixture(scope="session")
def cohort() -> SimpleNamespace:
    countries = [
        Country(code, code, *map(float, place), 5.0, "Capital", *map(float, place), "no")
        for code, place in PLACES.items()
    ]
    people, _ = plan_people(countries, dict.fromkeys(PLACES, 40), 0.9, [], SEED)
    blocks = [
        Block("chr21", 20_000_000, 20_200_000),
        Block("chr21", 20_200_000, 20_400_000),
        Block("chrX", 50_000_000, 50_200_000),
    ]
    return SimpleNamespace(
        countries=countries,
        people=people,
        panel=choose_panel(people, SEED),
        blocks=blocks,
        trees={block.id: _simulated(block, people) for block in blocks},
    )


@pytest.fixture(scope="session")
def joined(cohort):
    return join(
        block_measures(
            cohort.trees[block.id], block, cohort.panel, unknown(block), recombination(block)
        )
        for block in cohort.blocks
    )


@pytest.fixture(scope="session")
def known(cohort):
    pairs = pd.DataFrame(
        {
            "country1": ["ES", "FI", "IE"],
            "country2": ["FI", "IE", "PL"],
            "fst": [0.01, 0.008, 0.002],
        }
    )
    popres = pd.DataFrame(
        {"country": ["ES", "IE", "IT", "PL"], "pc1": range(4), "pc2": [1, 0, 2, 5]}
    )
    return ReferenceFigures(cohort.countries, np.full((5, 5), 0.01), pairs, popres, 4.0)


@pytest.fixture(scope="session")
def measured(cohort):
    return {
        block.id: block_measures(
            cohort.trees[block.id], block, cohort.panel, unknown(block), recombination(block)
        )
        for block in cohort.blocks
    }


@pytest.fixture(scope="session")
def autosome(cohort):
    block = cohort.blocks[0]
    return block, cohort.trees[block.id]
