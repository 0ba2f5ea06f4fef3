"""The nodes with their distances, and the latency of their answers."""

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
    spaced,
    table_of,
    whole,
)
from rehearsal.report.style import PAGE
from rehearsal.report.tables import (
    ReportTables,
    country_href,
    kind_table,
)


def nodes_section(tables: ReportTables, nodes: pd.DataFrame) -> Section:
    countries = {country.code: country for country in tables.countries}
    home = countries[tables.asker].capital if tables.asker in countries else tables.asker
    figure = Figure(
        "map",
        f"A dot for each node at its country's population centre, linked to the asker in {home}; "
        "its area follows the people in it, its colour the median latency of its answers.",
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
    shown = [
        Shown("name", Column("Country", names_row=True)),
        Shown("capital", Column("Capital")),
        Shown("rtt_ms", Column("Distance", number=True), milliseconds),
        Shown("basis", Column("Basis")),
        Shown("p50_ms", Column("Median", number=True), milliseconds),
        Shown("p95_ms", Column("p95", number=True), milliseconds),
        Shown("p99_ms", Column("p99", number=True), milliseconds),
        Shown("answers", Column("Answers", number=True), whole),
        Shown("problems", Column("Wrong or missing", number=True), whole),
    ]
    caption = (
        f"Nodes as seen from {home}, in milliseconds. The distance is the round trip that was "
        "applied: measured between cloud regions where the pair is known, else fitted to the "
        "kilometres between the capitals. Answers are those that came in time; p95 and p99 are "
        "percentiles of their latency."
    )
    parts = [figure, _country_links(nodes), table_of(frame, caption, shown)]
    return Section("nodes", "Nodes and distances", parts)


def _country_links(nodes: pd.DataFrame) -> Links:
    """To every country's page, for the keyboard and for who does not see the map."""
    links = [
        Linked(row.name, country_href(row.node), failed=row.problems > 0)
        for row in nodes.itertuples(index=False)
    ]
    return Links("Countries", links)


def latency_section(tables: ReportTables, nodes: pd.DataFrame) -> Section:
    kinds = kind_table(tables)
    by_node = node_latency_figure(nodes, PAGE, "container")
    by_kind = kind_latency_figure(kinds, PAGE, "container")
    shown = [
        Shown("kind", Column("Kind of query", names_row=True), spaced),
        Shown("queries", Column("Queries", number=True), whole),
        Shown("n", Column("Answers", number=True), whole),
        Shown("p50_ms", Column("Median", number=True), milliseconds),
        Shown("p95_ms", Column("p95", number=True), milliseconds),
        Shown("p99_ms", Column("p99", number=True), milliseconds),
        Shown("max_ms", Column("Slowest", number=True), milliseconds),
        Shown("queries_per_s", Column("Per second", number=True), milliseconds),
        Shown("bytes_mean", Column("Bytes", number=True), whole),
    ]
    *rows, total = table_of(kinds, "", shown).rows
    table = Table(
        "The joined answer of the whole network, in milliseconds. Per second: one query after the "
        "other. Bytes: of all nodes' answers to a query, on average.",
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
                "Answers of each node over all kinds of query, fastest first. The distance is the "
                "round trip that was applied; p95 and p99 are percentiles.",
                vega_specification(by_node),
            ),
            Figure(
                "latency-kinds",
                "The joined answer of all nodes, by kind of query.",
                vega_specification(by_kind),
            ),
            table,
            *_control(tables.latency),
        ],
    )


def _control(latency: pd.DataFrame) -> Iterator[Text]:
    """What requests cost that ask for nothing, to hold the other figures against."""
    medians = latency[latency["kind"] == CONTROL.kind].set_index("node")["p50_ms"].dropna()
    if EMPTY_HANDLER in medians:
        yield Text(
            f"For comparison: an empty handler on this machine answered the same client in "
            f"{milliseconds(medians.pop(EMPTY_HANDLER))} ms (median)"
            + (f", the nodes' service-info in {_between(medians)} ms." if len(medians) else ".")
        )


def _between(values: pd.Series) -> str:
    return f"{milliseconds(values.min())} to {milliseconds(values.max())}"
