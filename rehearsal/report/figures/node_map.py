"""The nodes on a map of Europe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from rehearsal.model import Country
from rehearsal.realism.chart_style import chart_of, layered
from rehearsal.report.style import (
    LIGHT,
    STILL_WIDTH,
    Palette,
    Width,
    finished,
    in_ms,
    narrow,
)
from rehearsal.report.tables import country_href

TROUBLE = "wrong or missing answers"


def latency_map(
    countries: Sequence[Country],
    nodes: pd.DataFrame,
    asker: str,
    palette: Palette = LIGHT,
    width: Width = STILL_WIDTH,
    linked: bool = False,
) -> alt.LayerChart:
    """The nodes on a map of Europe: size by people, colour by median latency, links to the asker.

    ``nodes`` comes from ``tables.node_table``: node, people, p50_ms, p99_ms, rtt_ms, problems.
    ``linked``: each dot leads to its country's page.
    Lambert's azimuthal equal-area projection about 52° N 10° E, as European statistics use.
    """
    rows, classes = _map_rows(countries, nodes, asker)
    colours = dict(zip(classes, palette.steps, strict=False))
    if any(row["class"] == TROUBLE for row in rows):
        colours[TROUBLE] = palette.fail
    grid = alt.Chart(
        alt.Data(graticule={"step": [5, 5], "extent": _extent(countries), "precision": 1})
    ).mark_geoshape(filled=False, stroke=palette.rule, strokeWidth=0.8)
    base = chart_of(rows)
    links = base.mark_rule(color=palette.accent, opacity=0.25, strokeWidth=1).encode(
        longitude="from_longitude:Q",
        latitude="from_latitude:Q",
        longitude2="longitude:Q",
        latitude2="latitude:Q",
    )
    dots = base.mark_circle(opacity=1, stroke=palette.paper, strokeWidth=1.5).encode(
        longitude="longitude:Q",
        latitude="latitude:Q",
        size=_people_size(rows),
        color=alt.Color(
            "class:O",
            title="Median latency of an answer",
            scale=alt.Scale(domain=list(colours), range=list(colours.values())),
        ),
        tooltip=alt.Tooltip("tip:N"),
        description=alt.Description("tip:N"),
        **({"href": "href:N"} if linked else {}),
    )
    names = base.mark_text(
        dy=alt.ExprRef(**narrow(-10, -15)), fontSize=alt.ExprRef(**narrow(9, 11)), fontWeight=600
    ).encode(longitude="longitude:Q", latitude="latitude:Q", text="node:N")
    chart = layered(grid, links, dots, names).project(
        type="azimuthalEqualArea", rotate=[-10, -52, 0]
    )
    slowest = max(rows, key=lambda row: row["p50_ms"] or 0.0)
    return finished(
        chart,
        palette,
        width,
        height="container" if width == "container" else round(width * 0.9),
        description=(
            f"Map of {len(rows)} nodes asked from {asker}. The slowest is {slowest['name']} with a "
            f"median of {in_ms(slowest['p50_ms'])}; "
            f"{sum(row['class'] == TROUBLE for row in rows)} nodes have wrong or missing answers."
        ),
    )


def _map_rows(
    countries: Sequence[Country], nodes: pd.DataFrame, asker: str
) -> tuple[list[dict[str, Any]], list[str]]:
    facts = nodes.set_index("node")
    edges = _class_edges(facts["p50_ms"])
    names = [_class_name(edges, index) for index in range(len(edges) - 1)]
    home = next((country for country in countries if country.code == asker), None)
    rows = []
    for country in countries:
        row = facts.loc[country.code]
        median = None if pd.isna(row["p50_ms"]) else float(row["p50_ms"])
        band = TROUBLE
        if median is not None and row["problems"] == 0:
            band = names[int(np.searchsorted(edges, median, "right")) - 1]
        start = home or country
        rows.append(
            {
                "node": country.code,
                "name": country.name,
                "latitude": country.latitude,
                "longitude": country.longitude,
                "from_latitude": start.latitude,
                "from_longitude": start.longitude,
                "people": int(row["people"]),
                "p50_ms": median,
                "class": band,
                "href": country_href(country.code),
                "tip": (
                    f"{country.name}: {row['people']:,} people, median {in_ms(median)}, "
                    f"99th percentile {in_ms(row['p99_ms'])}, "
                    f"distance applied {in_ms(row['rtt_ms'])}, "
                    f"{row['problems']:.0f} wrong or missing"
                ),
            }
        )
    return rows, names


def _extent(countries: Sequence[Country]) -> list[list[float]]:
    """The frame around all countries, as [[west, south], [east, north]] in degrees."""
    longitudes = [country.longitude for country in countries]
    latitudes = [country.latitude for country in countries]
    return [
        [min(longitudes) - 3, min(latitudes) - 2],
        [max(longitudes) + 3, max(latitudes) + 2.5],
    ]


def _class_edges(values: pd.Series) -> list[float]:
    """At most five equal classes from 0 with a round step that hold every value."""
    top = float(values.max()) if values.notna().any() else 1.0
    steps = (digit * 10.0**power for power in range(-2, 6) for digit in (1, 2, 5))
    step = next(step for step in steps if step * 5 > top)
    return [step * index for index in range(math.floor(top / step) + 2)]


def _class_name(edges: Sequence[float], index: int) -> str:
    return f"{edges[index]:g}–{edges[index + 1]:g} ms"


def _people_size(rows: list[dict[str, Any]]) -> Any:
    people = [row["people"] for row in rows]
    if min(people) == max(people):
        return alt.value(alt.ExprRef(**narrow(80, 230)))
    scale = alt.Scale(type="sqrt", domain=[0, max(people)], range=[60, 700])
    return alt.Size("people:Q", title="People", scale=scale, legend=None)
