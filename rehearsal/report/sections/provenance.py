"""Sections on how the run was made, and on its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from rehearsal.report.page_elements import (
    Column,
    Facts,
    Points,
    Section,
    Shown,
    Table,
    seconds,
    spaced,
    table_of,
    whole,
)


def provenance_section(summary: Mapping[str, Any]) -> Section:
    """Build the section on seed, machine, versions and time.

    Args:
        summary: The content of ``summary.json``.
    """
    run, machine = summary["run"], summary["run"]["machine"]
    facts = Facts(
        [
            ("Seed", str(run["seed"])),
            ("Config digest", run["config_digest"]),
            (
                "Machine",
                f"{machine['processor']}, {machine['cores']} cores, "
                f"{machine['memory_gb']} GB, {machine['system']}",
            ),
            *_conditions(run["conditions"]),
            ("Load average", _loads(run)),
            ("Versions", ", ".join(f"{name} {text}" for name, text in run["versions"].items())),
        ]
    )
    shown = [
        Shown("stage", Column("Stage", names_row=True), spaced),
        Shown("jobs", Column("Jobs", number=True), whole),
        Shown("wall_s", Column("Wall time, s", number=True), seconds),
        Shown("cpu_s", Column("CPU time, s", number=True), seconds),
        Shown("peak_mb", Column("Peak memory, MB", number=True), whole),
    ]
    frame = pd.DataFrame(run["stages"], columns=[how.name for how in shown])
    parts: list[Any] = [facts]
    if len(frame):
        table = table_of(
            frame, "Time of each stage, summed over its jobs. Snakemake measured it.", shown
        )
        total = (
            "All",
            whole(frame["jobs"].sum()),
            seconds(run["wall_s"]),
            seconds(run["cpu_s"]),
            "",
        )
        parts.append(Table(table.caption, table.columns, table.rows, total))
    return Section("provenance", "Provenance", parts)


def _conditions(conditions: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the conditions that were noted while the queries ran."""
    if "started" in conditions:
        yield "Queries began", conditions["started"]
    if burst := conditions.get("burst"):
        yield (
            "Throughput",
            f"{burst['queries_per_s']:.1f} queries per second to all nodes "
            f"({burst['requests_per_s']:,.0f} requests per second), with {burst['at_once']} "
            "queries at a time",
        )


def _loads(run: Mapping[str, Any]) -> str:
    """Write the load averages over 1, 5 and 15 minutes that were noted."""
    noted = {
        "before the queries": run["conditions"].get("load_average_before"),
        "after the queries": run["conditions"].get("load_average_after"),
        "at the end of the run": run["load_average"],
    }
    return "; ".join(
        f"{', '.join(f'{load:.2f}' for load in loads)} {when}"
        for when, loads in noted.items()
        if loads
    )


def limits_section() -> Section:
    """Build the section on what the run does not show."""
    return Section(
        "limits",
        "Limits",
        [
            Points(
                [
                    "There are no real data. Every person, genome and record is simulated.",
                    "The admixture shares of the model are a statistical device. They give the "
                    "countries realistic genetic distances. They are not estimates of ancestry.",
                    "Genomic blocks are simulated independently. Unrelated people share no "
                    "identity by descent across blocks. Relatives do.",
                    "All latencies were measured on one machine with emulated distances. They show "
                    "how the parts work together, not how fast a country's own hardware is.",
                ]
            )
        ],
    )
