"""How the run was made, and what it is not."""

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
        Shown("wall_s", Column("Wall, s", number=True), seconds),
        Shown("cpu_s", Column("CPU, s", number=True), seconds),
        Shown("peak_mb", Column("Peak memory, MB", number=True), whole),
    ]
    frame = pd.DataFrame(run["stages"], columns=[how.name for how in shown])
    parts: list[Any] = [facts]
    if len(frame):
        table = table_of(
            frame, "Time a stage, summed over its jobs, as Snakemake measured it", shown
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
    """What the bench noted while it asked; each fact only if it is there."""
    if "started" in conditions:
        yield "Asked at", conditions["started"]
    if burst := conditions.get("burst"):
        yield (
            "Throughput",
            f"{burst['queries_per_s']:.1f} queries/s of all nodes, {burst['requests_per_s']:.0f} "
            f"requests/s, with {burst['at_once']} queries under way at any time",
        )


def _loads(run: Mapping[str, Any]) -> str:
    """Load averages of one, five and fifteen minutes, as far as they were noted."""
    noted = {
        "before asking": run["conditions"].get("load_average_before"),
        "after asking": run["conditions"].get("load_average_after"),
        "at the end": run["load_average"],
    }
    return "; ".join(
        f"{', '.join(f'{load:.2f}' for load in loads)} {when}"
        for when, loads in noted.items()
        if loads
    )


def limits_section() -> Section:
    return Section(
        "limits",
        "What this is not",
        [
            Points(
                [
                    "There is no real data in it: every person, genome and record is simulated.",
                    "The model's admixture shares are a statistical device that gives countries "
                    "the right distances. They are not estimates of anybody's ancestry.",
                    "Blocks are simulated one by one: they share no background identity by "
                    "descent. Relatives do share segments across blocks.",
                    "Latencies are those of one machine with emulated distances. They show how "
                    "the parts behave together, not how fast a country's own hardware is.",
                ]
            )
        ],
    )
