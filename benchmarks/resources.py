"""Compare what the jobs of a run asked for with what they took, as Snakemake measured it.

    python benchmarks/resources.py [--configfile CONFIG ...]

A job may take no more than it asks for, and asks for at most five times what it takes, or for 10
minutes and 600 MB. A group of jobs runs one after another on a cluster: its times are summed. Ends
with an error when a rule does not hold to this.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from snakemake.utils import update_config

from rehearsal.config.loader import read_inputs

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "workflow"))
from needs import (  # noqa: E402
    LEAST_MB,
    LEAST_MINUTES,
    NEEDS,
    JobSizes,
    bench_seconds,
    megabytes_of,
    minutes_of,
)

MOST_TIMES_OVER = 5
KINDS = {"block": r"chr\w+-\d+-\d+", "contig": r"chr\w+", "place": r"[A-Z]{2}|pooled"}


@dataclass(frozen=True)
class Job:
    """What one job, or a group of jobs, asked for and took: minutes and MB."""

    rule: str
    minutes: float
    took_minutes: float
    mb: float
    took_mb: float
    jobs: int = 1  # of a group

    @property
    def fault(self) -> str:
        """What is wrong; empty if nothing is."""
        if self.took_minutes > self.minutes or self.took_mb > self.mb:
            return "took more than it asked for"
        most_minutes = max(LEAST_MINUTES * self.jobs, MOST_TIMES_OVER * self.took_minutes)
        if self.minutes > most_minutes or self.mb > max(LEAST_MB, MOST_TIMES_OVER * self.took_mb):
            return f"asked for more than {MOST_TIMES_OVER} times what it took"
        return ""


def wildcards_of(parts: tuple[str, ...]) -> dict[str, str]:
    """Find the wildcards of a job in the path of its benchmark file.

    Args:
        parts: The parts of the path below the rule, without a suffix.
    """
    found = {}
    for part in parts:
        kind = next((kind for kind, form in KINDS.items() if re.fullmatch(form, part)), "name")
        found[kind] = part
    return found


def jobs_of(folder: Path, sizes: JobSizes, more_s: dict[str, float]) -> Iterator[tuple[str, Job]]:
    """Yield the jobs of a run, with the block of each; empty for jobs without one.

    Args:
        folder: The folder of the benchmark files.
        sizes: The sizes of the run's jobs.
        more_s: Seconds that settings add, by rule.
    """
    for path in sorted(folder.rglob("*.tsv")):
        rule, *parts = path.relative_to(folder).with_suffix("").parts
        if rule in NEEDS:
            took = pd.read_csv(path, sep="\t", na_values=["NA", "-"]).iloc[-1]
            wildcards, need = wildcards_of(tuple(parts)), NEEDS[rule]
            size = sizes.of(wildcards)
            minutes = minutes_of(need, size, more_s=more_s.get(rule, 0))
            mb = megabytes_of(need, size)
            job = Job(rule, minutes, took["s"] / 60, mb, took["max_rss"])
            yield wildcards.get("block", ""), job


def groups(jobs: list[tuple[str, Job]], grouped: dict[str, str]) -> Iterator[Job]:
    """Yield one group of jobs for each block, as a profile makes them.

    Args:
        jobs: The jobs, with their blocks.
        grouped: Groups of rules.
    """
    for block in dict.fromkeys(block for block, _ in jobs if block):
        mine = [job for other, job in jobs if other == block and job.rule in grouped]
        if mine:
            yield Job(
                f"the group of {block}",
                sum(job.minutes for job in mine),
                sum(job.took_minutes for job in mine),
                max(job.mb for job in mine),
                max(job.took_mb for job in mine),
                len(mine),
            )


def merged_config(sources: list[Path]) -> dict[str, Any]:
    """Merge configuration files as Snakemake does."""
    config: dict[str, Any] = {}
    for source in sources:
        update_config(config, yaml.safe_load(source.read_text()))
    return config


def main() -> None:
    """Print one line per rule, its job that comes closest to what it asked for, and all faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configfile", type=Path, nargs="+", default=[])
    options = parser.parse_args()
    sources = [Path("config/config.yaml"), *options.configfile]
    config = merged_config(sources)
    inputs = read_inputs(config, sources, ROOT / "workflow/schemas")
    more_s = bench_seconds(config["bench"], len(inputs.countries))
    folder = Path(config["results"]) / "benchmarks"
    jobs = list(jobs_of(folder, JobSizes(inputs), more_s))
    if not jobs:
        sys.exit(f"{folder}: expected benchmark files of a run, found none")
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    every = [*(job for _, job in jobs), *groups(jobs, profile["groups"])]
    table = pd.DataFrame(
        [(j.rule, j.minutes, j.took_minutes, j.mb, j.took_mb, j.fault) for j in every],
        columns=["rule", "asked_min", "took_min", "asked_mb", "took_mb", "fault"],
    )
    closest = table.loc[(table["took_mb"] / table["asked_mb"]).groupby(table["rule"]).idxmax()]
    print(closest.round({"took_min": 1, "took_mb": 0}).to_string(index=False))
    faults = table[table["fault"] != ""]
    if len(faults):
        sys.exit(f"Faults:\n{faults.round(1).to_string(index=False)}")


if __name__ == "__main__":
    main()
