"""The figure of people on their first two principal components."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from rehearsal.model import Country
from rehearsal.realism.chart_style import chart_of, layered
from rehearsal.report.figures.label_placement import place_labels
from rehearsal.report.figures.rendering import empty_figure
from rehearsal.report.style import (
    LIGHT,
    STILL_WIDTH,
    Palette,
    Width,
    finished,
    narrow,
)
from rehearsal.report.tables import REGIONS, region_of

SHAPES = dict(zip(REGIONS, ("circle", "square", "diamond", "triangle-up"), strict=True))
TOO_SMALL = "principal components need more unrelated people or common variants"
DRAWN_PEOPLE = 4_000  # dots in the plot; more make the page slow and show nothing new


def components_figure(
    components: pd.DataFrame,
    countries: Sequence[Country],
    palette: Palette = LIGHT,
    width: Width = STILL_WIDTH,
) -> alt.LayerChart:
    """Draw people on the first two principal components, coloured by region, with country codes.

    A country's dot stands at the median of its people. Its code is moved aside if others are near.

    Args:
        components: The result of ``principal_components.cohort_components``: country, PC1, PC2.
        countries: Countries of the run.
        palette: Colours of the figure.
        width: Width in pixels, or ``container`` in the page.
    """
    if components.empty:
        return empty_figure(TOO_SMALL, palette, width)
    region = {country.code: region_of(country) for country in countries}
    present = [name for name in REGIONS if name in region.values()]
    domain = alt.Scale(domain=present, range=[palette.region(name) for name in present])
    shapes = alt.Scale(domain=present, range=[SHAPES[name] for name in present])
    colour = alt.Color("region:N", title=None, scale=domain)
    first, second = components.attrs["shares"][:2]
    scale, axis = alt.Scale(zero=False, padding=12), alt.Axis(grid=False, tickCount=5)
    x = alt.X("x:Q", title=f"PC1 ({first:.2%} of the variance)", scale=scale, axis=axis)
    y = alt.Y("y:Q", title=f"PC2 ({second:.2%} of the variance)", scale=scale, axis=axis)
    drawn = components.iloc[:: math.ceil(len(components) / DRAWN_PEOPLE)]
    people = chart_of(_person_dots(drawn, region))
    labels = chart_of(_country_labels(components, countries))
    codes = labels.encode(alt.X("label_x:Q"), alt.Y("label_y:Q"), text="code:N")
    size = alt.ExprRef(**narrow(8, 12))
    chart = layered(
        people.mark_point(filled=True, size=14, opacity=0.45, strokeWidth=0).encode(
            x, y, colour, shape=alt.Shape("region:N", scale=shapes)
        ),
        labels.mark_rule(color=palette.muted).encode(x, y, x2="label_x:Q", y2="label_y:Q"),
        labels.mark_circle(size=50, opacity=1, stroke=palette.paper).encode(x, y, colour),
        codes.mark_text(
            fontSize=size,
            fontWeight=700,
            stroke=palette.paper,
            strokeWidth=4,
            strokeJoin="round",
        ),
        codes.mark_text(fontSize=size, fontWeight=700).encode(tooltip="tip:N"),
    )
    return finished(
        chart,
        palette,
        width,
        height=520,
        description=(
            f"Scatter plot of {len(drawn):,} people on two principal components of "
            f"{components.attrs['sites']:,} variants. They explain {first:.2%} and {second:.2%} of "
            f"the variance. {components['country'].nunique()} countries are named at their medians."
        ),
    )


def _person_dots(people: pd.DataFrame, region: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"x": round(x, 4), "y": round(y, 4), "region": region[code]}
        for code, x, y in people[["country", "PC1", "PC2"]].itertuples(index=False)
    ]


def _country_labels(components: pd.DataFrame, countries: Sequence[Country]) -> list[dict[str, Any]]:
    """Find each country's median and the place of its code."""
    named = {country.code: country for country in countries}
    axes = components[["PC1", "PC2"]]
    medians = components.groupby("country", sort=True)[["PC1", "PC2"]].median()
    pixels = np.array([640.0, 460.0]) / np.maximum(axes.max() - axes.min(), 1e-9).to_numpy()
    places = place_labels(medians.to_numpy() * pixels, np.array([24.0, 15.0])) / pixels
    return [
        {
            "code": code,
            "region": region_of(named[code]),
            "x": round(x, 4),
            "y": round(y, 4),
            "label_x": round(label_x, 4),
            "label_y": round(label_y, 4),
            "tip": f"{named[code].name}, median",
        }
        for code, (x, y), (label_x, label_y) in zip(
            medians.index, medians.to_numpy(), places, strict=True
        )
    ]
