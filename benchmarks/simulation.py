"""Measure the simulation of whole blocks: families, mutations, a planted variant of frequency 0.1.

    python benchmarks/simulation.py --people 2800 28000 --megabases 5

CPU seconds. The model is ``config/demography.yaml`` unless ``--model`` names a demes file.
``benchmarks/realism.py`` measures what binned recombination and sparse migration save.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import demes
from measuring import header, peak_gigabytes, timed

from rehearsal.config.tables import read_countries
from rehearsal.demography.model import build_model, read_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.known_bases import with_planted
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.model import Block, Country, PlantedVariant, Variant

ROOT = Path(__file__).resolve().parents[1]
CONTIG, START = "chr22", 20_000_000
RECOMBINATION_RATE, MUTATION_RATE, KAPPA = 1.1e-8, 1.29e-8, 4.0


def default_model(countries: list[Country]) -> demes.Graph:
    """Build the shipped model.

    Args:
        countries: The countries.
    """
    return build_model(countries, read_parameters(ROOT / "config/demography.yaml"))


def measure_blocks(args: argparse.Namespace, countries: list[Country]) -> None:
    """Simulate a block for each number of people and print its figures.

    Args:
        args: Options of the command.
        countries: The countries.
    """
    demography = to_msprime(
        read_model(args.model, countries) if args.model else default_model(countries)
    )
    block = Block(CONTIG, START, START + round(args.megabases * 1e6))
    variant = Variant(CONTIG, START + block.length // 2, "A", "G")
    planted = [PlantedVariant(variant, "GENE", "bench", "dose", "common", {"*": 0.1}, 1)]
    bases = draw_reference(block, 1, with_planted([], planted))
    for people in args.people:
        numbers = {country.code: people // len(countries) for country in countries}
        planned, (table, plan) = timed(
            partial(plan_people, countries, numbers, 0.3, planted, seed=1)
        )
        seconds, ts = timed(
            lambda table=table, plan=plan: simulate_block(
                block,
                table,
                plan,
                planted,
                SimulationSettings(demography, MUTATION_RATE, KAPPA, seed=1),
                uniform_map(CONTIG, RECOMBINATION_RATE),
                bases,
            )
        )
        print(
            f"{len(table):8d} people x {args.megabases} Mb: plan {planned:.1f}, "
            f"block {seconds:.1f} CPU s, {ts.num_sites} sites, {ts.num_trees} trees, "
            f"peak {peak_gigabytes():.2f} GB",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, help="demes file with the countries' codes")
    parser.add_argument("--megabases", type=float, default=1.0, help="length of the block")
    parser.add_argument(
        "--people", type=int, nargs="+", default=[2_800, 28_000], help="numbers of people"
    )
    args = parser.parse_args()
    print(header())
    schema = ROOT / "workflow/schemas/countries.schema.yaml"
    measure_blocks(args, read_countries(ROOT / "config/countries.tsv", schema))


if __name__ == "__main__":
    main()
