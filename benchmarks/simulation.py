"""Measure the simulation of whole blocks: families, mutations, a planted variant of frequency 0.1.

    python benchmarks/simulation.py --people 2800 28000 --megabases 5

CPU seconds, with the map that ``config/config.yaml`` draws. The model is ``config/demography.yaml``
unless ``--model`` names a demes file. ``--bins`` also runs the simulation of version 0.2 on the
same map: all recombination of a kilobase at its middle base, and ``msprime.sim_mutations``.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import demes
import msprime
import numpy as np
import yaml
from measuring import header, peak_gigabytes, timed

from rehearsal.config.tables import read_countries
from rehearsal.demography.model import build_model, read_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.hotspots import Hotspots, hotspot_map
from rehearsal.genomes.known_bases import with_planted
from rehearsal.genomes.pedigree import Pedigree
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.model import Block, Country, PlantedVariant, Variant

ROOT = Path(__file__).resolve().parents[1]
CONTIG, START = "chr22", 20_000_000
BIN = 1_000  # bases, of the simulation until version 0.2


def default_model(countries: list[Country]) -> demes.Graph:
    """Build the shipped model.

    Args:
        countries: The countries.
    """
    return build_model(countries, read_parameters(ROOT / "config/demography.yaml"))


def binned_map(block: Block, recombination: msprime.RateMap) -> msprime.RateMap:
    """Build the block's map with all recombination of each bin at its middle base.

    Args:
        block: The block.
        recombination: Map of the whole contig.
    """
    own = recombination.slice(block.start, block.end, trim=True)
    edges = np.append(np.arange(0, block.length, BIN), block.length)
    places = (edges[:-1] + edges[1:]) // 2
    position = np.unique(np.concatenate([[0, block.length], places, places + 1]))
    rate = np.zeros(len(position) - 1)
    rate[np.searchsorted(position, places)] = np.diff(own.get_cumulative_mass(edges))
    return msprime.RateMap(position=position, rate=rate)


def simulate_bins(
    block: Block,
    founders: dict[str, int],
    settings: SimulationSettings,
    recombination: msprime.RateMap,
) -> None:
    """Simulate founders in bins, with single bases only.

    Args:
        block: The block.
        founders: Founders by country code.
        settings: Settings of the run.
        recombination: Map of the whole contig.
    """
    ts = msprime.sim_ancestry(
        [msprime.SampleSet(number, population=code) for code, number in founders.items()],
        demography=settings.demography,
        sequence_length=block.length,
        recombination_rate=binned_map(block, recombination),
        random_seed=1,
    )
    model = msprime.HKY(settings.kappa)
    msprime.sim_mutations(ts, rate=settings.mutation_rate, model=model, random_seed=1)


def measure_blocks(args: argparse.Namespace, countries: list[Country]) -> None:
    """Simulate a block for each number of people and print its figures.

    Args:
        args: Options of the command.
        countries: The countries.
    """
    demography = to_msprime(
        read_model(args.model, countries) if args.model else default_model(countries)
    )
    genome = yaml.safe_load((ROOT / "config/config.yaml").read_text())["genome"]
    settings = SimulationSettings.of_genome(genome, demography, seed=1)
    rate = genome["recombination_rate"]
    recombination = hotspot_map(CONTIG, rate, Hotspots.of_genome(genome), 1)
    block = Block(CONTIG, START, START + round(args.megabases * 1e6))
    variant = Variant(CONTIG, START + block.length // 2, "A", "G")
    planted = [PlantedVariant(variant, "GENE", "bench", "dose", "common", {"*": 0.1}, 1)]
    bases = draw_reference(block, 1, with_planted([], planted))
    for people in args.people:
        numbers = {country.code: people // len(countries) for country in countries}
        planned, (table, plan) = timed(
            partial(plan_people, countries, numbers, 0.3, planted, seed=1)
        )
        arguments = (table, plan, planted, settings, recombination, bases)
        seconds, ts = timed(partial(simulate_block, block, *arguments))
        print(
            f"{len(table):8d} people x {args.megabases} Mb: plan {planned:.1f}, "
            f"block {seconds:.1f} CPU s, {ts.num_sites} sites, {ts.num_trees} trees, "
            f"peak {peak_gigabytes():.2f} GB",
            flush=True,
        )
        if args.bins:
            founders = table[Pedigree.of(table).founder]["population"].value_counts().to_dict()
            seconds, _ = timed(partial(simulate_bins, block, founders, settings, recombination))
            print(f"{sum(founders.values()):8d} founders in bins: {seconds:.1f} CPU s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, help="demes file with the countries' codes")
    parser.add_argument("--megabases", type=float, default=1.0, help="length of the block")
    parser.add_argument(
        "--people", type=int, nargs="+", default=[2_800, 28_000], help="numbers of people"
    )
    parser.add_argument("--bins", action="store_true", help="also simulate in bins of 1 kb")
    args = parser.parse_args()
    print(header())
    schema = ROOT / "workflow/schemas/countries.schema.yaml"
    measure_blocks(args, read_countries(ROOT / "config/countries.tsv", schema))


if __name__ == "__main__":
    main()
