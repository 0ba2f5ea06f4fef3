"""Measure one block of a large run, step by step, in the same way as the rules.

    python benchmarks/scale.py --people 28000 --block chr12-20010000-21010000
    python benchmarks/scale.py --people 1000000 --block chr12-20010000-25010000

People are shared out among the countries of ``config/countries.tsv`` in proportion to the census,
as in ``config/scale/million.yaml`` (at least a hundredth of the total per country). Every step is
its own process, like a job: the kernel counts its CPU seconds (user + system), peak memory and the
bytes it leaves. A first round with few people compiles what is compiled once per checkout. Steps:
``people``, ``simulate``, ``values`` (genetic values), ``parts`` (the sparse pass and the parts of
all countries' stores), ``shards`` (the same with all countries' BCF), ``stores``
(``variants.sqlite`` from the parts, country by country), ``realism``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msprime
import pandas as pd
import tskit
import yaml
from measuring import header

from rehearsal.config.inputs import Inputs
from rehearsal.config.loader import read_inputs
from rehearsal.demography.model import build_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.genomes.cohort_mix import CohortMix
from rehearsal.genomes.drawn_reference import planned_reference
from rehearsal.genomes.people import plan_cohort
from rehearsal.genomes.planted_carriers import find_planted_carriers
from rehearsal.genomes.recombination import mean_rate, uniform_map
from rehearsal.genomes.simulate import SimulationSettings, simulate_block, write_trees
from rehearsal.model import Block
from rehearsal.phenotypes.genetic_values import genetic_values_of_block
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.realism.measures import block_measures, write_measures
from rehearsal.realism.panel import choose_panel
from rehearsal.stores.country_shards import write_shards
from rehearsal.stores.variant_store_writer import build_store

ROOT = Path(__file__).resolve().parents[1]
WARM_UP = 2_800


@dataclass(frozen=True)
class Run:
    """One block of a run and the folder of its files."""

    config: dict[str, Any]
    inputs: Inputs
    genome: list[Block]  # all blocks of a whole genome, with this one
    block: Block
    folder: Path

    @classmethod
    def of(cls, people: int, block: Block, folder: Path) -> Run:
        """Read the configuration of a run.

        Args:
            people: Number of people.
            block: The block.
            folder: Folder of the files.
        """
        os.chdir(ROOT)
        sources = [Path("config/config.yaml"), Path("config/scale/million.yaml")]
        config, overlay = (yaml.safe_load(source.read_text()) for source in sources)
        for section, values in overlay.items():
            config[section] |= values
        schemas = Path("workflow/schemas")
        others = read_inputs(config, sources, schemas).blocks
        genome = [other for other in others if not overlap(block, other)] + [block]
        config["cohort"] |= {"total": people, "minimum_per_country": people // 100}
        config["genome"]["regions"] = [f"{block.contig}:{block.start}-{block.end}"]
        if people < 10_000:
            config["cohort"]["family_share"] = 0.3  # the default; 0.05 would be less than a family
        return cls(config, read_inputs(config, sources, schemas), genome, block, folder)

    @property
    def seed(self) -> int:
        """Root seed of the run."""
        return self.config["seed"]

    @property
    def people(self) -> pd.DataFrame:
        """Table of the people."""
        return pd.read_parquet(self.folder / "people.parquet")

    @property
    def trees(self) -> tskit.TreeSequence:
        """Tree sequence of the block."""
        return tskit.load(self.folder / "block.trees")

    def bases(self) -> str:
        """Draw the bases of the block."""
        inputs = self.inputs
        drawn = planned_reference(
            self.config["genome"], inputs.planted, inputs.transcripts, self.seed
        )
        return drawn.bases(self.block).tobytes().decode()

    def parts(self) -> dict[str, Path]:
        """Return the file of each country's part of the stores."""
        folder = self.folder / "parts"
        folder.mkdir(exist_ok=True)
        return {c.code: folder / f"{c.code}.parquet" for c in self.inputs.countries}


def overlap(one: Block, two: Block) -> bool:
    """Say whether two blocks share a base.

    Args:
        one: A block.
        two: Another.
    """
    return one.contig == two.contig and one.start < two.end and two.start < one.end


def people(run: Run) -> dict[str, Any]:
    """Plan the cohort.

    Args:
        run: The run.

    Returns:
        ``files``, and figures of the step. The other steps return the same.
    """
    cohort = run.config["cohort"]
    inputs, share = run.inputs, cohort["family_share"]
    mix = CohortMix.of_cohort(cohort)
    planned = plan_cohort(
        inputs.countries, inputs.numbers, share, inputs.planted, run.seed, mix=mix
    )
    planned.people.to_parquet(run.folder / "people.parquet")
    planned.planted.to_parquet(run.folder / "planted.parquet")
    return {"files": ["people.parquet", "planted.parquet"]}


def recombination_of(run: Run) -> msprime.RateMap:
    """Build the uniform map of the block's contig, in Morgans per base.

    Args:
        run: The run.
    """
    contig = run.block.contig
    return uniform_map(contig, mean_rate(contig, run.config["genome"]["recombination_rate"]))


def simulate(run: Run) -> dict[str, Any]:
    """Simulate the block.

    Args:
        run: The run.
    """
    genome = run.config["genome"]
    parameters = read_parameters(run.config["demography"]["parameters"])
    demography = to_msprime(build_model(run.inputs.countries, parameters))
    ts = simulate_block(
        run.block,
        run.people,
        pd.read_parquet(run.folder / "planted.parquet"),
        run.inputs.planted,
        SimulationSettings.of_genome(genome, demography, run.seed),
        recombination_of(run),
        run.bases(),
    )
    write_trees(ts, run.folder / "block.trees")
    return {"files": ["block.trees"], "sites": ts.num_sites, "trees": ts.num_trees}


def values(run: Run) -> dict[str, Any]:
    """Compute genetic values and find carriers of planted variants.

    Args:
        run: The run.
    """
    traits = read_traits(run.config["traits"])
    genetic = genetic_values_of_block(run.trees, run.block, traits, run.genome, run.seed)
    genetic.effects.to_parquet(run.folder / "effects.parquet")
    genetic.values.to_parquet(run.folder / "values.parquet")
    carriers = find_planted_carriers(run.trees, run.people, run.inputs.planted)
    carriers.to_parquet(run.folder / "carriers.parquet")
    return {"files": ["effects.parquet", "values.parquet", "carriers.parquet"]}


def parts(run: Run) -> dict[str, Any]:
    """Write the parts of all countries' stores.

    Args:
        run: The run.
    """
    write_shards(run.trees, run.block, run.people, {}, run.parts())
    return {"files": ["parts"]}


def shards(run: Run) -> dict[str, Any]:
    """Write the parts and the BCF of all countries.

    Args:
        run: The run.
    """
    bcf = {code: run.folder / "bcf" / f"{code}.bcf" for code in run.parts()}
    (run.folder / "bcf").mkdir()
    write_shards(run.trees, run.block, run.people, bcf, run.parts())
    return {"files": ["bcf"]}


def stores(run: Run) -> dict[str, Any]:
    """Build ``variants.sqlite`` of all countries.

    Args:
        run: The run.
    """
    table, rows = run.people, 0
    for code, part in run.parts().items():
        out = run.folder / "stores" / f"{code}.sqlite"
        rows += build_store([part], table[table["country"] == code], out)
    return {"files": ["stores"], "rows": rows}


def realism(run: Run) -> dict[str, Any]:
    """Compute the realism measures of the block.

    Args:
        run: The run.
    """
    panel = choose_panel(run.people, run.seed)
    measures = block_measures(run.trees, run.block, panel, run.bases(), recombination_of(run))
    write_measures(measures, run.folder / "realism.npz")
    return {"files": ["realism.npz"]}


STEPS: dict[str, Callable[[Run], dict[str, Any]]] = {
    step.__name__: step for step in (people, simulate, values, parts, shards, stores, realism)
}


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of the files in a folder.

    Args:
        path: The file or folder.
    """
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def in_process_of_its_own(step: str, number: int, block: Block, folder: Path) -> dict[str, Any]:
    """Run a step in its own process.

    Args:
        step: Name of the step.
        number: Number of people.
        block: The block.
        folder: Folder of the files.

    Returns:
        The step's figures, with CPU and wall seconds, peak memory in GB, and bytes left.
    """
    start = time.perf_counter()
    arguments = ["--step", step, "--people", str(number), "--block", block.id]
    process = subprocess.Popen(
        [sys.executable, __file__, *arguments, "--folder", folder],
        stdout=subprocess.PIPE,
        text=True,
    )
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the step {step} failed")
    found = json.loads(output.splitlines()[-1])
    return found | {
        "cpu": usage.ru_utime + usage.ru_stime,
        "wall": time.perf_counter() - start,
        "gigabytes": usage.ru_maxrss / 1e6,
        "bytes": sum(size_of(folder / name) for name in found.pop("files")),
    }


def measure(number: int, block: Block, steps: list[str], folder: Path) -> None:
    """Run steps and print their figures.

    Args:
        number: Number of people.
        block: The block.
        steps: Names of the steps.
        folder: Folder of the files.
    """
    sites = ""
    for step in steps:
        found = in_process_of_its_own(step, number, block, folder)
        if "sites" in found:
            sites = f"{found['sites']:,}"
        rows = f"; {found['rows']:,} rows" if "rows" in found else ""
        print(
            f"| {number:,} | {block.length / 1e6:g} | {sites} | {step} | {found['cpu']:.1f} | "
            f"{found['wall']:.1f} | {found['gigabytes']:.2f} | {found['bytes'] / 1e6:,.1f}{rows} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--people", type=int, nargs="+", default=[2_800, 28_000], help="numbers of people"
    )
    parser.add_argument(
        "--block", type=Block.from_id, default="chr12-20010000-21010000", help="the block"
    )
    parser.add_argument(
        "--steps", nargs="+", choices=STEPS, default=list(STEPS), help="steps to measure"
    )
    parser.add_argument("--keep", type=Path, help="folder to keep and reuse the files of steps")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        found = STEPS[args.step](Run.of(args.people[0], args.block, args.folder))
        print(json.dumps(found))
        return
    print(header(), flush=True)
    print("| people | Mb | sites | step | CPU s | wall s | peak GB | MB |", flush=True)
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    small = Block(args.block.contig, args.block.start, args.block.start + 100_000)
    rounds = [] if args.keep else [(WARM_UP, small, list(STEPS))]
    rounds += [(number, args.block, args.steps) for number in args.people]
    for number, block, steps in rounds:
        folder = args.keep or Path(tempfile.mkdtemp(prefix="scale-"))
        folder.mkdir(parents=True, exist_ok=True)
        try:
            measure(number, block, steps, folder.resolve())
        finally:
            if not args.keep:
                shutil.rmtree(folder)
    print(header())


if __name__ == "__main__":
    main()
