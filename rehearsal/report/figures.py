"""The report's figures as Vega-Lite charts.

A figure takes its data, a ``Palette`` and a width (pixels, or ``container`` in the page) and
returns an Altair chart with a description for those who do not see it. Nothing is fetched.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from rehearsal.files import written_aside
from rehearsal.model import Country
from rehearsal.report.pca import Components
from rehearsal.report.spectrum import ALL, REGIONS, region_of
from rehearsal.report.style import LIGHT, Palette, Width, vega_config
from rehearsal.report.summary import NETWORK

STILL_WIDTH = 720
SHAPES = dict(zip(REGIONS, ("circle", "square", "diamond", "triangle-up"), strict=True))
DRAWN_PEOPLE = 4_000  # dots in a scatter plot; a page with more is slow and shows no more


def latency_map(
    countries: Sequence[Country],
    nodes: pd.DataFrame,
    asker: str,
    palette: Palette = LIGHT,
    width: Width = STILL_WIDTH,
) -> alt.LayerChart:
    """The nodes on a map of Europe: size by people, colour by median latency, links to the asker.

    ``nodes`` comes from ``tables.node_table``: node, people, p50_ms, p99_ms, rtt_ms, problems.
    Lambert's azimuthal equal-area projection about 52° N 10° E, as European statistics use.
    """
    rows, classes = _map_rows(countries, nodes, asker)
    colours = dict(zip(classes, palette.steps, strict=False))
    if any(row["class"] == TROUBLE for row in rows):
        colours[TROUBLE] = palette.fail
    grid = alt.Chart(
        alt.Data(graticule={"step": [5, 5], "extent": _extent(countries), "precision": 1})
    ).mark_geoshape(filled=False, stroke=palette.rule, strokeWidth=0.8)
    base = alt.Chart(alt.InlineData(values=rows))
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
            legend=alt.Legend(symbolOpacity=1, symbolStrokeWidth=0),
        ),
        tooltip=alt.Tooltip("tip:N"),
    )
    names = base.mark_text(dy=-15, fontSize=11, fontWeight=600).encode(
        longitude="longitude:Q", latitude="latitude:Q", text="node:N"
    )
    chart = alt.layer(grid, links, dots, names).project(
        type="azimuthalEqualArea", rotate=[-10, -52, 0]
    )
    slowest = max(rows, key=lambda row: row["p50_ms"] or 0.0)
    return _finished(
        chart,
        palette,
        width,
        height="container" if width == "container" else round(width * 0.95),
        description=(
            f"Map of {len(rows)} nodes asked from {asker}. The slowest is {slowest['name']} with a "
            f"median of {_ms(slowest['p50_ms'])}; "
            f"{sum(row['class'] == TROUBLE for row in rows)} nodes have wrong or missing answers."
        ),
    )


TROUBLE = "wrong or missing answers"


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
        troubled = median is None or row["problems"] > 0
        band = TROUBLE if troubled else names[int(np.searchsorted(edges, median, "right")) - 1]
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
                "tip": (
                    f"{country.name}: {row['people']:,} people, median {_ms(median)}, "
                    f"99th percentile {_ms(row['p99_ms'])}, distance applied {_ms(row['rtt_ms'])}, "
                    f"{row['problems']:.0f} wrong or missing"
                ),
            }
        )
    return rows, names


def _extent(countries: Sequence[Country]) -> list[list[float]]:
    """Whole 5° cells around all countries, as [[west, south], [east, north]]."""
    longitudes = [country.longitude for country in countries]
    latitudes = [country.latitude for country in countries]
    west, south = (math.floor((min(v) - 1.5) / 5) * 5 for v in (longitudes, latitudes))
    east, north = (math.ceil((max(v) + 1.5) / 5) * 5 for v in (longitudes, latitudes))
    # Half a thousandth of a degree, so that the outermost lines themselves are drawn.
    return [[west - 0.0005, south - 0.0005], [east + 0.0005, north + 0.0005]]


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
        return alt.value(190)
    scale = alt.Scale(type="sqrt", domain=[0, max(people)], range=[60, 700])
    return alt.Size("people:Q", title="People", scale=scale, legend=None)


def spectrum_figure(
    spectrum: pd.DataFrame, palette: Palette = LIGHT, width: Width = STILL_WIDTH
) -> alt.LayerChart:
    """Alleles per copy number against frequency, log-log, the whole cohort and its regions.

    Points are means over doublings of the copy number, so that sparse counts stay readable. The
    dashed line is what a population of constant size has: alleles in proportion to 1/copies, with
    as many alleles in all (Fu 1995).
    """
    binned = pd.concat(
        [
            _binned(part)
            for level, part in spectrum.groupby(["level", "group"], sort=False)
            if level[0] in (ALL, "region")
        ]
    )
    binned["group"] = binned["group"].replace({ALL: "All countries"})
    domain = list(dict.fromkeys(binned["group"]))
    colours = [palette.ink, *(palette.region(name) for name in domain[1:])]
    x = alt.X(
        "frequency:Q",
        title="Derived allele frequency",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="~p", grid=False, tickCount=6),
    )
    y = alt.Y(
        "density:Q",
        title="Alleles per copy number",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="~s", tickCount=6),
    )
    base = alt.Chart(alt.InlineData(values=binned.to_dict("records"))).encode(
        x=x,
        y=y,
        color=alt.Color("group:N", title=None, scale=alt.Scale(domain=domain, range=colours)),
        tooltip=alt.Tooltip("tip:N"),
    )
    neutral = alt.Chart(alt.InlineData(values=_neutral(spectrum))).mark_line(
        color=palette.muted, strokeDash=[4, 4], strokeWidth=1.2
    )
    chart = alt.layer(
        neutral.encode(x=x, y=y),
        base.mark_line(strokeWidth=1.6),
        base.mark_circle(size=28, opacity=1),
    )
    pooled = spectrum[spectrum["level"] == ALL]
    singles = pooled.loc[pooled["copies"] == 1, "alleles"].sum() / max(1, pooled["alleles"].sum())
    return _finished(
        chart,
        palette,
        width,
        height=360,
        description=(
            f"Allele-frequency spectrum of {pooled['alleles'].sum():,} alleles on logarithmic "
            f"axes, falling from rare to common; {singles:.0%} were seen once."
        ),
    )


def _binned(part: pd.DataFrame) -> pd.DataFrame:
    """Mean alleles per copy number in bins [1, 2), [2, 4), [4, 8), …"""
    haplotypes = int(part["haplotypes"].iloc[0])
    bins = np.floor(np.log2(part["copies"])).astype(int)
    sums = part.groupby(bins)["alleles"].sum()
    low = 2 ** sums.index.to_numpy()
    high = np.minimum(2 * low, haplotypes)
    middle = np.sqrt(low * (high - 1.0))
    density = sums.to_numpy() / (high - low)
    label = [f"{a}" if a == b else f"{a}–{b}" for a, b in zip(low, high - 1, strict=True)]
    group = part["group"].iloc[0]
    name = "All countries" if group == ALL else group
    return pd.DataFrame(
        {
            "group": group,
            "frequency": [float(f"{value:.4g}") for value in middle / haplotypes],
            "density": [float(f"{value:.4g}") for value in density],
            "tip": [
                f"{name}: {count:,} alleles with {copies} of {haplotypes:,} copies"
                for count, copies in zip(sums, label, strict=True)
            ],
        }
    )


def _neutral(spectrum: pd.DataFrame) -> list[dict[str, float]]:
    pooled = spectrum[spectrum["level"] == ALL]
    haplotypes = int(pooled["haplotypes"].iloc[0])
    theta = pooled["alleles"].sum() / np.sum(1 / np.arange(1, haplotypes))
    return [
        {"frequency": copies / haplotypes, "density": float(theta / copies)}
        for copies in (1, haplotypes - 1)
    ]


def pca_figure(
    components: Components,
    countries: Sequence[Country],
    palette: Palette = LIGHT,
    width: Width = STILL_WIDTH,
) -> alt.LayerChart:
    """People on the first two principal components, coloured by region, countries named.

    A country's code stands at its median. The second axis is drawn upright and the first across.
    """
    region = {country.code: region_of(country) for country in countries}
    names = {country.code: country.name for country in countries}
    scores = components.scores
    people = _thinned(scores)
    medians = scores.groupby("country", sort=False)[["PC1", "PC2"]].median().reset_index()
    present = [name for name in REGIONS if name in set(scores["country"].map(region))]
    colour = alt.Color(
        "region:N",
        title=None,
        scale=alt.Scale(domain=present, range=[palette.region(name) for name in present]),
    )
    shape = alt.Shape(
        "region:N", scale=alt.Scale(domain=present, range=[SHAPES[name] for name in present])
    )
    shares = components.shares.set_index("component")["share"]
    axes = {
        axis: alt.Axis(grid=False, tickCount=5, format="~g", zindex=0) for axis in ("PC1", "PC2")
    }
    scale = alt.Scale(zero=False, nice=True, padding=12)
    x = alt.X("x:Q", title=f"PC1 ({shares['PC1']:.2%})", scale=scale, axis=axes["PC1"])
    y = alt.Y("y:Q", title=f"PC2 ({shares['PC2']:.2%})", scale=scale, axis=axes["PC2"])
    dots = (
        alt.Chart(alt.InlineData(values=_dots(people, region)))
        .mark_point(filled=True, size=14, opacity=0.55, strokeWidth=0)
        .encode(x=x, y=y, color=colour, shape=shape)
    )
    labels = alt.Chart(alt.InlineData(values=_dots(medians, region, names))).encode(x=x, y=y)
    halo = labels.mark_text(
        fontSize=12, fontWeight=700, stroke=palette.paper, strokeWidth=4, strokeJoin="round"
    ).encode(text="code:N")
    text = labels.mark_text(fontSize=12, fontWeight=700).encode(
        text="code:N", tooltip=alt.Tooltip("tip:N")
    )
    return _finished(
        alt.layer(dots, halo, text),
        palette,
        width,
        height=480,
        description=(
            f"Scatter plot of {len(people):,} people on two principal components of "
            f"{components.shares['sites'].iloc[0]:,} variants, explaining {shares['PC1']:.2%} and "
            f"{shares['PC2']:.2%} of the variance; {len(medians)} countries named at their medians."
        ),
    )


def _thinned(scores: pd.DataFrame) -> pd.DataFrame:
    step = math.ceil(len(scores) / DRAWN_PEOPLE)
    return scores.iloc[::step]


def _dots(
    table: pd.DataFrame, region: Mapping[str, str], names: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    rows = [
        {"x": round(x, 4), "y": round(y, 4), "region": region[code]}
        for code, x, y in table[["country", "PC1", "PC2"]].itertuples(index=False)
    ]
    if names is not None:
        for row, code in zip(rows, table["country"], strict=True):
            row |= {"code": code, "tip": f"{names[code]} (median), {row['region']}"}
    return rows


def node_latency_figure(
    nodes: pd.DataFrame, palette: Palette = LIGHT, width: Width = STILL_WIDTH
) -> alt.LayerChart:
    """Latency of every node: median, 95th and 99th percentile, and the distance applied.

    ``nodes`` comes from ``tables.node_table``; the fastest stands first.
    """
    table = (
        nodes.dropna(subset=["p50_ms"])
        .sort_values(["p50_ms", "node"])
        .rename(columns={"name": "label"})
    )
    return _latency_ranges(table, "countries", palette, width)


def kind_latency_figure(
    latency: pd.DataFrame, palette: Palette = LIGHT, width: Width = STILL_WIDTH
) -> alt.LayerChart:
    """Latency of the joined answer of all nodes, by kind of query, from latency.parquet."""
    table = latency[latency["node"] == NETWORK].sort_values(["p50_ms", "kind"])
    return _latency_ranges(
        table.assign(label=table["kind"].str.replace("_", " ")), "query kinds", palette, width
    )


# column, name in the legend, colour of the palette, shape
LATENCY_MARKS = (
    ("rtt_ms", "Distance applied", "south", "diamond"),
    ("p50_ms", "Median", "accent", "circle"),
    ("p95_ms", "95th percentile", "step4", "square"),
    ("p99_ms", "99th percentile", "ink", "triangle-left"),
)


def _latency_ranges(
    table: pd.DataFrame, what: str, palette: Palette, width: Width
) -> alt.LayerChart:
    marks = [mark for mark in LATENCY_MARKS if mark[0] in table]
    rows = table[["label", *(mark[0] for mark in marks)]].round(3).to_dict("records")
    names = [name for _, name, _, _ in marks]
    y = alt.Y(
        "label:N",
        sort=list(table["label"]),
        title=None,
        axis=alt.Axis(domain=False, ticks=False, labelColor=palette.ink, labelLimit=130),
    )
    span = alt.Chart(alt.InlineData(values=rows)).mark_rule(strokeWidth=2, color=palette.step2)
    points = alt.Chart(alt.InlineData(values=list(_latency_points(rows, marks)))).mark_point(
        filled=True, opacity=1, size=48, strokeWidth=0
    )
    colours = alt.Scale(domain=names, range=[getattr(palette, mark[2]) for mark in marks])
    chart = alt.layer(
        span.encode(x=alt.X("p50_ms:Q", title="Milliseconds"), x2="p99_ms:Q", y=y),
        points.encode(
            x=alt.X("ms:Q", title="Milliseconds", scale=alt.Scale(zero=True)),
            y=y,
            color=alt.Color("mark:N", title=None, scale=colours),
            shape=alt.Shape("mark:N", scale=alt.Scale(domain=names, range=[m[3] for m in marks])),
            tooltip=alt.Tooltip("tip:N"),
        ),
    )
    return _finished(
        chart,
        palette,
        width,
        height=alt.Step(19),
        description=(
            f"Latency of {len(table)} {what}: medians from {_ms(table['p50_ms'].min())} to "
            f"{_ms(table['p50_ms'].max())} ({table['label'].iloc[-1]}); the largest 99th "
            f"percentile is {_ms(table['p99_ms'].max())}."
        ),
    )


def _latency_points(
    rows: Sequence[Mapping[str, Any]], marks: Sequence[tuple[str, str, str, str]]
) -> Iterator[dict[str, Any]]:
    """A row for every mark, each with all figures of its row in words."""
    for row in rows:
        tip = ", ".join(f"{name.lower()} {_ms(row[field])}" for field, name, _, _ in marks)
        for field, name, _, _ in marks:
            yield {
                "label": row["label"],
                "mark": name,
                "ms": row[field],
                "tip": f"{row['label']}: {tip}",
            }


def _ms(value: float | None) -> str:
    """Milliseconds to three digits, as a person reads them."""
    if value is None or pd.isna(value):
        return "none"
    return f"{value:.0f} ms" if value >= 100 else f"{value:.3g} ms"


def _finished(
    chart: alt.LayerChart, palette: Palette, width: Width, height: Any, description: str
) -> alt.LayerChart:
    return chart.properties(width=width, height=height, description=description).configure(
        **vega_config(palette)
    )


def vega_specification(chart: alt.LayerChart) -> dict[str, Any]:
    """The chart compiled to Vega, so that the reader's browser need not do it."""
    return vl_convert.vegalite_to_vega(chart.to_dict())


def save_still(chart: alt.LayerChart, path: Path | str) -> None:
    """Writes the chart as an SVG file that needs nothing else."""
    with written_aside(path) as aside:
        aside.write_text(vl_convert.vegalite_to_svg(chart.to_dict()), encoding="utf-8")
