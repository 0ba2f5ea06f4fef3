"""Measure a linear GWAS over nodes against pooled plink2, side by side.

    OPENBLAS_NUM_THREADS=1 python benchmarks/analyses.py --variants 40000

Simulates a share of the variants (frequencies as of neutral alleles: uniform in their logarithm,
from one allele upwards) in all people, with sex, age and ten numbers as covariates, and splits the
people evenly. Each node lists its alleles, counts genotypes and sums, with the writing and reading
of all files; the network joins. Then one run of ``plink2 --glm`` on the pooled people, on one
thread. CPU seconds and bytes of the share, and scaled to a million variants. Largest difference of
z from what plink2 prints to six digits. Takes 0.12 GB of memory for 1,000 variants.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pgenlib
from measuring import footer, header, peak_gigabytes, timed

from rehearsal.analyses.alleles import AlleleList
from rehearsal.analyses.exchange import LARGEST, read_arrays, write_arrays
from rehearsal.analyses.rounds import NetworkRun, NodeRun
from rehearsal.analyses.view import View
from rehearsal.node.airlock.arrays import read_numbers, write_archive

WHOLE = 1_000_000  # variants that figures are scaled to
NUMBERS = [f"number{i}" for i in range(10)]
COVARIATES = ["sex", "age", *NUMBERS]
PARAMETERS = {
    "steps": [{"algorithm": "linear", "parameters": {"outcome": "y", "covariates": COVARIATES}}],
    "smallest_count": 1,
}


def simulate(variants: int, people: int, least: float, seed: int) -> np.ndarray:
    """Draw genotypes, shape (n_variants, n_people).

    Args:
        variants: Number of variants.
        people: Number of people.
        least: Smallest frequency; 0 for that of one allele.
        seed: Seed.
    """
    random = np.random.default_rng(seed)
    low = np.log(max(least, 1 / (2 * people)))
    frequency = np.exp(random.uniform(low, np.log(0.5), variants))
    genotypes = np.zeros((variants, people), dtype=np.int8)
    for row, one in zip(genotypes, frequency, strict=True):
        carriers = random.integers(0, people, max(1, round(2 * people * one)))
        row[:] = np.minimum(np.bincount(carriers, minlength=people), 2)
    return genotypes


def draw_people(genotypes: np.ndarray, seed: int) -> pd.DataFrame:
    """Draw an outcome and covariates.

    Args:
        genotypes: As of :func:`simulate`.
        seed: Seed.
    """
    random, people = np.random.default_rng(seed), genotypes.shape[1]
    table = pd.DataFrame({"sex": random.choice(["female", "male"], people)})
    table["age"] = random.uniform(18, 90, people).round(1)
    for name in NUMBERS:
        table[name] = random.normal(size=people).round(4)
    effect = genotypes[-20:].sum(axis=0) * 0.05
    table["y"] = (170 + effect + random.normal(0, 8, people)).round(3)
    return table


def write_pgen(stem: Path, genotypes: np.ndarray, numbers: np.ndarray) -> None:
    """Write a PGEN and its PVAR.

    Args:
        stem: Path without suffix.
        genotypes: Shape (n_variants, n_people).
        numbers: Numbers of the variants, which are their places.
    """
    lines = "".join(f"chr1\t{100 * i + 1}\tv{i}\tA\tC\n" for i in numbers)
    stem.with_suffix(".pvar").write_text("#CHROM\tPOS\tID\tREF\tALT\n" + lines)
    people = genotypes.shape[1]
    rows = "".join(f"p{i}\tNA\n" for i in range(people))
    stem.with_suffix(".psam").write_text(f"#IID\tSEX\n{rows}")
    path = str(stem.with_suffix(".pgen")).encode()
    writer = pgenlib.PgenWriter(path, people, variant_ct=len(numbers), nonref_flags=False)
    writer.append_biallelic_batch(np.ascontiguousarray(genotypes))
    writer.close()


def write_views(
    folder: Path, genotypes: np.ndarray, people: pd.DataFrame, nodes: int
) -> list[Path]:
    """Write the views of nodes, each with the variants that its people carry.

    Args:
        folder: Where to.
        genotypes: As of :func:`simulate`.
        people: As of :func:`draw_people`.
        nodes: Number of nodes.
    """
    views = []
    for number, mine in enumerate(np.array_split(np.arange(len(people)), nodes)):
        view = folder / f"node{number}"
        view.mkdir()
        own = genotypes[:, mine]
        here = np.flatnonzero(own.any(axis=1))
        write_pgen(view / "genotypes", own[here], here)
        people.iloc[mine].reset_index(drop=True).to_parquet(view / "people.parquet")
        (view / "view.json").write_text(json.dumps({"people": mine.size, "variants": here.size}))
        views.append(view)
    return views


def play(views: list[Path]) -> tuple[NetworkRun, list[float], float, list[int]]:
    """Play all rounds by files.

    Args:
        views: Folders of the nodes' views.

    Returns:
        The network's run, CPU seconds of each node, those of the network, and the bytes that each
        node sent, as its airlock writes them, and received.
    """
    seconds, sent = [0.0] * len(views), [0] * len(views)
    joining, nodes = 0.0, []
    for i, view in enumerate(views):
        seconds[i], node = timed(partial(begin, view))
        nodes.append(node)
    network, number = NetworkRun(PARAMETERS), 0
    while not network.done:
        said = [view / f"said-{number}.npz" for view in views]
        answer = views[0].parent / f"answer-{number}.npz"
        for i, node in enumerate(nodes):
            seconds[i] += timed(partial(say, node, said[i]))[0]
        joining += timed(partial(join, network, said, answer, number))[0]
        for i, node in enumerate(nodes):
            seconds[i] += timed(partial(follow, node, answer))[0]
            numbers = read_numbers(said[i].read_bytes(), LARGEST)
            sent[i] += len(write_archive(numbers)) + answer.stat().st_size
        number += 1
    return network, seconds, joining, sent


def begin(view: Path) -> NodeRun:
    """Open a view."""
    return NodeRun(View(view), PARAMETERS)


def say(node: NodeRun, path: Path) -> None:
    """Compute and write a node's sums."""
    write_arrays(path, node.sums())


def join(network: NetworkRun, said: list[Path], answer: Path, number: int) -> None:
    """Read the sums of all nodes and write the next state."""
    network.advance([read_arrays(path) for path in said])
    write_arrays(answer, network.message(number))


def follow(node: NodeRun, answer: Path) -> None:
    """Read the next state."""
    node.follow(read_arrays(answer))


def run_plink2(folder: Path) -> pd.DataFrame:
    """Run plink2 on the pooled people.

    Args:
        folder: With the pooled files.
    """
    command = ["plink2", "--pfile", "pooled", "--threads", "1", "--memory", "4000"]
    command += ["--pheno", "people.tsv", "--pheno-name", "y", "--covar", "people.tsv"]
    command += ["--covar-name", ",".join(COVARIATES)]
    command += ["--glm", "hide-covar", "omit-ref", "--out", "pooled"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return pd.read_csv(folder / "pooled.y.glm.linear", sep="\t")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variants", type=int, default=40_000)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--nodes", type=int, default=28)
    parser.add_argument("--least-frequency", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(header())
    genotypes = simulate(options.variants, options.people, options.least_frequency, options.seed)
    people = draw_people(genotypes, options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        views = write_views(folder, genotypes, people, options.nodes)
        network, seconds, joining, sent = play(views)
        write_pgen(folder / "pooled", genotypes, np.arange(options.variants))
        table = people.assign(sex=(people["sex"] == "male").astype(int))
        table.insert(0, "#IID", [f"p{i}" for i in range(len(table))])
        table.to_csv(folder / "people.tsv", sep="\t", index=False)
        pooled, printed = timed(partial(run_plink2, folder))
    report(options, network, seconds, joining, sent, pooled, printed)


def report(
    options: argparse.Namespace,
    network: NetworkRun,
    seconds: list[float],
    joining: float,
    sent: list[int],
    pooled: float,
    printed: pd.DataFrame,
) -> None:
    """Print the figures."""
    scale = WHOLE / options.variants
    nodes = sum(seconds)
    place = AlleleList.of(network.results["alleles"]).position // 100
    theirs = printed["T_STAT"].to_numpy()[place]
    apart = np.nanmax(np.abs(network.results["linear"]["z"] / theirs - 1))
    print(f"{options.variants} variants, {options.people} people, {options.nodes} nodes")
    print(f"nodes {nodes:.1f} CPU s, join {joining:.2f}, plink2 pooled {pooled:.1f}")
    print(f"ratio to plink2 {(nodes + joining) / pooled:.2f}")
    minutes, megabytes = max(seconds) * scale / 60, max(sent) * scale / 1e6
    print(f"scaled to {WHOLE:,} variants, a node: {minutes:.1f} CPU min, {megabytes:.0f} MB")
    print(f"largest difference of z from what plink2 prints, relative: {apart:.1e}")
    print(f"peak memory {peak_gigabytes():.1f} GB; {footer()}")


if __name__ == "__main__":
    main()
