"""Compare building a node from a VCF with what bcftools does to one, in one run.

    python benchmarks/intake.py --people 500 2500 --sites 100000

Simulates a block and writes it as BCF and as VCF in BGZF. Then, for each file in turn: ``bcftools
index`` and ``bcftools +fill-tags`` (which reads all genotypes, counts alleles, and writes the file
again in its own form), and ``rehearsal node build`` (which reads all genotypes, counts alleles, and
writes the stores). All are commands of their own, so the start of Python counts. CPU seconds
include child processes; seconds passed depend on other work on the machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from measuring import cpu_seconds, footer, header
from sparse_pass import people_table, simulate

from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Block
from rehearsal.stores.country_shards import write_shards

SITES_PER_MEGABASE = {500: 4_070, 2500: 10_250}  # of the simulated population, about
COUNTED = "AN,AC,AC_Hom,AC_Het,AC_Hemi"


def make_files(people: int, sites: int, folder: Path) -> list[Path]:
    """Write a block as BCF and as VCF, and the table of its people.

    Args:
        people: Number of people.
        sites: Number of sites, about.
        folder: Where to write.

    Returns:
        The two files.
    """
    per_megabase = SITES_PER_MEGABASE.get(people, 4 * people)
    ts = simulate(people, round(sites / per_megabase, 3))
    tables = ts.dump_tables()
    tables.sequence_length = CONTIG_LENGTHS["chr22"]  # the length that headers state
    table = people_table(people, 1)
    bcf, vcf = folder / "people.bcf", folder / "people.vcf.gz"
    whole = tables.tree_sequence()
    write_shards(whole, Block("chr22", 0, CONTIG_LENGTHS["chr22"]), table, {"C00": bcf}, {})
    subprocess.run(["bcftools", "view", "--no-version", "-Oz", "-o", vcf, bcf], check=True)
    individuals = pd.DataFrame({"id": table["id"], "sex": table["sex"], "birth_year": 1970})
    individuals.to_csv(folder / "people.tsv", sep="\t", index=False)
    print(f"{people} people, {ts.num_sites} sites", flush=True)
    return [bcf, vcf]


def by_bcftools(path: Path, folder: Path) -> None:
    """Index a file and fill its tags.

    Args:
        path: The file.
        folder: Where to write.
    """
    form, out = ("b", "tagged.bcf") if path.suffix == ".bcf" else ("z", "tagged.vcf.gz")
    subprocess.run(["bcftools", "index", "--force", path], check=True)
    command = ["bcftools", "+fill-tags", path, f"-O{form}", "-o", folder / out, "--", "-t", COUNTED]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def by_us(path: Path, folder: Path) -> None:
    """Build a node.

    Args:
        path: The file.
        folder: Where to write, which must be new.
    """
    command = [sys.executable, "-m", "rehearsal", "node", "build", "--vcf", path]
    command += ["--individuals", path.parent / "people.tsv", "--country", "FI", "--out", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def compare(path: Path, folder: Path, rounds: int) -> None:
    """Run both in turn, and print the least of each and the ratio.

    Args:
        path: The file.
        folder: Where to write.
        rounds: How often.
    """
    least: dict[str, tuple[float, float]] = {}
    for number in range(rounds):
        out = folder / f"node-{path.suffix}-{number}"
        jobs = {
            "bcftools index and +fill-tags": lambda: by_bcftools(path, folder),
            "rehearsal node build": lambda out=out: by_us(path, out),
        }
        for name, job in jobs.items():
            cpu, passed = cpu_seconds(), time.perf_counter()
            job()
            found = cpu_seconds() - cpu, time.perf_counter() - passed
            least[name] = min(least.get(name, found), found)
    for name, (cpu, passed) in least.items():
        print(f"  {path.name:<14} {name:<30} {cpu:7.2f} CPU s  {passed:7.2f} s", flush=True)
    one, other = least.values()
    print(
        f"  {path.name:<14} {'ratio':<30} {one[0] / other[0]:7.1f}        {one[1] / other[1]:7.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--people", type=int, nargs="+", default=[500, 2500], help="numbers of people"
    )
    parser.add_argument("--sites", type=int, default=100_000, help="sites, about")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run")
    options = parser.parse_args()
    print(header())
    version = subprocess.run(["bcftools", "--version"], check=True, capture_output=True, text=True)
    print(version.stdout.splitlines()[0])
    with tempfile.TemporaryDirectory(prefix="intake-") as temporary:
        for number, path in enumerate(make_files(20, 100, Path(temporary))):
            by_us(path, Path(temporary, f"warm-up-{number}"))  # it compiles, once per checkout
    for people in options.people:
        with tempfile.TemporaryDirectory(prefix="intake-") as temporary:
            for path in make_files(people, options.sites, Path(temporary)):
                compare(path, Path(temporary), options.rounds)
    print(footer())


if __name__ == "__main__":
    main()
