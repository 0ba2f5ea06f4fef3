"""Sections on load, growth, faults, hung nodes, the capitals and the applied distances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from rehearsal.model import Country
from rehearsal.report.figures import bench as figures
from rehearsal.report.figures.rendering import vega_specification
from rehearsal.report.page_elements import (
    Column,
    Figure,
    Section,
    Shown,
    Table,
    Text,
    milliseconds,
    percent,
    seconds,
    table_of,
    whole,
)
from rehearsal.report.style import PAGE
from rehearsal.report.tables import BenchTables

DISTANCE_WORDS = {
    "delay": "a wait in the node before it answers",
    "tun": "a delay of the packets (tun device)",
    "netem": "a delay of the packets (netem)",
    "answer": "time until an answer",
    "tcp": "a TCP connection",
    "http": "HTTP requests of the query suite",
}
GROWING = {
    figures.NODES: "the number of nodes",
    figures.PEOPLE: "the number of people",
    figures.USERS: "the number of users at once",
}


def bench_sections(bench: BenchTables, countries: list[Country]) -> Iterator[Section]:
    """Build the sections on what the bench measured.

    Args:
        bench: The tables of the bench.
        countries: The countries of the run.
    """
    names = {country.code: country.name for country in countries}
    yield _load(bench)
    yield _growth(bench)
    yield _faults(bench.faults)
    yield _policy(bench.policy)
    yield _capitals(bench.capitals, names)
    yield _distance(bench.distance)


def _load(bench: BenchTables) -> Section:
    steps = bench.load[(bench.load["kind"] == "all") & (bench.load["role"] == "all")]
    held, objective = bench.knee["held_per_s"], bench.knee["objective"]
    wanted = (
        f"{percent(objective['in_time_share'], 0)} of the queries answered within the deadline, "
        f"and a p99 of at most {whole(objective['p99_ms'])} ms"
    )
    found = (
        f"The network met its objective up to {held:.3g} queries per second to all nodes."
        if held is not None
        else "The network met its objective at no rate that was tried."
    )
    text = (
        f"{found} The objective: {wanted}. Each query was sent at its planned time, whether or not "
        "earlier ones had been answered. Latency counts from the planned time."
    )
    caption = (
        "Latency against the rate of queries, with connections kept open. The dashed lines show "
        "the largest p99 allowed and the highest rate that met the objective."
    )
    chart = figures.load_figure(bench.load, bench.knee, PAGE, "container")
    shown = [
        Shown("rate_per_s", Column("Queries per second", number=True, names_row=True), _short),
        Shown("connections", Column("Connections")),
        Shown("sent", Column("Sent", number=True), whole),
        Shown("answered", Column("Answered", number=True), whole),
        Shown("refused", Column("Refused", number=True), whole),
        Shown("late", Column("Late", number=True), whole),
        Shown("failed", Column("Failed", number=True), whole),
        Shown("p50_ms", Column("Median", number=True), milliseconds),
        Shown("p99_ms", Column("p99", number=True), milliseconds),
        Shown("control_p99_ms", Column("p99 of control", number=True), milliseconds),
        Shown("load_average_1min", Column("Load average of 1 min", number=True), _short),
    ]
    table = table_of(
        steps.sort_values(["rate_per_s", "connections"], ascending=[True, False]),
        "Every step of the load test, lowest rate first. Latencies are in milliseconds. Warm: "
        "connections kept open. Cold: a new connection for each query. Control: a handler that "
        "does nothing, asked in the same way.",
        shown,
    )
    figure = Figure("load", caption, vega_specification(chart))
    return Section("load", "Load", [Text(text), figure, table])


def _growth(bench: BenchTables) -> Section:
    parts: list[Any] = []
    for axis in figures.AXES:
        steps = bench.growth[bench.growth["axis"] == axis]
        if len(steps) > 1:
            chart = figures.growth_figure(bench.growth, bench.growth_fits, axis, PAGE, "container")
            caption = _fit(bench.growth_fits, axis)
            parts.append(Figure(f"growth-{axis}", caption, vega_specification(chart)))
    shown = [
        Shown("axis", Column("What grows", names_row=True)),
        Shown("nodes", Column("Nodes", number=True), whole),
        Shown("people", Column("People", number=True), whole),
        Shown("users", Column("Users", number=True), whole),
        Shown("p50_ms", Column("Median", number=True), milliseconds),
        Shown("p99_ms", Column("p99", number=True), milliseconds),
        Shown("queries_per_s", Column("Queries per second", number=True), _short),
        Shown("network_cpu_ms_per_query", Column("CPU of network", number=True), milliseconds),
        Shown("nodes_cpu_ms_per_query", Column("CPU of nodes", number=True), milliseconds),
    ]
    caption = (
        "The same queries without added distances. Median, p99 and CPU time per query are in "
        "milliseconds."
    )
    parts.append(table_of(bench.growth, caption, shown))
    return Section("growth", "Growth", parts)


def _fit(fits: pd.DataFrame, axis: str) -> str:
    """Say how the median latency grows along an axis."""
    what = GROWING[axis]
    found = fits[(fits["axis"] == axis) & (fits["measure"] == "p50_ms")]
    if found.empty:
        return f"Median latency against {what}. There are too few points for a fit."
    one = found.iloc[0]
    error = f" ± {one['standard_error']:.2f}" if one["points"] > 2 else ""
    return (
        f"Latency and CPU time against {what}. The median latency grows as a power of {what}, with "
        f"the exponent {one['exponent']:.2f}{error}. An exponent of 1 means in proportion."
    )


def _faults(faults: pd.DataFrame) -> Section:
    shown = [
        Shown("scenario", Column("Scenario", names_row=True)),
        Shown("must_hold", Column("Requirement", long=True)),
        Shown("held", Column("Met"), lambda held: "yes" if held else "NO"),
        Shown("answered_share", Column("Answered", number=True), percent),
        Shown("marked_share", Column("Marked", number=True), percent),
        Shown("unmarked_share", Column("Lost", number=True), percent),
        Shown("recovered_s", Column("Recovery, s", number=True), seconds),
    ]
    caption = (
        "Faults that were caused on purpose. Marked: the answer says that the node refused, failed "
        "or was late. Lost: the node is missing without such a mark; this must be 0%. Recovery: "
        "seconds until the node answered again."
    )
    return Section("faults", "Faults", [table_of(faults, caption, shown)])


def _policy(policy: pd.DataFrame) -> Section:
    shown = [
        Shown("policy", Column("Collection", names_row=True)),
        Shown("hung", Column("Hung nodes", number=True), whole),
        Shown("phase", Column("When")),
        Shown("p50_ms", Column("Median", number=True), milliseconds),
        Shown("max_ms", Column("Slowest", number=True), milliseconds),
        Shown("node_answered", Column("Answered", number=True), whole),
        Shown("node_late", Column("Late", number=True), whole),
        Shown("node_failed", Column("Failed", number=True), whole),
    ]
    caption = (
        "Latency of a query while nodes hang, in milliseconds. At-once: the network asks all "
        "nodes at once and waits until the deadline. Partial: the same, but it does not wait for "
        "overdue nodes. Sequential: one node after another, with five seconds for each. Just "
        "hung: the first query after a node began to hang. Known: later queries."
    )
    chart = figures.policy_figure(policy, PAGE, "container")
    drawn = "Seconds until the answer while nodes hang, for three ways to collect answers."
    figure = Figure("policy", drawn, vega_specification(chart))
    return Section("policy", "Hung nodes", [figure, table_of(policy, caption, shown)])


def _capitals(capitals: pd.DataFrame, names: Mapping[str, str]) -> Section:
    frame = capitals.assign(
        name=capitals["asker"].map(names), to=capitals["farthest"].map(names)
    ).sort_values("p50_ms")
    shown = [
        Shown("name", Column("Asked from", names_row=True)),
        Shown("p50_ms", Column("Median", number=True), milliseconds),
        Shown("p99_ms", Column("p99", number=True), milliseconds),
        Shown("to", Column("Farthest node")),
        Shown("farthest_ms", Column("Round trip to it", number=True), milliseconds),
        Shown("own_ms", Column("Added by network", number=True), milliseconds),
        Shown("qs02", Column("Answers in time", number=True), percent),
    ]
    caption = (
        "A query to all nodes, asked from each capital. Times are in milliseconds. Added by "
        "network: the median without the round trip to the farthest node."
    )
    return Section("capitals", "From every capital", [table_of(frame, caption, shown)])


def _distance(distance: pd.DataFrame) -> Section:
    """Build the section on how exactly distances were applied, by method."""
    rows = []
    for key, group in distance.groupby(["way", "measured_by"], sort=False):
        way, measured_by = (DISTANCE_WORDS.get(name, name) for name in key)
        reason = next((text for text in group["reason"] if text), "")
        measured = group.dropna(subset=["measured_ms"])
        if measured.empty:
            rows.append((way, measured_by, "–", "–", "–", reason))
            continue
        off = measured["off_ms"].abs()
        rows.append(
            (
                way,
                measured_by,
                whole(len(measured)),
                f"{off.median():.2f}",
                f"{off.max():.2f}",
                reason,
            )
        )
    columns = [
        Column("How the distance is applied", names_row=True),
        Column("Measured by"),
        Column("Nodes", number=True),
        Column("Median error", number=True),
        Column("Largest error", number=True),
        Column("Why not measured"),
    ]
    caption = (
        "How far the applied round trips are from the wanted ones, in milliseconds. Each node "
        "counts with its median, without the time that a wait of zero takes."
    )
    return Section("distance", "Distances as applied", [Table(caption, columns, rows)])


def _short(value: float) -> str:
    return f"{value:.3g}"
