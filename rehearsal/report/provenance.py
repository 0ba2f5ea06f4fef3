"""Versions, seed, machine and time of a run: the ``run`` of ``summary.json``."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

import rehearsal
from rehearsal.machine import describe_machine, load_averages

# Packages that affect the bytes or the timings of a run.
PACKAGES = (
    "snakemake",
    "msprime",
    "tskit",
    "demes",
    "tstrait",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "numba",
    "isal",
    "pyroaring",
    "uvicorn",
    "starlette",
    "orjson",
    "aiohttp",
    "altair",
)


def run_facts(
    seed: int,
    config_digest: str,
    stages: pd.DataFrame,
    conditions: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Collect the ``run`` of the summary.

    The load average is measured now. Those during the queries are in the conditions.

    Args:
        seed: The root seed of the run.
        config_digest: Digest of the configuration.
        stages: The result of ``stage_times``.
        conditions: The content of conditions.json, from the bench.

    Returns:
        Seed, config digest, versions, machine, load average, conditions, stages and their sums.
    """
    return {
        "seed": seed,
        "config_digest": config_digest,
        "versions": versions(PACKAGES),
        "machine": describe_machine(),
        "load_average": [round(load, 2) for load in load_averages()],
        "conditions": dict(conditions or {}),
        "stages": stages.to_dict("records"),
        "wall_s": round(float(stages["wall_s"].sum()), 2),
        "cpu_s": round(float(stages["cpu_s"].sum()), 2),
    }


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Look up the versions of Rehearsal, Python and packages.

    Args:
        packages: Names of packages. Those that are not installed are left out.

    Returns:
        Versions by name.
    """
    found = {"rehearsal": rehearsal.__version__, "python": platform.python_version()}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def stage_times(benchmarks: Path | str) -> pd.DataFrame:
    """Sum the wall and CPU seconds of each stage, from Snakemake's benchmark files.

    A stage is the first part of a file's path in the folder, without its suffix: the rule
    ``simulate_block`` writes ``simulate_block/{block}.tsv``, ``figures`` writes ``figures.tsv``.

    Args:
        benchmarks: The folder of the benchmark files.

    Returns:
        One row per stage, in the order in which the stages began: stage, jobs, wall_s and cpu_s
        (seconds, summed over jobs), peak_mb (largest job, MB; null if not measured).
    """
    folder = Path(benchmarks)
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        stage = path.relative_to(folder).parts[0].removesuffix(".tsv")
        table = pd.read_csv(path, sep="\t", na_values=["NA", "-"])
        began = path.stat().st_mtime - table["s"].sum()
        rows.append(
            (stage, began, table["s"].sum(), table["cpu_time"].sum(), table["max_rss"].max())
        )
    jobs = pd.DataFrame(rows, columns=["stage", "began", "wall_s", "cpu_s", "peak_mb"])
    grouped = jobs.groupby("stage", sort=True).agg(
        jobs=("stage", "size"),
        wall_s=("wall_s", "sum"),
        cpu_s=("cpu_s", "sum"),
        peak_mb=("peak_mb", "max"),
        began=("began", "min"),
    )
    ordered = grouped.sort_values("began", kind="stable").drop(columns="began")
    return ordered.round({"wall_s": 2, "cpu_s": 2, "peak_mb": 1}).reset_index()
