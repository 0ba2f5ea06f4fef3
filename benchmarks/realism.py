"""Compare the fast simulation recipe with plain msprime: is it as correct, and how much faster?

The recipe simulates recent generations by code of its own (``ancestry``) and crossovers at few
points, which it spreads (``crossover_points``), and drops migration rates below the threshold of
config/demography.yaml. Plain means msprime alone with its own crossovers and every migration rate.
Between them is msprime with the recipe's migration. One run answers two questions:

- speed: CPU seconds of ancestry and mutations for the same people and sequence;
- equality: heterozygosity, variable sites and the frequency spectrum (bins of 1, 2-3, 4-7, ...
  copies) over independent repeats of each, compared by Welch's t. They are equal within sampling
  error if no |t| exceeds the bound that the largest of as many independent t exceeds once in a
  hundred benchmarks.

    python benchmarks/realism.py --people 28000 --repeats 30
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msprime
import numpy as np
import tskit
from measuring import footer, header, timed
from scipy import stats

from rehearsal.config.tables import read_countries
from rehearsal.demography.model import build_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.genomes.ancestry import simulate_ancestry
from rehearsal.genomes.crossover_points import draw_points, spread_crossovers
from rehearsal.genomes.recombination import uniform_map
from rehearsal.model import Block, Country
from rehearsal.seeds import derive_seed

ROOT = Path(__file__).resolve().parents[1]
MUTATION_RATE, RECOMBINATION_RATE, KAPPA = 1.29e-8, 1.1e-8, 4.0
CONTIG, START = "chr1", 20_000_000
FALSE_ALARMS = 0.01

Simulate = Callable[[int, int], tskit.TreeSequence]  # (people per country, seed)


def ways(countries: list[Country], bases: int) -> dict[str, Simulate]:
    """Return the ways to simulate the same people and sequence, the plain one first.

    Args:
        countries: The countries.
        bases: Length of the sequence.
    """
    parameters = read_parameters(ROOT / "config" / "demography.yaml")
    every = dataclasses.replace(parameters.migration, threshold=0.0)
    full = to_msprime(build_model(countries, dataclasses.replace(parameters, migration=every)))
    sparse = to_msprime(build_model(countries, parameters))
    uniform = msprime.RateMap.uniform(bases, RECOMBINATION_RATE)
    codes = [country.code for country in countries]
    return {
        "plain": simulator(codes, full, uniform),
        "sparse migration": simulator(codes, sparse, uniform),
        "recipe": partial(recipe, codes, sparse, Block(CONTIG, START, START + bases)),
    }


def simulator(codes: list[str], demography: msprime.Demography, rates: msprime.RateMap) -> Simulate:
    """Return a function that simulates in one way.

    Args:
        codes: Codes of the countries.
        demography: The model.
        rates: The recombination map.
    """

    def simulate(people: int, seed: int) -> tskit.TreeSequence:
        ts = msprime.sim_ancestry(
            dict.fromkeys(codes, people),
            demography=demography,
            recombination_rate=rates,
            random_seed=seed,
        )
        return msprime.sim_mutations(
            ts, rate=MUTATION_RATE, model=msprime.HKY(KAPPA), random_seed=seed
        )

    return simulate


def recipe(
    codes: list[str], demography: msprime.Demography, block: Block, people: int, seed: int
) -> tskit.TreeSequence:
    """Simulate as the rehearsal does.

    Args:
        codes: Codes of the countries.
        demography: The model.
        block: The sequence.
        people: People per country.
        seed: Seed of the simulation.
    """
    points = draw_points(block, uniform_map(CONTIG, RECOMBINATION_RATE), seed)
    samples = np.repeat([demography[code].id for code in codes], 2 * people)
    ancestry = simulate_ancestry(samples, 0, demography, points.concentrated(), seed)
    left, right, parent, child = spread_crossovers(ancestry, points, seed)
    tables = tskit.TableCollection(block.length)
    tables.time_units = "generations"
    demography.insert_populations(tables)
    flags = np.zeros(len(ancestry.time), np.uint32)
    flags[: len(samples)] = tskit.NODE_IS_SAMPLE
    tables.nodes.set_columns(flags=flags, time=ancestry.time, population=ancestry.population)
    tables.edges.set_columns(left=left, right=right, parent=parent, child=child)
    tables.sort()
    return msprime.sim_mutations(
        tables.tree_sequence(), rate=MUTATION_RATE, model=msprime.HKY(KAPPA), random_seed=seed
    )


def measure_speed(found: dict[str, Simulate], people: int, seed: int) -> None:
    """Print the CPU seconds of each way.

    Args:
        found: The ways by name.
        people: People per country.
        seed: Seed of the simulations.
    """
    seconds = {}
    for name, simulate in found.items():
        seconds[name], ts = timed(partial(simulate, people, seed))
        print(
            f"  {name:<17} {seconds[name]:7.1f} CPU s  {ts.num_sites:,} sites, "
            f"{ts.num_trees:,} trees; {seconds['plain'] / seconds[name]:.1f} times plain's speed",
            flush=True,
        )


def features(ts: tskit.TreeSequence) -> dict[str, float]:
    """Compute the features that are compared.

    Args:
        ts: A simulated tree sequence.
    """
    spectrum = ts.allele_frequency_spectrum(polarised=True, span_normalise=False)[1:-1]
    copies = np.arange(1, len(spectrum) + 1)
    bins = np.floor(np.log2(copies)).astype(int)
    sums = np.bincount(bins, weights=spectrum)
    n = ts.num_samples
    heterozygosity = (spectrum * 2 * copies * (n - copies) / (n * (n - 1))).sum()
    return {
        "heterozygosity": heterozygosity / ts.sequence_length,
        "variable sites": float(spectrum.sum()),
        **{f"{2**i}-{2 ** (i + 1) - 1} copies": value for i, value in enumerate(sums)},
    }


def measure_equality(found: dict[str, Simulate], people: int, repeats: int, seed: int) -> None:
    """Print how far the features of the recipe differ from plain ones.

    Args:
        found: The ways by name.
        people: People per country.
        repeats: Number of repeats of each way.
        seed: Root seed.
    """
    tables = {}
    for name in ("plain", "recipe"):
        rows = [
            features(found[name](people, derive_seed(seed, name, repeat)))
            for repeat in range(repeats)
        ]
        tables[name] = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    values = []
    for key, plain in tables["plain"].items():
        recipe = tables["recipe"][key]
        t = stats.ttest_ind(recipe, plain, equal_var=False).statistic
        values.append(abs(t))
        print(
            f"  {key:<20} plain {plain.mean():.5g}  recipe {recipe.mean():.5g}  "
            f"ratio {recipe.mean() / plain.mean():.3f}  t {t:+.2f}"
        )
    bound = stats.t.isf(FALSE_ALARMS / 2 / len(values), 2 * repeats - 2)
    verdict = "equal within sampling error" if max(values) <= bound else "NOT EQUAL"
    print(f"  largest |t| {max(values):.2f}, bound {bound:.2f}: {verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=28_000, help="people, for speed")
    parser.add_argument("--bases", type=int, default=1_000_000, help="length of the sequence")
    parser.add_argument("--repeats", type=int, default=30, help="repeats, for equality")
    parser.add_argument("--repeat-people", type=int, default=1_400, help="people in one repeat")
    parser.add_argument("--seed", type=int, default=20181, help="root seed")
    options = parser.parse_args()
    schemas = ROOT / "workflow" / "schemas"
    countries = read_countries(ROOT / "config" / "countries.tsv", schemas / "countries.schema.yaml")
    found = ways(countries, options.bases)
    print(f"{header()}; msprime {msprime.__version__}")
    each = options.people // len(countries)
    print(f"speed: {each * len(countries):,} people, {options.bases / 1e6:g} Mb")
    measure_speed(found, each, options.seed)
    each = options.repeat_people // len(countries)
    print(f"equality: {options.repeats} repeats each of {each * len(countries):,} people")
    measure_equality(found, each, options.repeats, options.seed)
    print(footer())


if __name__ == "__main__":
    main()
