"""Measure speed, memory and size of each genotype format.

    python benchmarks/formats.py --people 27000 --megabases 0.25
    python benchmarks/formats.py --people 100000 --megabases 0.1 0.4 --memory

Simulates a block and writes it in each way. Prints CPU seconds (including child processes), sizes
and ratios to ``ts.write_vcf | bgzip``. ``bcftools`` re-encodes our BCF. PGEN includes counting the
sites first. With ``--memory`` each format is written in its own process for each length, and its
peak resident memory is printed. It must not grow with the number of sites.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import tskit
from export import by_bcftools, by_tskit
from measuring import header, peak_gigabytes, print_written
from sparse_pass import people_table, simulate

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.pgen import write_pgen
from rehearsal.export.trees import write_trees
from rehearsal.export.vcf import write_bcf, write_vcf
from rehearsal.export.vcf_zarr import write_vcf_zarr

Writer = Callable[[Genotypes, Path], None]
WAYS: dict[str, tuple[Writer, str]] = {
    "BCF and CSI": (write_bcf, "o.bcf"),
    "PGEN, PVAR, PSAM": (write_pgen, "o.pgen"),
    "VCF and TBI": (write_vcf, "o.vcf.gz"),
    "VCF Zarr": (write_vcf_zarr, "o.vcz.zip"),
    "tree sequence": (write_trees, "o.tsz"),
}


def compare(people: int, megabases: float, folder: Path, repeats: int) -> None:
    """Write a block in each way and print the figures.

    Args:
        people: Number of people.
        megabases: Length of the block.
        folder: Where to write.
        repeats: How often to write each format.
    """
    small = simulate(50, 0.02)
    for write, name in WAYS.values():  # compile
        write(Genotypes.of([small], "chr22", people_table(50, 1)), folder / f"warm-{name}")
    ts = simulate(people, megabases)
    table = people_table(ts.num_individuals)
    print(header())
    print(f"{ts.num_individuals} people, {ts.num_sites} sites, {megabases} Mb")
    vcf = folder / "tskit.vcf.gz"
    slow = print_written("ts.write_vcf | bgzip", lambda: by_tskit(ts, table, vcf), vcf, None)
    for what, (write, name) in WAYS.items():
        for _ in range(repeats):
            out = folder / name
            job = lambda: write(genotypes(ts, table), out)  # noqa: B023, E731 - called at once
            print_written(what, job, out, slow)
    again = folder / "again.bcf"
    job = "bcftools, BCF to BCF, no index"
    print_written(job, lambda: by_bcftools(folder / "o.bcf", again), again, slow)
    with zipfile.ZipFile(folder / "o.vcz.zip") as archive:
        print(f"files in the VCF Zarr: {len(archive.namelist())}")


def genotypes(ts: tskit.TreeSequence, table: pd.DataFrame) -> Genotypes:
    """Select all people anew, because selection is part of each format's work.

    Args:
        ts: The tree sequence.
        table: One row per individual.
    """
    return Genotypes.of([ts], "chr22", table)


def measure_memory(people: int, megabases: list[float], folder: Path) -> None:
    """Print the peak memory of each format for each length.

    Args:
        people: Number of people.
        megabases: Lengths of the blocks.
        folder: Where to write.
    """
    print(header())
    for length in megabases:
        trees = folder / f"{length}.trees"
        simulate(people, length).dump(trees)
        for what in WAYS:
            subprocess.run([sys.executable, __file__, "--write", what, str(trees)], check=True)


def write_one(what: str, trees: Path) -> None:
    """Write one format and print the peak memory of this process.

    Args:
        what: Name of the format.
        trees: File of the tree sequence.
    """
    ts = tskit.load(trees)
    sites, table = ts.num_sites, people_table(ts.num_individuals)
    del ts
    write, name = WAYS[what]
    write(Genotypes.of([trees], "chr22", table), trees.with_name(name))
    people = len(table)
    print(f"{what:<20} {people} people, {sites:7} sites: {peak_gigabytes():5.2f} GB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=27000, help="simulated people")
    parser.add_argument(
        "--megabases", type=float, nargs="+", default=[0.25], help="lengths of the blocks"
    )
    parser.add_argument("--repeats", type=int, default=1, help="repeats of each format")
    parser.add_argument("--memory", action="store_true", help="measure peak memory instead")
    parser.add_argument("--write", nargs=2, metavar=("FORMAT", "TREES"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        write_one(arguments.write[0], Path(arguments.write[1]))
        return
    folder = Path(tempfile.mkdtemp(prefix="formats-"))
    try:
        if arguments.memory:
            measure_memory(arguments.people, arguments.megabases, folder)
        else:
            for length in arguments.megabases:
                compare(arguments.people, length, folder, arguments.repeats)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
