"""Measure the sparse pass over a block, and building the node stores of a block.

    python benchmarks/sparse_pass.py --people 2700 27000 --megabases 1

Simulates a block (recombination in 1 kb bins, one growing population shared out among 28
countries). Then times the carriers alone, the carriers with counts by country and sex, and the
stores of all countries through their parts. CPU seconds, after compilation.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import msprime
import numpy as np
import pandas as pd
import tskit
from measuring import cpu_seconds, header, peak_gigabytes

from rehearsal.genomes.carriers import Haplotypes, carrier_chunks, count_groups
from rehearsal.model import Block
from rehearsal.stores.country_shards import write_shards
from rehearsal.stores.variant_store import VariantStore
from rehearsal.stores.variant_store_writer import build_store

COUNTRIES = 28


def simulate(people: int, megabases: float, seed: int = 1) -> tskit.TreeSequence:
    """Simulate a European-like growing population (Tennessen et al. 2012, rounded), 1 kb bins.

    Args:
        people: Number of people.
        megabases: Length of the block.
        seed: Seed of ancestry and mutations.
    """
    demography = msprime.Demography()
    demography.add_population(initial_size=1e6, growth_rate=np.log(1e6 / 9500) / 205)
    for when, size, growth in ((205, 9500, 0.00307), (920, 1900, 0), (2040, 14500, 0)):
        demography.add_population_parameters_change(
            time=when, initial_size=size, growth_rate=growth
        )
    demography.add_population_parameters_change(time=5920, initial_size=7300)
    bins = int(megabases * 1000)
    edges = np.arange(1, bins) * 1000
    position = np.concatenate(([0], np.stack([edges, edges + 1], axis=1).ravel(), [bins * 1000]))
    rates = np.zeros(position.size - 1)
    rates[1::2] = 1.1e-8 * 1000
    ts = msprime.sim_ancestry(
        people,
        demography=demography,
        recombination_rate=msprime.RateMap(position=position, rate=rates),
        random_seed=seed,
    )
    return msprime.sim_mutations(
        ts, rate=1.29e-8, model=msprime.HKY(kappa=4.0), random_seed=seed + 1
    )


def people_table(people: int, countries: int = COUNTRIES) -> pd.DataFrame:
    """Share people out among countries in equal parts, every second one a man.

    Args:
        people: Number of people.
        countries: Number of countries.
    """
    rows = np.arange(people)
    return pd.DataFrame(
        {
            "id": [f"P-{row:07d}" for row in rows],
            "country": [f"C{row * countries // people:02d}" for row in rows],
            "sex": np.where(rows % 2, "male", "female"),
        }
    )


def measure(ts: tskit.TreeSequence, stores: bool) -> None:
    """Print the times of one block.

    Args:
        ts: The tree sequence of the block.
        stores: Whether to measure stores too.
    """
    people = people_table(ts.num_individuals)
    group = pd.factorize(people["country"])[0] * 2 + (people["sex"] == "male")
    haplotypes = Haplotypes.of(ts)

    start = cpu_seconds()
    entries = sum(chunk.haplotype.size for chunk in carrier_chunks(ts, haplotypes))
    report("carriers", ts, cpu_seconds() - start, f"{entries / ts.num_sites:.0f} carriers per site")

    start = cpu_seconds()
    for chunk in carrier_chunks(ts, haplotypes):
        count_groups(chunk, haplotypes, group.to_numpy(), 2 * COUNTRIES)
    report("carriers and counts", ts, cpu_seconds() - start, f"{2 * COUNTRIES} groups")

    if stores:
        folder = Path(tempfile.mkdtemp(prefix="sparse-pass-"))
        try:
            measure_stores(ts, people, folder)
        finally:
            shutil.rmtree(folder)


def measure_stores(ts: tskit.TreeSequence, people: pd.DataFrame, folder: Path) -> None:
    """Print the times of parts and stores.

    Args:
        ts: The tree sequence of the block.
        people: One row per individual.
        folder: Where to write.
    """
    parts = {code: folder / f"{code}.parquet" for code in people["country"].unique()}
    start = cpu_seconds()
    write_shards(ts, Block("chr22", 0, int(ts.sequence_length)), people, {}, parts)
    size = sum(part.stat().st_size for part in parts.values()) / 1e6
    report("parts of all countries", ts, cpu_seconds() - start, f"{size:.0f} MB")

    start = cpu_seconds()
    size, rows = 0, 0
    for code, part in parts.items():
        out = folder / f"{code}.sqlite"
        rows += build_store([part], people[people["country"] == code][["id", "sex"]], out)
        size += out.stat().st_size
    note = f"{size / 1e6:.0f} MB, {rows} rows"
    report("stores of all countries", ts, cpu_seconds() - start, note)
    measure_look_ups(out)


def measure_look_ups(path: Path, number: int = 5000) -> None:
    """Print the CPU time per call on the store of one country, in microseconds.

    Args:
        path: The store.
        number: Number of calls.
    """
    with VariantStore.open(path) as store:
        rows = list(store)
        rng = np.random.default_rng(1)
        chosen = [rows[i] for i in rng.integers(0, len(rows), number).tolist()]
        calls = {
            "look-up": lambda row: store.get(row.contig, row.start, row.ref, row.alt),
            "look-up with counts": lambda row: store.get(*row[:4]).total,
            "carriers decoded": lambda row: row.carriers(),
            "10 kb range": lambda row: list(
                store.overlapping(row.contig, row.start, row.start + 10_000)
            ),
        }
        for what, call in calls.items():
            start = time.process_time()
            for row in chosen:
                call(row)
            microseconds = (time.process_time() - start) / number * 1e6
            print(f"{len(store.individuals):>9} people {what:<24} {microseconds:8.1f} us")


def report(what: str, ts: tskit.TreeSequence, seconds: float, note: str) -> None:
    """Print one line.

    Args:
        what: Name of the measurement.
        ts: The tree sequence of the block.
        seconds: CPU seconds.
        note: What else to print.
    """
    print(
        f"{ts.num_individuals:>9} people {what:<24} {seconds:8.2f} CPU s "
        f"{ts.num_sites / seconds:>9.0f} sites/s  {peak_gigabytes():.2f} GB peak  {note}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--people", type=int, nargs="+", default=[2700, 27000], help="numbers of people"
    )
    parser.add_argument("--megabases", type=float, default=1.0, help="length of the block")
    parser.add_argument("--trees", type=Path, help="tree sequence to use instead of simulating")
    parser.add_argument("--no-stores", action="store_true", help="measure the sparse pass only")
    arguments = parser.parse_args()
    print(header())
    warm_up = simulate(56, 0.05)
    for _ in carrier_chunks(warm_up):
        pass
    measure(warm_up, stores=not arguments.no_stores)
    for people in arguments.people:
        if arguments.trees:
            ts = tskit.load(arguments.trees)
        else:
            start = cpu_seconds()
            ts = simulate(people, arguments.megabases)
            seconds = cpu_seconds() - start
            print(f"simulated {ts.num_sites} sites, {ts.num_edges} edges in {seconds:.1f} CPU s")
        measure(ts, stores=not arguments.no_stores)


if __name__ == "__main__":
    main()
