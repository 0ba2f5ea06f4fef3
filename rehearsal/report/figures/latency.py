"""Figures of latency by node and by kind of query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from rehearsal.realism.chart_style import chart_of, layered
from rehearsal.report.figures.rendering import empty_figure
from rehearsal.report.questions.words import kind_words
from rehearsal.report.style import (
    LIGHT,
    STILL_WIDTH,
    Palette,
    Width,
    finished,
    in_ms,
)

# column, name in the legend, colour of the palette, shape
LATENCY_MARKS = (
    ("rtt_ms", "Round trip", "south", "diamond"),
    ("p50_ms", "Median", "accent", "circle"),
    ("p95_ms", "p95", "step3", "square"),
    ("p99_ms", "p99", "ink", "triangle-left"),
)


def node_latency_figure(
    nodes: pd.DataFrame, palette: Palette = LIGHT, width: Width = STILL_WIDTH
) -> alt.LayerChart:
    """Draw the latency of every node: median, 95th and 99th percentile, and the round trip added.

    Args:
        nodes: ``tables.node_table``. The fastest node is drawn first.
        palette: Colours of the figure.
        width: Width in pixels, or ``container`` in the page.
    """
    table = (
        nodes.dropna(subset=["p50_ms"])
        .sort_values(["p50_ms", "node"])
        .rename(columns={"name": "label"})
    )
    return _latency_ranges(table, "countries", palette, width)


def kind_latency_figure(
    kinds: pd.DataFrame, palette: Palette = LIGHT, width: Width = STILL_WIDTH
) -> alt.LayerChart:
    """Draw the latency of the network's combined answer by kind of query.

    Args:
        kinds: ``tables.kind_table``.
        palette: Colours of the figure.
        width: Width in pixels, or ``container`` in the page.
    """
    table = kinds.dropna(subset=["p50_ms"]).sort_values(["p50_ms", "kind"])
    labels = table["kind"].replace({"all": "all kinds"}).map(kind_words)
    return _latency_ranges(table.assign(label=labels), "kinds of query", palette, width)


def _latency_ranges(
    table: pd.DataFrame, what: str, palette: Palette, width: Width
) -> alt.LayerChart:
    if table.empty:
        return empty_figure(f"none of the {what} has an answer in time", palette, width)
    marks = [mark for mark in LATENCY_MARKS if mark[0] in table]
    rows = table[["label", *(mark[0] for mark in marks)]].round(3).to_dict("records")
    names = [name for _, name, _, _ in marks]
    y = alt.Y(
        "label:N",
        sort=list(table["label"]),
        title=None,
        axis=alt.Axis(domain=False, ticks=False, labelColor=palette.ink, labelLimit=130),
    )
    span = chart_of(rows).mark_rule(strokeWidth=2, color=palette.step2)
    points = chart_of(list(_latency_points(rows, marks))).mark_point(
        filled=True, opacity=1, size=48, strokeWidth=0
    )
    colours = alt.Scale(domain=names, range=[getattr(palette, mark[2]) for mark in marks])
    chart = layered(
        span.encode(x=alt.X("p50_ms:Q", title="Milliseconds"), x2="p99_ms:Q", y=y),
        points.encode(
            x=alt.X(
                "ms:Q",
                title="Milliseconds",
                scale=alt.Scale(zero=True, nice=True),
                axis=alt.Axis(tickCount=6),
            ),
            y=y,
            color=alt.Color("mark:N", title=None, scale=colours),
            shape=alt.Shape("mark:N", scale=alt.Scale(domain=names, range=[m[3] for m in marks])),
            tooltip=alt.Tooltip("tip:N"),
        ),
    )
    return finished(
        chart,
        palette,
        width,
        height=alt.Step(19),
        description=(
            f"Latency of {len(table)} {what}. Medians range from {in_ms(table['p50_ms'].min())} to "
            f"{in_ms(table['p50_ms'].max())} ({table['label'].iloc[-1]}). The largest 99th "
            f"percentile is {in_ms(table['p99_ms'].max())}."
        ),
    )


def _latency_points(
    rows: Sequence[Mapping[str, Any]], marks: Sequence[tuple[str, str, str, str]]
) -> Iterator[dict[str, Any]]:
    """Yield one row per mark, with all values of the line as its tooltip."""
    for row in rows:
        tip = ", ".join(f"{name.lower()} {in_ms(row[field])}" for field, name, _, _ in marks)
        for field, name, _, _ in marks:
            yield {
                "label": row["label"],
                "mark": name,
                "ms": row[field],
                "tip": f"{row['label']}: {tip}",
            }
