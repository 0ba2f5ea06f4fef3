"""Measure the time for genetic values of a block and phenotypes of a cohort.

    python benchmarks/phenotypes.py --people 2800 28000 --cohort 1000000

First comes one simulated block of 1 Mb (constant size, all people of one population): choosing
causal sites, our sum of effects, and tstrait's sum at its first call in a process (which compiles)
and at its second. Then come the tables of a whole cohort from random genetic values. CPU seconds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msprime
import numpy as np
import pandas as pd
import tskit
import tstrait
from measuring import header, peak_gigabytes, timed

from rehearsal.model import Block
from rehearsal.phenotypes.genetic_values import (
    EFFECT_TYPES,
    GeneticValues,
    block_genetic_values,
    causal_sites,
)
from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.phenotypes.trait_types import Traits

TRAITS = Path(__file__).resolve().parents[1] / "config" / "traits.yaml"
LENGTH = 1_000_000


def simulate(people: int) -> tskit.TreeSequence:
    """Simulate the block.

    Args:
        people: Number of people.
    """
    ancestry = msprime.sim_ancestry(
        people,
        population_size=20_000,
        sequence_length=LENGTH,
        recombination_rate=msprime.RateMap(
            position=[0, *range(1000, LENGTH, 1000), LENGTH], rate=_bins(LENGTH // 1000)
        ),
        random_seed=1,
    )
    return msprime.sim_mutations(ancestry, rate=1.29e-8, model=msprime.HKY(4), random_seed=2)


def _bins(number: int) -> np.ndarray:
    """Put recombination in every tenth bin only: the block must be quick to make, not realistic."""
    return np.where(np.arange(number) % 10 == 0, 1.1e-7, 0.0)


def block_figures(people: int, traits: Traits, sites: int = 100) -> None:
    """Print the times of one block.

    Args:
        people: Number of people.
        traits: The configured traits.
        sites: Number of causal sites.
    """
    ts = simulate(people)
    trait = traits.polygenic[0]
    choice, _ = timed(lambda: causal_sites(ts, sites, 0.01, seed=1))
    whole, (effects, ours) = timed(
        lambda: block_genetic_values(ts, Block("chr22", 0, LENGTH), trait, sites, seed=1)
    )
    site_ids = np.searchsorted(ts.sites_position, effects["start"])
    frame = pd.DataFrame(
        {
            "site_id": site_ids,
            "effect_size": effects["effect"],
            "causal_allele": effects["alt"],
            "trait_id": 0,
        }
    )
    first, _ = timed(lambda: tstrait.genetic_value(ts, frame))
    second, theirs = timed(lambda: tstrait.genetic_value(ts, frame))
    np.testing.assert_allclose(ours, theirs["genetic_value"], atol=1e-9)
    print(
        f"{people:>9,} people, {ts.num_sites:,} sites, {sites} causal: choose {choice:.3f} s, "
        f"choose + effects + values {whole:.3f} s; tstrait.genetic_value alone "
        f"{first:.2f} s at first, {second:.3f} s again"
    )


def cohort_figures(people: int, traits: Traits) -> None:
    """Print the time for the tables of a cohort.

    Args:
        people: Number of people.
        traits: The configured traits.
    """
    draw = np.random.default_rng(1)
    rows = pd.DataFrame(
        {
            "id": [f"FI-{number:07d}" for number in range(people)],
            "country": np.repeat(np.arange(28).astype(str), -(-people // 28))[:people],
            "sex": draw.choice(["female", "male"], people),
            "birth_year": draw.integers(1936, 2026, people),
        }
    )
    values = {trait.name: draw.normal(size=people) for trait in traits.polygenic}
    effects = {key: pd.Series([], dtype=kind) for key, kind in EFFECT_TYPES.items()}
    genetic = GeneticValues(pd.DataFrame(effects), pd.DataFrame(values))
    carriers = pd.DataFrame({"gene": "BRCA1", "individual": rows["id"][::1000], "copies": 1})
    seconds, result = timed(lambda: simulate_phenotypes(rows, genetic, carriers, traits, seed=1))
    print(
        f"{people:>9,} people: {seconds:.1f} s for {len(result.measurements):,} measurements, "
        f"{len(result.diseases):,} diseases, {len(result.features):,} features; "
        f"peak {peak_gigabytes():.1f} GB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--people", type=int, nargs="*", default=[2_800, 28_000], help="people in the block"
    )
    parser.add_argument(
        "--cohort", type=int, nargs="*", default=[2_800, 1_000_000], help="people in the cohort"
    )
    options = parser.parse_args()
    print(header())
    traits = read_traits(TRAITS)
    for people in options.people:
        block_figures(people, traits)
    for people in options.cohort:
        cohort_figures(people, traits)


if __name__ == "__main__":
    main()
