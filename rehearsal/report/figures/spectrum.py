"""The figure of the allele-frequency spectrum of the cohort and of each country."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from rehearsal.model import Country
from rehearsal.realism.block_structure import ALL
from rehearsal.realism.chart_style import chart_of, layered
from rehearsal.realism.frequency_spectrum import spectrum_shares
from rehearsal.report.figures.rendering import empty_figure
from rehearsal.report.style import (
    LIGHT,
    STILL_WIDTH,
    Palette,
    Width,
    finished,
)
from rehearsal.report.tables import REGIONS, region_of

WHOLE = "All countries"


def spectrum_figure(
    spectrum: pd.DataFrame,
    countries: Sequence[Country],
    palette: Palette = LIGHT,
    width: Width = STILL_WIDTH,
) -> alt.LayerChart:
    """Draw the transformed frequency spectrum (Achaz 2009) of the cohort and of each country.

    The figure shows the number of alleles with i copies, divided by 1/i, the shape for a population
    of constant size. Such a population gives a level line: the dashed one, at Watterson's estimate
    for the cohort. Growth lifts the left end, a bottleneck lowers it. Numbers of copies are pooled
    over doublings.

    Args:
        spectrum: The result of ``frequency_spectrum``: group, haplotypes, copies, alleles.
        countries: Countries of the run.
        palette: Colours of the figure.
        width: Width in pixels, or ``container`` in the page.
    """
    if not (spectrum["group"] == ALL).any():
        return empty_figure("no allele of an autosome varies", palette, width)
    region = {country.code: region_of(country) for country in countries}
    names = {country.code: country.name for country in countries} | {ALL: WHOLE}
    parts = [_transformed(part, names, region) for _, part in spectrum.groupby("group", sort=False)]
    level = float(_watterson(spectrum[spectrum["group"] == ALL]))
    colour = _region_colour([name for name in REGIONS if name in region.values()], palette)
    x, y = _axes()
    each = chart_of([row for part in parts[1:] for row in part])
    cohort = chart_of(parts[0])
    chart = layered(
        chart_of([{"alleles": level}])
        .mark_rule(color=palette.muted, strokeDash=[4, 4])
        .encode(y=y),
        each.mark_line(strokeWidth=1.2, opacity=0.55).encode(x, y, colour, detail="name:N"),
        each.mark_circle(size=24, opacity=0.75).encode(x, y, colour, tooltip="tip:N"),
        cohort.mark_line(strokeWidth=2.5).encode(x, y, colour),
        cohort.mark_circle(size=48, opacity=1).encode(x, y, colour, tooltip="tip:N"),
    )
    shares = spectrum_shares(spectrum)
    return finished(
        chart,
        palette,
        width,
        height=380,
        description=(
            f"Allele-frequency spectrum of {shares.loc[ALL, 'alleles']:,} alleles against a "
            "population of constant size, on logarithmic axes, with one line per country. "
            f"{shares.loc[ALL, 'singleton_share']:.0%} of the alleles were seen once."
        ),
    )


def _region_colour(regions: Sequence[str], palette: Palette) -> alt.Color:
    """Give the cohort the colour of ink and each country that of its region."""
    colours = [palette.ink, *(palette.region(name) for name in regions)]
    return alt.Color(
        "region:N", title=None, scale=alt.Scale(domain=[WHOLE, *regions], range=colours)
    )


def _axes() -> tuple[alt.X, alt.Y]:
    """Make the two axes, both logarithmic."""
    x = alt.X(
        "frequency:Q",
        title="Frequency of the derived allele",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="~p", values=[10.0**-power for power in range(8)], grid=False),
    )
    y = alt.Y(
        "alleles:Q",
        title="Alleles × copies",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="~s", values=[d * 10**p for p in range(9) for d in (1, 2, 5)]),
    )
    return x, y


def _transformed(
    part: pd.DataFrame, names: Mapping[str, str], region: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Divide a group's alleles by the sum of 1/i, in bins of copies [1, 2), [2, 4), [4, 8), …"""
    group, haplotypes = part["group"].iloc[0], int(part["haplotypes"].iloc[0])
    sums = part.groupby(np.floor(np.log2(part["copies"])).astype(int))["alleles"].sum()
    rows = []
    for power, alleles in sums.items():
        low, high = 2**power, min(2 ** (power + 1), haplotypes) - 1
        copies = str(low) if low == high else f"{low}–{high}"
        rows.append(
            {
                "name": names[group],
                "region": region.get(group, WHOLE),
                "frequency": float(f"{math.sqrt(low * high) / haplotypes:.4g}"),
                "alleles": float(f"{alleles / np.sum(1 / np.arange(low, high + 1)):.4g}"),
                "tip": (
                    f"{names[group]}: {alleles:,} alleles with {copies} of {haplotypes:,} copies"
                ),
            }
        )
    return rows


def _watterson(pooled: pd.DataFrame) -> float:
    """Compute Watterson's estimate: alleles over the sum of 1/i, i from 1 to haplotypes - 1."""
    return pooled["alleles"].sum() / np.sum(1 / np.arange(1, pooled["haplotypes"].iloc[0]))
