"""Sections of the page on load, growth, distance, the capitals and faults."""

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


def bench_sections(bench: BenchTables, countries: list[Country]) -> Iterator[Section]:
    """Load with its knee, growth, hung nodes, distances, the view from each capital, faults."""
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
    rate = "no rate that was tried" if held is None else f"{held:.3g} queries a second"
    text = (
        f"The knee: {rate} of all nodes, with {percent(objective['in_time_share'], 0)} answered "
        f"within the deadline and a p99 of at most {whole(objective['p99_ms'])} ms. Queries leave "
        "at their times whether or not earlier ones were answered; latency counts from the time "
        "at which a query was to leave."
    )
    caption = (
        "Latency against rate, over kept connections. The dashed lines are what p99 may be, and "
        "the knee."
    )
    chart = figures.load_figure(bench.load, bench.knee, PAGE, "container")
    shown = [
        Shown("rate_per_s", Column("Rate, 1/s", number=True, names_row=True), _short),
        Shown("connections", Column("Connections")),
        Shown("sent", Column("Sent", number=True), whole),
        Shown("answered", Column("Answered", number=True), whole),
        Shown("refused", Column("Refused", number=True), whole),
        Shown("late", Column("Late", number=True), whole),
        Shown("failed", Column("Failed", number=True), whole),
        Shown("p50_ms", Column("Median", number=True), milliseconds),
        Shown("p99_ms", Column("p99", number=True), milliseconds),
        Shown("control_p99_ms", Column("Control p99", number=True), milliseconds),
        Shown("load_average_1min", Column("Load average", number=True), _short),
    ]
    table = table_of(
        steps.sort_values(["connections", "rate_per_s"]),
        "Every step, latencies in milliseconds. Control: an empty handler, asked the same way.",
        shown,
    )
    figure = Figure("load", caption, vega_specification(chart))
    return Section("load", "Load", [Text(text), figure, table])


def _growth(bench: BenchTables) -> Section:
    parts: list[Any] = []
    for axis, name in figures.AXES.items():
        steps = bench.growth[bench.growth["axis"] == axis]
        if len(steps) > 1:
            chart = figures.growth_figure(bench.growth, bench.growth_fits, axis, PAGE, "container")
            caption = f"{name}: {_fit(bench.growth_fits, axis)}"
            parts.append(Figure(f"growth-{axis}", caption, vega_specification(chart)))
    shown = [
        Shown("axis", Column("Growth in", names_row=True)),
        Shown("nodes", Column("Nodes", number=True), whole),
        Shown("people", Column("People", number=True), whole),
        Shown("users", Column("Users", number=True), whole),
        Shown("p50_ms", Column("Median", number=True), milliseconds),
        Shown("p99_ms", Column("p99", number=True), milliseconds),
        Shown("queries_per_s", Column("Queries a second", number=True), _short),
        Shown("network_cpu_ms_per_query", Column("Network CPU", number=True), milliseconds),
        Shown("nodes_cpu_ms_per_query", Column("Nodes' CPU", number=True), milliseconds),
    ]
    caption = "The same queries without distances; milliseconds, CPU a query."
    parts.append(table_of(bench.growth, caption, shown))
    return Section("growth", "Growth", parts)


def _fit(fits: pd.DataFrame, axis: str) -> str:
    """The exponents of the medians, in words."""
    found = fits[(fits["axis"] == axis) & (fits["measure"] == "p50_ms")]
    if found.empty:
        return "too few points for an exponent."
    one = found.iloc[0]
    error = f" ± {one['standard_error']:.2f}" if one["points"] > 2 else ""
    return f"the median grows with the power {one['exponent']:.2f}{error} of it."


def _faults(faults: pd.DataFrame) -> Section:
    shown = [
        Shown("scenario", Column("Scenario", names_row=True), _spaced),
        Shown("must_hold", Column("What must hold", long=True)),
        Shown("held", Column("Held"), lambda held: "yes" if held else "NO"),
        Shown("answered_share", Column("Answered", number=True), percent),
        Shown("marked_share", Column("Marked", number=True), percent),
        Shown("unmarked_share", Column("Lost", number=True), percent),
        Shown("recovered_s", Column("Recovered, s", number=True), seconds),
    ]
    caption = (
        "Faults that were made, each with what must hold. Marked: an answer that says that a node "
        "refused, failed or was late. Lost without a mark must be nothing."
    )
    return Section("faults", "Faults", [table_of(faults, caption, shown)])


def _policy(policy: pd.DataFrame) -> Section:
    shown = [
        Shown("policy", Column("Policy", names_row=True)),
        Shown("hung", Column("Hung nodes", number=True), whole),
        Shown("phase", Column("When")),
        Shown("p50_ms", Column("Median", number=True), milliseconds),
        Shown("max_ms", Column("Slowest", number=True), milliseconds),
        Shown("node_answered", Column("Answered", number=True), whole),
        Shown("node_late", Column("Late", number=True), whole),
        Shown("node_failed", Column("Failed", number=True), whole),
    ]
    caption = (
        "What hung nodes cost: our network, our network asked for what is there (partial), and "
        "nodes collected one after another with five seconds each. Milliseconds."
    )
    chart = figures.policy_figure(policy, PAGE, "container")
    drawn = "Seconds until the answer when nodes hang, by the way answers are collected."
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
        Shown("farthest_ms", Column("Its distance", number=True), milliseconds),
        Shown("own_ms", Column("Network adds", number=True), milliseconds),
        Shown("qs02", Column("In time", number=True), percent),
    ]
    caption = "A query over all nodes as seen from each capital, in milliseconds."
    return Section("capitals", "From every capital", [table_of(frame, caption, shown)])


def _distance(distance: pd.DataFrame) -> Section:
    """How far the distances that were applied are from the table, by way of applying them."""
    rows = []
    for (way, measured_by), group in distance.groupby(["way", "measured_by"], sort=False):
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
        Column("Way", names_row=True),
        Column("Measured by"),
        Column("Nodes", number=True),
        Column("Off, median", number=True),
        Column("Off, most", number=True),
        Column("Why not here"),
    ]
    caption = (
        "Round trips that were measured beside those of the table, less what a bare wait costs: "
        "the difference in milliseconds, at each node's median."
    )
    return Section("distance", "Distances as applied", [Table(caption, columns, rows)])


def _short(value: float) -> str:
    return f"{value:.3g}"


def _spaced(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")
