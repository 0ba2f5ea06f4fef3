"""Compare the speed of the BCF and VCF exports with the usual ways, in one run.

    python benchmarks/export.py --people 27000 --megabases 0.25

Simulates a block, writes it once in each way and prints CPU seconds (including child processes),
sizes and ratios. ``tskit | bgzip`` is ``ts.write_vcf`` piped to bgzip. ``bcftools`` re-encodes our
BCF. First VCF is written by tskit and by us in turn, several times.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import tskit
from measuring import header, print_written, timed
from sparse_pass import people_table, simulate

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.vcf import write_vcf
from rehearsal.formats.bgzf import BgzfWriter
from rehearsal.formats.vcf import VcfPacker
from rehearsal.model import Block
from rehearsal.stores.country_shards import write_shards


def by_tskit(ts: tskit.TreeSequence, people: pd.DataFrame, out: Path) -> None:
    """Write a VCF with ``ts.write_vcf`` piped to bgzip.

    Args:
        ts: The tree sequence.
        people: One row per individual.
        out: The ``.vcf.gz`` file.
    """
    with (
        out.open("wb") as file,
        subprocess.Popen(["bgzip", "-c"], stdin=subprocess.PIPE, stdout=file, text=True) as bgzip,
    ):
        ts.write_vcf(
            bgzip.stdin,
            contig_id="chr22",
            individual_names=people["id"].tolist(),
            position_transform=lambda x: np.asarray(x, int) + 1,
        )
        bgzip.stdin.close()


def by_tskit_with_index(ts: tskit.TreeSequence, people: pd.DataFrame, out: Path) -> None:
    """Write a VCF as :func:`by_tskit` does, and its TBI index with tabix.

    Args:
        ts: The tree sequence.
        people: One row per individual.
        out: The ``.vcf.gz`` file.
    """
    by_tskit(ts, people, out)
    subprocess.run(["tabix", "-f", "-p", "vcf", out], check=True)


def print_side_by_side(
    ts: tskit.TreeSequence, people: pd.DataFrame, folder: Path, rounds: int
) -> None:
    """Write VCF by tskit and by us in turn; print the medians of CPU and wall time, and the sizes.

    The size of tskit's lines, which have no INFO, when we compress them is printed too.

    Args:
        ts: The tree sequence.
        people: One row per individual.
        folder: Where to write.
        rounds: How often each is written.
    """
    theirs, ours = folder / "side-t.vcf.gz", folder / "side-o.vcf.gz"
    ways = {
        "tskit | bgzip": lambda: by_tskit(ts, people, theirs),
        "tskit | bgzip, tabix": lambda: by_tskit_with_index(ts, people, theirs),
        "ours, VCF and TBI": lambda: as_vcf(ts, people, ours),
    }
    seconds: dict[str, list[tuple[float, float]]] = {what: [] for what in ways}
    for _ in range(rounds):
        for what, job in ways.items():
            started = time.perf_counter()
            cpu, _ = timed(job)
            seconds[what].append((cpu, time.perf_counter() - started))
    median = {what: np.median(found, axis=0) for what, found in seconds.items()}
    for what, (cpu, wall) in median.items():
        times = median[what] / median["ours, VCF and TBI"]
        print(
            f"{what:<24} {cpu:7.3f} CPU s ({times[0]:.1f} times ours) "
            f"{wall:7.3f} s of wall time ({times[1]:.1f})"
        )
    again = folder / "side-a.vcf.gz"
    with BgzfWriter(again, VcfPacker().pack) as file:
        file.write(gzip.decompress(theirs.read_bytes()))
    sizes = [path.stat().st_size / 1e6 for path in (theirs, again, ours)]
    print("tskit {:.3f} MB, its lines by our compressor {:.3f} MB, ours {:.3f} MB".format(*sizes))


def by_us(ts: tskit.TreeSequence, people: pd.DataFrame, out: Path) -> None:
    """Write a BCF with its index.

    Args:
        ts: The tree sequence.
        people: One row per individual.
        out: The ``.bcf`` file.
    """
    shard = people.assign(country="EU")
    write_shards(ts, Block("chr22", 0, int(ts.sequence_length)), shard, {"EU": out}, {})


def as_vcf(ts: tskit.TreeSequence, people: pd.DataFrame, out: Path) -> None:
    """Write a bgzipped VCF with its index.

    Args:
        ts: The tree sequence.
        people: One row per individual.
        out: The ``.vcf.gz`` file.
    """
    write_vcf(Genotypes.of([ts], "chr22", people), out)


def by_bcftools(bcf: Path, out: Path) -> None:
    """Re-encode a BCF with bcftools.

    Args:
        bcf: The BCF to read.
        out: The BCF to write.
    """
    subprocess.run(["bcftools", "view", "--no-version", "-Ob", "-o", out, bcf], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=27000, help="simulated people")
    parser.add_argument("--megabases", type=float, default=0.25, help="length of the block")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of VCF by tskit and by us")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="export-"))
    try:
        warm_up = simulate(20, 0.02)
        by_us(warm_up, people_table(20, 1), folder / "warm.bcf")
        as_vcf(warm_up, people_table(20, 1), folder / "warm.vcf.gz")
        ts = simulate(arguments.people, arguments.megabases)
        people = people_table(ts.num_individuals)
        print(header())
        print(f"{ts.num_individuals} people, {ts.num_sites} sites")
        print_side_by_side(ts, people, folder, arguments.rounds)
        vcf, bcf, again, ours = (folder / n for n in ("v.gz", "o.bcf", "b.bcf", "o.vcf.gz"))
        slow = print_written("tskit | bgzip", lambda: by_tskit(ts, people, vcf), vcf, None)
        print_written("ours, BCF and CSI", lambda: by_us(ts, people, bcf), bcf, slow)
        print_written("ours, VCF and TBI", lambda: as_vcf(ts, people, ours), ours, slow)
        level_6 = ["bcftools", "view", "--no-version", "-Oz6", "-o", folder / "c.vcf.gz", bcf]
        print_written(
            "bcftools, BCF to VCF at level 6, no index",
            lambda: subprocess.run(level_6, check=True),
            folder / "c.vcf.gz",
            slow,
        )
        print_written(
            "bcftools, BCF to BCF, no index", lambda: by_bcftools(bcf, again), again, slow
        )
        shards = {code: folder / f"{code}.bcf" for code in people["country"].unique()}
        print_written(
            "ours, 28 countries, BCF and CSI",
            lambda: write_shards(
                ts, Block("chr22", 0, int(ts.sequence_length)), people, shards, {}
            ),
            shards["C00"],
            slow,
        )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
