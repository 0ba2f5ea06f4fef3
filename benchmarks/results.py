"""Print the figures of a benchmark as Markdown, for docs/design/results.md.

make bench && python benchmarks/results.py results/bench
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rehearsal.evaluation.latency import ALL
from rehearsal.loadtest.growth.measure import NODES, PEOPLE, USERS

NAMES = {
    "p50_ms": "p50",
    "p99_ms": "p99",
    "queries_per_s": "queries per second",
    "network_cpu_ms_per_query": "network's CPU per query",
    "nodes_cpu_ms_per_query": "nodes' CPU per query",
}
POLICIES = {
    "sequential": "`sequential`",
    "at-once": "`at-once`",
    "partial": "`partial`",
}


def conditions(about: Mapping[str, Any]) -> str:
    """Describe the conditions of a benchmark.

    Args:
        about: The recorded conditions.
    """
    date = about["started"].replace("T", " ").removesuffix("+00:00")
    return (
        f"{about['processor']}, {about['cores']} cores, Python {about['python']}, "
        f"{date} UTC, load average {about['load_average_1min']:.1f} at the start"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a Markdown table.

    Args:
        head: Names of the columns.
        rows: The rows.
    """
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"


def load_lines(folder: Path) -> Iterator[str]:
    """Yield the section about load.

    Args:
        folder: Results of ``make bench``.
    """
    knee = json.loads((folder / "knee.json").read_text())
    load = pd.read_parquet(folder / "load.parquet")
    whole = load[(load["kind"] == ALL) & (load["role"] == ALL)]
    about = knee["conditions"]
    yield "## Load"
    yield ""
    yield (
        f"{conditions(about)}; {about['nodes']} nodes at the run's distances, "
        f"{about['duration_s']:g} s per step. Latency from the planned time, in ms."
    )
    yield ""
    if knee["held_per_s"] is None:
        yield f"**No knee**: {knee['missed_per_s']:.3g} queries per second missed the objective."
    else:
        beyond = knee["missed_per_s"]
        missed = "none was missed" if beyond is None else f"{beyond:.3g} missed it"
        yield f"**Knee: {knee['held_per_s']:.3g} queries per second** met the objective, {missed}."
    yield ""
    head = ["queries per second", "connections", "answered", "refused", "late", "failed", "wrong"]
    head += ["p50", "p95", "p99", "control p50 / p99", "CPU of network / nodes", "load average"]
    rows = [
        [
            f"{row.rate_per_s:.3g}",
            row.connections,
            *(row.answered, row.refused, row.late, row.failed, f"{row.wrong} of {row.verified}"),
            *(f"{ms:,.0f}" for ms in (row.p50_ms, row.p95_ms, row.p99_ms)),
            f"{row.control_p50_ms:.1f} / {row.control_p99_ms:.0f}",
            f"{row.network_cpu_ms_per_query:.1f} / {row.nodes_cpu_ms_per_query:.0f}",
            f"{row.load_average_1min:.1f}",
        ]
        for row in whole.itertuples()
    ]
    yield from table(head, rows)


def growth_lines(folder: Path) -> Iterator[str]:
    """Yield the section about growth.

    Args:
        folder: Results of ``make bench``.
    """
    growth = pd.read_parquet(folder / "growth.parquet")
    fits = pd.read_parquet(folder / "growth_fits.parquet")
    about = json.loads((folder / "growth.json").read_text())["conditions"]
    yield "## Growth"
    yield ""
    yield f"{conditions(about)}; without distances. Times in ms."
    for axis in (NODES, PEOPLE, USERS):
        steps = growth[growth["axis"] == axis]
        if steps.empty:
            continue
        yield ""
        head = [axis, "sent", "answered", "late", "failed", "p50", "p99", "queries per second"]
        head += ["network's CPU", "nodes' CPU", "control p50", "load average"]
        rows = [
            [
                f"{getattr(row, axis):,}",
                *(f"{n:,}" for n in (row.sent, row.answered, row.late, row.failed)),
                *(f"{value:,.1f}" for value in (row.p50_ms, row.p99_ms, row.queries_per_s)),
                *(f"{row.network_cpu_ms_per_query:.1f}", f"{row.nodes_cpu_ms_per_query:.1f}"),
                *(f"{row.control_p50_ms:.1f}", f"{row.load_average_1min:.1f}"),
            ]
            for row in steps.itertuples()
        ]
        yield from table(head, rows)
    yield ""
    rows = [
        [
            *(fit.axis, NAMES[fit.measure], f"{fit.exponent:.2f} ± {fit.standard_error:.2f}"),
            *(f"{fit.r_squared:.2f}", fit.points),
        ]
        for fit in fits.itertuples()
    ]
    yield from table(["grows with", "measure", "exponent ± standard error", "r²", "points"], rows)


def policy_lines(folder: Path) -> Iterator[str]:
    """Yield the section about hung nodes.

    Args:
        folder: Results of ``make bench``.
    """
    policy = pd.read_parquet(folder / "policy.parquet")
    yield "## Hung nodes"
    yield ""
    yield (
        f"Stand-in nodes at the run's distances (the slowest {policy['slowest_rtt_ms'].max():.0f} "
        f"ms), load average at most {policy['load_average_1min'].max():.1f}. Seconds until "
        "the network's answer, median (longest)."
    )
    yield ""
    cases = policy[["hung", "phase"]].drop_duplicates().sort_values(["hung", "phase"])
    rows = []
    for case in cases.itertuples():
        some = policy[(policy["hung"] == case.hung) & (policy["phase"] == case.phase)]
        by_policy = some.set_index("policy")
        cells = [
            f"{by_policy.loc[name, 'p50_ms'] / 1000:.2f} "
            f"({by_policy.loc[name, 'max_ms'] / 1000:.2f})"
            for name in POLICIES
        ]
        rows.append([case.hung, case.phase if case.hung else "", *cells])
    yield from table(["hung", "phase", *POLICIES.values()], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="results of the benchmark: results/bench")
    folder = parser.parse_args().folder
    for lines in (load_lines, growth_lines, policy_lines):
        print("\n".join(lines(folder)), end="\n\n")


if __name__ == "__main__":
    main()
