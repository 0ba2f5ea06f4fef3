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
from rehearsal.realism.block_structure import ALL
from rehearsal.realism.frequency_spectrum import spectrum_shares
from rehearsal.report.style import LIGHT, STILL_WIDTH, Palette, Width, finished, narrow
from rehearsal.report.tables import REGIONS, country_href, region_of

SHAPES = dict(zip(REGIONS, ("circle", "square", "diamond", "triangle-up"), strict=True))
DRAWN_PEOPLE = 4_000  # dots in a scatter plot; a page with more is slow and shows no more


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
        ),
        tooltip=alt.Tooltip("tip:N"),
        description=alt.Description("tip:N"),
        **({"href": "href:N"} if linked else {}),
    )
    names = base.mark_text(
        dy=alt.ExprRef(**narrow(-10, -15)), fontSize=alt.ExprRef(**narrow(9, 11)), fontWeight=600
    ).encode(longitude="longitude:Q", latitude="latitude:Q", text="node:N")
    chart = alt.layer(grid, links, dots, names).project(
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
                "href": country_href(country.code),
                "tip": (
                    f"{country.name}: {row['people']:,} people, median {_ms(median)}, "
                    f"99th percentile {_ms(row['p99_ms'])}, distance applied {_ms(row['rtt_ms'])}, "
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


def spectrum_figure(
    spectrum: pd.DataFrame,
    countries: Sequence[Country],
    palette: Palette = LIGHT,
    width: Width = STILL_WIDTH,
) -> alt.LayerChart:
    """The transformed frequency spectrum (Achaz 2009) of the cohort and of each country.

    Drawn is the number of alleles with i copies, divided by what a population of constant size
    has, which is in proportion to 1/i: such a population gives a level line (the dashed one, at
    Watterson's estimate for the cohort). Growth lifts the left end, a bottleneck lowers it. Copy
    numbers are pooled over doublings. ``spectrum`` comes from ``pca.frequency_spectrum``.
    """
    region = {country.code: region_of(country) for country in countries}
    names = {country.code: country.name for country in countries} | {ALL: WHOLE}
    parts = [_transformed(part, names, region) for _, part in spectrum.groupby("group", sort=False)]
    level = float(_watterson(spectrum[spectrum["group"] == ALL]))
    domain = [WHOLE, *(name for name in REGIONS if name in region.values())]
    colour = alt.Color(
        "region:N",
        title=None,
        scale=alt.Scale(
            domain=domain, range=[palette.ink, *(palette.region(name) for name in domain[1:])]
        ),
    )
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
    each = _lines([row for part in parts[1:] for row in part])
    cohort = _lines(parts[0])
    chart = alt.layer(
        alt.Chart(alt.InlineData(values=[{"alleles": level}]))
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
            "population of constant size, on logarithmic axes, a line for each country; "
            f"{shares.loc[ALL, 'singleton_share']:.0%} of the alleles were seen once."
        ),
    )


WHOLE = "All countries"


def _lines(rows: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows))


def _transformed(
    part: pd.DataFrame, names: Mapping[str, str], region: Mapping[str, str]
) -> list[dict[str, Any]]:
    """One group's alleles over the expectation 1/i, in bins of copies [1, 2), [2, 4), [4, 8), …"""
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
    """Watterson's estimate: alleles over the sum of 1/i for i from 1 to haplotypes - 1."""
    return pooled["alleles"].sum() / np.sum(1 / np.arange(1, pooled["haplotypes"].iloc[0]))


def pca_figure(
    components: pd.DataFrame,
    countries: Sequence[Country],
    palette: Palette = LIGHT,
    width: Width = STILL_WIDTH,
) -> alt.LayerChart:
    """People on the first two principal components, coloured by region, countries named.

    A country's dot stands at its median; its code is moved aside where others are near.
    ``components`` comes from ``pca.principal_components``.
    """
    region = {country.code: region_of(country) for country in countries}
    present = [name for name in REGIONS if name in region.values()]
    domain = alt.Scale(domain=present, range=[palette.region(name) for name in present])
    shapes = alt.Scale(domain=present, range=[SHAPES[name] for name in present])
    colour = alt.Color("region:N", title=None, scale=domain)
    first, second = components.attrs["shares"][:2]
    x, y = (
        field(
            title=f"{axis} ({share:.2%} of the variance)",
            scale=alt.Scale(zero=False, padding=12),
            axis=alt.Axis(grid=False, tickCount=5),
        )
        for field, axis, share in (
            (lambda **more: alt.X("x:Q", **more), "PC1", first),
            (lambda **more: alt.Y("y:Q", **more), "PC2", second),
        )
    )
    drawn = components.iloc[:: math.ceil(len(components) / DRAWN_PEOPLE)]
    people = alt.Chart(alt.InlineData(values=_person_dots(drawn, region)))
    labels = alt.Chart(alt.InlineData(values=_country_labels(components, countries)))
    at_label = {"x": alt.X("label_x:Q"), "y": alt.Y("label_y:Q"), "text": "code:N"}
    letters = {"fontSize": alt.ExprRef(**narrow(8, 12)), "fontWeight": 700}
    chart = alt.layer(
        people.mark_point(filled=True, size=14, opacity=0.45, strokeWidth=0).encode(
            x, y, colour, shape=alt.Shape("region:N", scale=shapes)
        ),
        labels.mark_rule(color=palette.muted).encode(x, y, x2="label_x:Q", y2="label_y:Q"),
        labels.mark_circle(size=50, opacity=1, stroke=palette.paper).encode(x, y, colour),
        labels.mark_text(**letters, stroke=palette.paper, strokeWidth=4, strokeJoin="round").encode(
            **at_label
        ),
        labels.mark_text(**letters).encode(**at_label, tooltip="tip:N"),
    )
    return finished(
        chart,
        palette,
        width,
        height=520,
        description=(
            f"Scatter plot of {len(drawn):,} people on two principal components of "
            f"{components.attrs['sites']:,} variants, explaining {first:.2%} and {second:.2%} of "
            f"the variance; {components['country'].nunique()} countries named at their medians."
        ),
    )


def _person_dots(people: pd.DataFrame, region: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"x": round(x, 4), "y": round(y, 4), "region": region[code]}
        for code, x, y in people[["country", "PC1", "PC2"]].itertuples(index=False)
    ]


def _country_labels(components: pd.DataFrame, countries: Sequence[Country]) -> list[dict[str, Any]]:
    """Each country's median and the place of its code."""
    named = {country.code: country for country in countries}
    axes = components[["PC1", "PC2"]]
    medians = components.groupby("country", sort=True)[["PC1", "PC2"]].median()
    pixels = np.array([640.0, 460.0]) / (axes.max() - axes.min()).to_numpy()
    places = spread(medians.to_numpy() * pixels, np.array([24.0, 15.0])) / pixels
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


def spread(points: np.ndarray, box: np.ndarray, rounds: int = 400) -> np.ndarray:
    """Places for labels of size ``box`` near ``points`` (both in pixels) that do not overlap.

    Labels start above their points; two that overlap are pushed apart along the axis on which
    they overlap less. No overlap is left unless ``rounds`` do not suffice.
    """
    places = points + np.array([0.0, 0.8 * box[1]])
    # Equal points would be pushed nowhere: a golden-angle spiral parts them, the same every time.
    angle = np.arange(len(points)) * 2.399963
    places = places + 0.01 * np.column_stack([np.cos(angle), np.sin(angle)])
    for _ in range(rounds):
        gap = places[:, None] - places[None, :]
        overlap = box - np.abs(gap)
        overlap[(overlap <= 0).any(axis=2)] = 0
        overlap[np.diag_indices(len(places))] = 0
        if not overlap.any():
            break
        along = (overlap <= overlap[..., ::-1]) * overlap
        places = places + 0.3 * (np.sign(gap) * along).sum(axis=1)
    return places


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
    kinds: pd.DataFrame, palette: Palette = LIGHT, width: Width = STILL_WIDTH
) -> alt.LayerChart:
    """Latency of the joined answer of all nodes, by kind of query, from ``tables.kind_table``."""
    table = kinds.dropna(subset=["p50_ms"]).sort_values(["p50_ms", "kind"])
    labels = table["kind"].replace({"all": "all kinds"}).str.replace("_", " ")
    return _latency_ranges(table.assign(label=labels), "kinds of query", palette, width)


# column, name in the legend, colour of the palette, shape
LATENCY_MARKS = (
    ("rtt_ms", "Distance", "south", "diamond"),
    ("p50_ms", "Median", "accent", "circle"),
    ("p95_ms", "p95", "step3", "square"),
    ("p99_ms", "p99", "ink", "triangle-left"),
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


def vega_specification(chart: alt.LayerChart) -> dict[str, Any]:
    """The chart compiled to Vega, so that the reader's browser need not do it."""
    return vl_convert.vegalite_to_vega(chart.to_dict())


def save_still(chart: alt.LayerChart, path: Path | str) -> None:
    """Writes the chart as an SVG file that needs nothing else, on paper of its own."""
    specification = chart.to_dict() | {"background": LIGHT.paper}
    with written_aside(path) as aside:
        aside.write_text(vl_convert.vegalite_to_svg(specification), encoding="utf-8")
