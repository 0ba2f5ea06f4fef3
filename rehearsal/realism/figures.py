"""Figures of the realism of a cohort, as static SVG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import altair as alt
import numpy as np
import vl_convert

from rehearsal.demography.procrustes import fit_layout
from rehearsal.files import write_text
from rehearsal.geography import country_distances_km
from rehearsal.model import Country
from rehearsal.realism.chart_style import ACCENT, FONT, INK, MUTED, RULE, SECOND, chart_of, layered
from rehearsal.realism.linkage import LINKAGE_DISTANCES
from rehearsal.realism.measures import BlockMeasures
from rehearsal.realism.panel import MeasuredPeople
from rehearsal.realism.published import CHR21_MB, CHR21_SITES, LINKAGE_RANGES, ReferenceFigures
from rehearsal.realism.requirements import MB
from rehearsal.realism.sample_size import sample_sizes
from rehearsal.realism.statistics import pair_values
from rehearsal.realism.structure_rows import OUTLIERS, component_layout, measured_fst

FIGURES = ("map", "fst", "distance", "spectrum", "linkage", "sample_size")
WIDTH, HEIGHT = 620, 380
LEAST_ON_MAP = 2  # countries
SPECTRUM_STEP = 2  # bins of copies [1, 2), [2, 4), [4, 8), ...


def save_figures(
    joined: BlockMeasures,
    panel: MeasuredPeople,
    known: ReferenceFigures,
    paths: Mapping[str, Path | str],
) -> None:
    """Write every figure of ``FIGURES``. The same measures give the same bytes.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
        known: Published and predicted figures.
        paths: The SVG file of each figure, by name.
    """
    charts = {
        "map": map_figure(joined, panel, known.countries),
        "fst": fst_figure(joined, known),
        "distance": distance_figure(joined, known),
        "spectrum": spectrum_figure(joined),
        "linkage": linkage_figure(joined),
        "sample_size": sample_size_figure(joined, panel),
    }
    for name in FIGURES:
        write_text(paths[name], vl_convert.vegalite_to_svg(charts[name].to_dict()))


def map_figure(
    joined: BlockMeasures, panel: MeasuredPeople, countries: Sequence[Country]
) -> alt.LayerChart:
    """Draw the principal components, rotated and scaled to fit the map, with each country's mean.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
        countries: The countries, with their positions on the map.
    """
    layout = component_layout(joined, panel, countries)
    if layout is None or len(layout.countries) < LEAST_ON_MAP:
        return _nothing(f"fewer than {LEAST_ON_MAP} countries with people to lay over the map")
    # Longitude and latitude in the proportions that they have in the middle of Europe.
    places = np.array([[c.longitude, c.latitude] for c in layout.countries])
    middle = np.cos(np.radians(places[:, 1].mean()))
    flat = places * [middle, 1]
    centres = fit_layout(layout.centroids, flat, layout.centroids)
    people = fit_layout(layout.centroids, flat, layout.people[["x", "y"]].to_numpy())
    dots = [{"x": x, "y": y, "what": "one person"} for x, y in people.round(2).tolist()]
    rows = [
        {"code": c.code, "x": float(x), "y": float(y), "x2": float(u), "y2": float(v)}
        for c, (x, y), (u, v) in zip(layout.countries, centres.round(2), flat.round(2), strict=True)
    ]
    x = alt.X("x:Q", title="First two components, fitted to the map: west to east", axis=_bare())
    y = alt.Y("y:Q", title="south to north", axis=_bare(), scale=alt.Scale(zero=False))
    cloud = chart_of(dots).mark_circle(size=9, opacity=0.25, color=MUTED).encode(x=x, y=y)
    lines = chart_of(rows).mark_rule(color=ACCENT, opacity=0.5)
    homes = chart_of(rows).mark_point(size=22, filled=True, color=ACCENT)
    names = chart_of(rows).mark_text(fontWeight=600, fontSize=11, color=INK)
    return _finished(
        layered(
            cloud,
            lines.encode(x="x:Q", y="y:Q", x2="x2:Q", y2="y2:Q"),
            homes.encode(x="x2:Q", y="y2:Q"),
            names.encode(x="x:Q", y="y:Q", text="code:N"),
        ),
        f"Principal components of {len(people)} people of {len(rows)} countries laid over the "
        "map. A line connects each country's mean with its position on the map.",
        height=WIDTH * 0.85,
    )


def fst_figure(joined: BlockMeasures, known: ReferenceFigures) -> alt.LayerChart:
    """Draw the F_ST of every pair of countries, measured against predicted.

    Args:
        joined: Sums over all blocks.
        known: Published and predicted figures.
    """
    ours, theirs = pair_values(measured_fst(joined)), pair_values(known.expected_fst)
    rows = [
        {"x": round(float(a), 6), "y": round(float(b), 6)}
        for a, b in zip(theirs, ours, strict=True)
        if np.isfinite(b)
    ]
    if not rows:
        return _nothing("no two countries whose F_ST was measured")
    end = max((max(row.values()) for row in rows), default=0.01)
    line = chart_of([{"x": 0, "y": 0}, {"x": end, "y": end}]).mark_line(color=RULE, strokeWidth=2)
    dots = chart_of(rows).mark_circle(size=26, opacity=0.6, color=ACCENT)
    x = alt.X("x:Q", title="F_ST predicted from the model")
    y = alt.Y("y:Q", title="F_ST measured")
    return _finished(
        layered(line.encode(x=x, y=y), dots.encode(x=x, y=y)),
        f"F_ST of {len(rows)} pairs of countries, measured against predicted.",
    )


def distance_figure(joined: BlockMeasures, known: ReferenceFigures) -> alt.LayerChart:
    """Draw the F_ST of every pair of countries against their distance in km.

    Args:
        joined: Sums over all blocks.
        known: Published and predicted figures.
    """
    km = country_distances_km(known.countries)
    codes = [country.code for country in known.countries]
    outlying = np.isin(codes, OUTLIERS)
    kind = np.where(outlying[:, None] | outlying, f"with {', '.join(OUTLIERS)}", "other pairs")
    triangle = np.triu_indices(len(codes), 1)
    rows = [
        {"x": round(float(a)), "y": round(float(b), 6), "pairs": str(c)}
        for a, b, c in zip(
            km[triangle], measured_fst(joined)[triangle], kind[triangle], strict=True
        )
        if np.isfinite(b)
    ]
    if not rows:
        return _nothing("no two countries whose F_ST was measured")
    dots = chart_of(rows).mark_circle(size=26, opacity=0.6)
    return _finished(
        layered(
            dots.encode(
                x=alt.X("x:Q", title="Kilometres between population centres"),
                y=alt.Y("y:Q", title="F_ST measured"),
                color=_two_colours("pairs", ["other pairs", f"with {', '.join(OUTLIERS)}"]),
            )
        ),
        f"F_ST of {len(rows)} pairs of countries against their distance.",
    )


def spectrum_figure(joined: BlockMeasures) -> alt.LayerChart:
    """Draw the share of sites by copies of the derived allele, with that of a constant population.

    Args:
        joined: Sums over all blocks.
    """
    inner = joined.spectrum[1:-1]
    copies = np.arange(1, len(inner) + 1)
    bins = np.floor(np.log2(copies)).astype(int)
    sums = np.bincount(bins, weights=inner)
    flat = np.bincount(bins, weights=1 / copies)
    share, constant = sums / max(sums.sum(), 1), flat / flat.sum()
    rows = [
        {"copies": SPECTRUM_STEP**i, "share": float(value), "what": what}
        for what, values in (("measured", share), ("constant size", constant))
        for i, value in enumerate(values)
        if value > 0
    ]
    lines = chart_of(rows).mark_line(point=True)
    return _finished(
        layered(
            lines.encode(
                x=alt.X(
                    "copies:Q",
                    title="Copies of the derived allele (from this number to twice as many)",
                    scale=alt.Scale(type="log", base=2),
                ),
                y=alt.Y("share:Q", title="Share of sites", axis=alt.Axis(format="%")),
                color=_two_colours("what", ["measured", "constant size"]),
            )
        ),
        f"Frequency spectrum of {len(inner) + 1} haplotypes, with that of a constant population.",
    )


def linkage_figure(joined: BlockMeasures) -> alt.LayerChart:
    """Draw the squared correlation of common variants by distance, with published ranges.

    Args:
        joined: Sums over all blocks.
    """
    with np.errstate(invalid="ignore"):
        mean = joined.linkage / joined.linkage_pairs
    rows = [
        {"kb": distance / 1000, "r2": float(value)}
        for distance, value in zip(LINKAGE_DISTANCES, mean, strict=True)
        if np.isfinite(value)
    ]
    ranges = [
        {"kb": distance / 1000, "low": low, "high": high}
        for distance, (low, high) in LINKAGE_RANGES.items()
    ]
    x = alt.X("kb:Q", title="Distance in kilobases", scale=alt.Scale(type="log"))
    y = alt.Y("r2:Q", title="Mean r² of genotypes")
    published = chart_of(ranges).mark_rule(color=SECOND, strokeWidth=5)
    return _finished(
        layered(
            chart_of(rows).mark_line(point=True, color=ACCENT).encode(x=x, y=y),
            published.encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
        ),
        "Linkage disequilibrium by distance. Bars show the published ranges at 5 and 100 kb.",
    )


def sample_size_figure(joined: BlockMeasures, panel: MeasuredPeople) -> alt.LayerChart:
    """Draw variable sites per megabase by number of people, with a published simulation.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
    """
    megabases = max(float(joined.bases) / MB, 1e-9)
    sizes = sample_sizes(len(panel.founders))
    series = {
        "this cohort": zip(sizes, joined.sites_by_size / megabases, strict=True),
        "published, chr21": ((n, sites / CHR21_MB) for n, sites in CHR21_SITES.items()),
    }
    rows = [
        {"people": people, "sites": round(float(sites), 1), "what": what}
        for what, values in series.items()
        for people, sites in values
        if sites > 0
    ]
    lines = chart_of(rows).mark_line(point=True)
    return _finished(
        layered(
            lines.encode(
                x=alt.X("people:Q", title="Unrelated people", scale=alt.Scale(type="log")),
                y=alt.Y("sites:Q", title="Variable sites per Mb", scale=alt.Scale(type="log")),
                color=_two_colours("what", list(series)),
            )
        ),
        "Variable sites per megabase by number of people.",
    )


def _nothing(why: str) -> alt.LayerChart:
    """Say in the place of a figure why there is none."""
    text = f"Nothing to show: {why}."
    words = chart_of([{"text": text}]).mark_text(fontSize=14, color=MUTED).encode(text="text:N")
    return _finished(layered(words), text, height=60)


def _bare() -> alt.Axis:
    return alt.Axis(labels=False, ticks=False, grid=False)


def _two_colours(field: str, names: Sequence[str]) -> alt.Color:
    scale = alt.Scale(domain=list(names), range=[ACCENT, SECOND])
    return alt.Color(f"{field}:N", title=None, scale=scale)


def _finished(chart: alt.LayerChart, description: str, height: float = HEIGHT) -> alt.LayerChart:
    axis = {"labelColor": MUTED, "titleColor": MUTED, "gridColor": RULE, "domainColor": RULE}
    sizes = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    return chart.properties(width=WIDTH, height=round(height), description=description).configure(
        background="white",
        font=FONT,
        view={"stroke": None},
        axis={**axis, **sizes, "tickColor": RULE},
        legend={"orient": "top", "labelColor": MUTED, "labelFontSize": 12, "symbolOpacity": 1},
    )
