"""Sections on the nodes with their distances, and on the latency of their answers."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from rehearsal.evaluation.baseline_requests import CONTROL, EMPTY_HANDLER
from rehearsal.report.figures.latency import kind_latency_figure, node_latency_figure
from rehearsal.report.figures.node_map import latency_map
from rehearsal.report.figures.rendering import vega_specification
from rehearsal.report.page_elements import (
    Column,
    Figure,
    Linked,
    Links,
    Section,
    Shown,
    Table,
    Text,
    milliseconds,
    table_of,
    whole,
)
from rehearsal.report.questions.words import NONE, kind_words
from rehearsal.report.style import PAGE
from rehearsal.report.tables import (
    ReportTables,
    country_href,
    kind_table,
)


def nodes_section(tables: ReportTables, nodes: pd.DataFrame) -> Section:
    """Build the section with the map and the table of nodes.

    Args:
        tables: The tables of the report.
        nodes: ``tables.node_table``, one row per country.
    """
    countries = {country.code: country for country in tables.countries}
    home = countries[tables.asker].capital if tables.asker in countries else tables.asker
    figure = Figure(
        "map",
        "Each dot is a node, at the population centre of its country. The lines lead to the "
        f"asker in {home}. A larger dot holds more people. The colour shows the median latency. "
        "Outlines: Natural Earth.",
        vega_specification(
            latency_map(tables.countries, nodes, tables.asker, PAGE, "container", linked=True)
        ),
        square=True,
    )
    measured = tables.distances.set_index("country")["measured"]
    frame = nodes.assign(
        capital=[country.capital for country in tables.countries],
        basis=["measured" if measured.get(code, False) else "fitted" for code in nodes["node"]],
    )
    frame.loc[frame["node"] == tables.asker, "basis"] = "asker"
    frame.loc[frame["node"].isin(tables.foreign), "basis"] = "no delay: run by others"
    shown = [
        Shown("name", Column("Country", names_row=True)),
        Shown("capital", Column("Capital")),
        Shown("rtt_ms", Column("Round trip", number=True), _milliseconds_or_none),
        Shown("basis", Column("Source of round trip")),
        Shown("p50_ms", Column("Median", number=True), milliseconds),
        Shown("p95_ms", Column("p95", number=True), milliseconds),
        Shown("p99_ms", Column("p99", number=True), milliseconds),
        Shown("answers", Column("Answers", number=True), whole),
        Shown("refusals", Column("Refusals", number=True), whole),
        Shown("problems", Column("Wrong or missing", number=True), whole),
    ]
    caption = (
        f"Every node, asked from {home}. All times are in milliseconds. Round trip: the delay that "
        "was added for the distance. It was measured between cloud regions where such a pair is "
        "known, and otherwise fitted to the kilometres between the capitals. Half of the answers "
        "came within the median, 95% within p95 and 99% within p99."
    )
    parts = [figure, _country_links(nodes), table_of(frame.sort_values("name"), caption, shown)]
    return Section("nodes", "Nodes and distances", parts)


def _milliseconds_or_none(value: float) -> str:
    return NONE if pd.isna(value) else milliseconds(value)


def _country_links(nodes: pd.DataFrame) -> Links:
    """Link to every country's page, for readers who do not use the map."""
    links = [
        Linked(row.name, country_href(row.node), failed=row.problems > 0)
        for row in nodes.sort_values("name").itertuples(index=False)
    ]
    return Links("Countries", links)


def latency_section(tables: ReportTables, nodes: pd.DataFrame) -> Section:
    """Build the section on latency by node and by kind of query.

    Args:
        tables: The tables of the report.
        nodes: ``tables.node_table``, one row per country.
    """
    kinds = kind_table(tables)
    by_node = node_latency_figure(nodes, PAGE, "container")
    by_kind = kind_latency_figure(kinds, PAGE, "container")
    shown = [
        Shown("kind", Column("Kind of query", names_row=True), kind_words),
        Shown("queries", Column("Queries", number=True), whole),
        Shown("n", Column("Answers", number=True), whole),
        Shown("p50_ms", Column("Median", number=True), milliseconds),
        Shown("p95_ms", Column("p95", number=True), milliseconds),
        Shown("p99_ms", Column("p99", number=True), milliseconds),
        Shown("max_ms", Column("Slowest", number=True), milliseconds),
        Shown("queries_per_s", Column("Per second", number=True), milliseconds),
        Shown("bytes_mean", Column("Bytes", number=True), whole),
    ]
    if kinds.empty:
        nothing = Text("Nothing to show: no query was asked.")
        return Section("latency", "Latency", [nothing, *_control(tables.latency)])
    *rows, total = table_of(kinds, "", shown).rows
    table = Table(
        "Time until the network's combined answer, in milliseconds. An absent variant is one that "
        "nobody has. Per second: queries per second, one after the other. Bytes: size of all "
        "nodes' answers to one query, on average.",
        [how.column for how in shown],
        rows,
        ("All kinds", *total[1:]),
    )
    return Section(
        "latency",
        "Latency",
        [
            Figure(
                "latency-nodes",
                "Latency of each node over all kinds of query, fastest first. Round trip: the "
                "delay that was added for the distance. 95% of the answers came within p95, 99% "
                "within p99.",
                vega_specification(by_node),
            ),
            Figure(
                "latency-kinds",
                "Time until the network's combined answer, by kind of query.",
                vega_specification(by_kind),
            ),
            table,
            *_control(tables.latency),
        ],
    )


def _control(latency: pd.DataFrame) -> Iterator[Text]:
    """State the latency of requests that do no work, for comparison."""
    medians = latency[latency["kind"] == CONTROL.kind].set_index("node")["p50_ms"].dropna()
    if EMPTY_HANDLER in medians:
        yield Text(
            f"For comparison: a handler that does nothing answered on this machine in "
            f"{milliseconds(medians.pop(EMPTY_HANDLER))} ms (median)."
            + (
                f" The service-info of the nodes took {_between(medians)} ms."
                if len(medians)
                else ""
            )
        )


def _between(values: pd.Series) -> str:
    return f"{milliseconds(values.min())} to {milliseconds(values.max())}"
