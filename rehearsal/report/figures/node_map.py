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
from rehearsal.report.figures.label_placement import place_beside
from rehearsal.report.figures.outlines import outline_features
from rehearsal.report.figures.projection import CENTRE, Frame, frame_around, project, unproject
from rehearsal.report.page_elements import whole
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
MARGIN_KM = (260.0, 260.0, 420.0)  # kept free at the sides, below and above the nodes
ASPECT = 1.08  # width divided by height, as in page.css
NARROW = 350  # pixels across on a phone
LABEL_SIZES = {NARROW: (13.0, 9.0), STILL_WIDTH: (17.0, 12.0)}  # width and height in pixels
SAME_SIZE = {NARROW: 80.0, STILL_WIDTH: 230.0}  # square pixels of a dot when all are equal
LEAST_SIZE, MOST_SIZE = 60.0, 700.0  # square pixels of a dot


def latency_map(
    countries: Sequence[Country],
    nodes: pd.DataFrame,
    asker: str,
    palette: Palette = LIGHT,
    width: Width = STILL_WIDTH,
    linked: bool = False,
) -> alt.LayerChart:
    """Draw the nodes on a map of Europe: size by people, colour by latency, links to the asker.

    The map is in Lambert's azimuthal equal-area projection about 52° N 10° E, as European
    statistics use. Coastlines and borders are Natural Earth's.

    Args:
        countries: Countries of the run, each with its population centre.
        nodes: ``tables.node_table``: node, people, p50_ms, p99_ms, rtt_ms, problems.
        asker: Code of the country that asks.
        palette: Colours of the map.
        width: Width in pixels, or ``container`` in the page.
        linked: Whether each dot leads to its country's page.

    Returns:
        The chart, with a description for readers who do not see it.
    """
    rows, classes = _map_rows(countries, nodes, asker)
    frame = frame_around(
        np.array([[one["longitude"], one["latitude"]] for one in rows]), MARGIN_KM, ASPECT
    )
    _place_names(rows, frame)
    colours = dict(zip(classes, palette.steps, strict=False))
    if any(row["class"] == TROUBLE for row in rows):
        colours[TROUBLE] = palette.fail
    base = chart_of(rows)
    links = base.mark_rule(color=palette.accent, opacity=0.35, strokeWidth=1).encode(
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
    layers = [*_background(frame, palette), links, dots, *_names(base, palette)]
    chart = layered(*layers).project(
        type="azimuthalEqualArea",
        rotate=[-CENTRE[0], -CENTRE[1], 0],
        scale=alt.ExprRef(_scale(frame)),
        translate=alt.ExprRef(_translation(frame)),
    )
    slowest = max(rows, key=lambda row: row["p50_ms"] or 0.0)
    return finished(
        chart,
        palette,
        width,
        height="container" if width == "container" else round(width / ASPECT),
        description=(
            f"Map of {len(rows)} nodes asked from {asker}. The slowest is {slowest['name']} with a "
            f"median of {in_ms(slowest['p50_ms'])}; "
            f"{sum(row['class'] == TROUBLE for row in rows)} nodes have wrong or missing answers."
        ),
    )


def _background(frame: Frame, palette: Palette) -> list[alt.Chart]:
    """Draw the degrees, the land and its borders, cut to the frame."""
    west, south, east, north = frame.box()
    degrees = alt.Data(
        graticule={"step": [10, 10], "extent": [[west, south], [east, north]], "precision": 1}
    )
    land, borders = (alt.Data(values=[one]) for one in outline_features((west, south, east, north)))
    return [
        alt.Chart(degrees).mark_geoshape(
            clip=True, filled=False, stroke=palette.rule, strokeWidth=0.8, aria=False
        ),
        alt.Chart(land).mark_geoshape(
            clip=True, fill=palette.land, stroke=palette.coast, strokeWidth=0.7, aria=False
        ),
        alt.Chart(borders).mark_geoshape(
            clip=True, filled=False, stroke=palette.coast, strokeWidth=0.7, aria=False
        ),
    ]


def _names(base: alt.Chart, palette: Palette) -> list[alt.Chart]:
    """Draw the codes twice, placed for a wide and for a narrow map; one of them is seen."""
    layers = []
    for width, size, shown in ((STILL_WIDTH, 12, (0, 1)), (NARROW, 9, (1, 0))):
        opacity = alt.ExprRef(**narrow(*shown))
        place = {"longitude": f"label_longitude_{width}:Q", "latitude": f"label_latitude_{width}:Q"}
        halo: dict[str, Any] = {"stroke": palette.land, "strokeWidth": 3, "strokeJoin": "round"}
        for more in (halo, {}):
            text = base.mark_text(
                fontSize=size, fontWeight=600, opacity=opacity, aria=False, **more
            )
            layers.append(text.encode(text="node:N", **place))
    return layers


def _scale(frame: Frame) -> str:
    """Write the pixels per Earth radius as an expression of the chart's size."""
    return f"min(width / {frame.width:.6f}, height / {frame.height:.6f})"


def _translation(frame: Frame) -> str:
    """Write where the centre of the projection is, in pixels from the upper left corner."""
    x, y = (frame.left + frame.right) / 2, (frame.low + frame.high) / 2
    return f"[width / 2 - ({x:.6f}) * {_scale(frame)}, height / 2 + ({y:.6f}) * {_scale(frame)}]"


def _place_names(rows: list[dict[str, Any]], frame: Frame) -> None:
    """Add to each row where its code stands on a wide and on a narrow map, in degrees."""
    plane = project(np.array([[one["longitude"], one["latitude"]] for one in rows]))
    for width, box in LABEL_SIZES.items():
        scale = width / frame.width
        radii = np.sqrt(_dot_sizes(rows, width) / np.pi)
        places = place_beside(plane * scale, radii, np.array(box)) / scale
        for row, (longitude, latitude) in zip(rows, unproject(places), strict=True):
            row[f"label_longitude_{width}"] = round(float(longitude), 3)
            row[f"label_latitude_{width}"] = round(float(latitude), 3)


def _dot_sizes(rows: list[dict[str, Any]], width: int) -> np.ndarray:
    """Give the area of each dot in square pixels, as the chart draws it."""
    people = np.array([row["people"] for row in rows], dtype=float)
    if people.min() == people.max():
        return np.full(len(people), SAME_SIZE[width])
    return LEAST_SIZE + (MOST_SIZE - LEAST_SIZE) * np.sqrt(people / people.max())


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
                    f"{country.name}: {whole(row['people'])} people, median {in_ms(median)}, "
                    f"99th percentile {in_ms(row['p99_ms'])}, "
                    f"delay added {in_ms(row['rtt_ms'])}, "
                    f"{row['problems']:.0f} wrong or missing"
                ),
            }
        )
    return rows, names


def _class_edges(values: pd.Series) -> list[float]:
    """Divide 0 to the largest value into at most five equal classes with a round step."""
    top = float(values.max()) if values.notna().any() else 1.0
    steps = (digit * 10.0**power for power in range(-2, 6) for digit in (1, 2, 5))
    step = next(step for step in steps if step * 5 > top)
    return [step * index for index in range(math.floor(top / step) + 2)]


def _class_name(edges: Sequence[float], index: int) -> str:
    return f"{edges[index]:g}–{edges[index + 1]:g} ms"


def _people_size(rows: list[dict[str, Any]]) -> Any:
    people = [row["people"] for row in rows]
    if min(people) == max(people):
        return alt.value(alt.ExprRef(**narrow(SAME_SIZE[NARROW], SAME_SIZE[STILL_WIDTH])))
    scale = alt.Scale(type="sqrt", domain=[0, max(people)], range=[LEAST_SIZE, MOST_SIZE])
    return alt.Size("people:Q", title="People", scale=scale, legend=None)
