"""What simulating costs, and what binned recombination and sparse migration save.

    python benchmarks/simulation.py compare --people 28000 --megabases 1
    python benchmarks/simulation.py block --people 2800 28000 --megabases 5

``compare`` simulates the same people and sequence in three ways (plain msprime with a uniform map
and every migration rate; without the negligible rates; and also with recombination in bins, our
recipe) and tests whether they agree: replicates are independent sequences, each figure (branch
diversity, sites by copies of the derived allele) is compared with plain msprime by Welch's t;
the table shows p. (Windows of one sequence would not do: rare alleles are young, their trees span
much of a megabase.) ``block`` times whole blocks with families, mutations and a
planted variant of frequency 0.1. CPU seconds; the model is ``config/demography.yaml`` unless
``--model`` names a demes file.
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import demes
import msprime
import numpy as np
import tskit
from scipy.stats import ttest_ind
from sparse_pass import machine

from rehearsal.config.tables import read_countries
from rehearsal.demography.model import build_model, read_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import binned_map, uniform_map
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.model import Block, Country, PlantedVariant, Variant

ROOT = Path(__file__).resolve().parents[1]
CONTIG, START = "chr22", 20_000_000
RECOMBINATION_RATE, MUTATION_RATE, KAPPA = 1.1e-8, 1.29e-8, 4.0
CLASSES = {"1": 1, "2": 2, "3-10": 10, "11-100": 100, "101-1000": 1_000, "more": None}  # copies


def timed(job: Callable[[], tskit.TreeSequence]) -> tuple[float, tskit.TreeSequence]:
    start = time.process_time()
    result = job()
    return time.process_time() - start, result


def models(
    countries: list[Country], demes_file: Path | None
) -> tuple[msprime.Demography, msprime.Demography]:
    """The model with every migration rate, and the one that is run."""
    if demes_file:
        graph = read_model(demes_file, countries)
        tree = graph.asdict()
        tree["migrations"] = [m for m in tree["migrations"] if m["rate"] >= 1e-4]
        return to_msprime(graph), to_msprime(demes.Graph.fromdict(tree))
    parameters = read_parameters(ROOT / "config/demography.yaml")
    every = dataclasses.replace(parameters.migration, threshold=0.0)
    dense = build_model(countries, dataclasses.replace(parameters, migration=every))
    return to_msprime(dense), to_msprime(build_model(countries, parameters))


def ancestry(
    countries: list[Country],
    people: int,
    demography: msprime.Demography,
    recombination: msprime.RateMap,
    seed: int,
) -> tskit.TreeSequence:
    """Unrelated people, the same number in each country, with mutations."""
    ts = msprime.sim_ancestry(
        {country.code: people // len(countries) for country in countries},
        demography=demography,
        recombination_rate=recombination,
        random_seed=seed,
        record_provenance=False,
    )
    return msprime.sim_mutations(
        ts, rate=MUTATION_RATE, model=msprime.HKY(KAPPA), random_seed=seed, record_provenance=False
    )


def figures(ts: tskit.TreeSequence) -> np.ndarray:
    """(1 + classes,): branch diversity, then sites by copies of the derived allele."""
    spectrum = ts.allele_frequency_spectrum(mode="site", polarised=True, span_normalise=False)
    edges = [1, *(1 + (last or ts.num_samples) for last in CLASSES.values())]
    counts = [spectrum[low:high].sum() for low, high in pairwise(edges)]
    return np.array([ts.diversity(mode="branch"), *counts])


def compare(args: argparse.Namespace, countries: list[Country]) -> None:
    dense, sparse = models(countries, args.model)
    block = Block(CONTIG, START, START + round(args.megabases * 1e6))
    uniform = uniform_map(CONTIG, RECOMBINATION_RATE)
    plain_map = uniform.slice(block.start, block.end, trim=True)
    ways = {
        "plain msprime": (dense, plain_map),
        "+ sparse migration": (sparse, plain_map),
        "+ 1 kb bins (ours)": (sparse, binned_map(block, uniform)),
    }
    found: dict[str, np.ndarray] = {}
    first_seconds = 0.0
    print(f"{'':<20} CPU s  times    sites  diversity  p: diversity, sites by copies {[*CLASSES]}")
    for number, (name, (demography, recombination)) in enumerate(ways.items()):
        seconds, replicates = 0.0, []
        for replicate in range(1, args.replicates + 1):
            job = partial(ancestry, countries, args.people, demography, recombination)
            cpu, ts = timed(partial(job, 1_000 * number + replicate))
            seconds += cpu / args.replicates
            replicates.append(figures(ts))
        found[name] = np.array(replicates)
        first_seconds = first_seconds or seconds
        p = ttest_ind(found[name], found["plain msprime"], equal_var=False).pvalue
        mean = found[name].mean(axis=0)
        print(
            f"{name:<20} {seconds:5.1f} {first_seconds / seconds:5.1f} {mean[1:].sum():9.0f}"
            f" {mean[0]:9.0f}   {' '.join(f'{x:.2f}' for x in p)}",
            flush=True,
        )


def blocks(args: argparse.Namespace, countries: list[Country]) -> None:
    _, demography = models(countries, args.model)
    block = Block(CONTIG, START, START + round(args.megabases * 1e6))
    variant = Variant(CONTIG, START + block.length // 2, "A", "G")
    planted = [PlantedVariant(variant, "GENE", "bench", "dose", "common", {"*": 0.1}, 1)]
    for people in args.people:
        numbers = {country.code: people // len(countries) for country in countries}
        start = time.process_time()
        table, plan = plan_people(countries, numbers, 0.3, planted, seed=1)
        planned = time.process_time() - start
        seconds, ts = timed(
            lambda table=table, plan=plan: simulate_block(
                block,
                table,
                plan,
                planted,
                SimulationSettings(demography, MUTATION_RATE, KAPPA, seed=1),
                uniform_map(CONTIG, RECOMBINATION_RATE),
            )
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(
            f"{len(table):8d} people x {args.megabases} Mb: plan {planned:.1f}, "
            f"block {seconds:.1f} CPU s, {ts.num_sites} sites, {ts.num_trees} trees, "
            f"peak {peak:.2f} GB",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, help="a demes file with the countries' codes")
    parser.add_argument("--megabases", type=float, default=1.0)
    what = parser.add_subparsers(dest="what", required=True)
    comparing = what.add_parser("compare")
    comparing.add_argument("--people", type=int, default=28_000)
    comparing.add_argument("--replicates", type=int, default=4)
    comparing.set_defaults(run=compare)
    timing = what.add_parser("block")
    timing.add_argument("--people", type=int, nargs="+", default=[2_800, 28_000])
    timing.set_defaults(run=blocks)
    args = parser.parse_args()
    print(machine())
    schema = ROOT / "workflow/schemas/countries.schema.yaml"
    args.run(args, read_countries(ROOT / "config/countries.tsv", schema))


if __name__ == "__main__":
    main()
