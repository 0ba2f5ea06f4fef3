"""Figures of the federated association study: Manhattan, quantiles, methods against the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from rehearsal.genomes.assembly import KARYOTYPE_ORDER
from rehearsal.realism.chart_style import chart_of, layered
from rehearsal.report.figures.rendering import empty_figure
from rehearsal.report.style import LIGHT, STILL_WIDTH, Palette, Width, finished

NOTHING = "no variant was tested"
GENOME_WIDE = 5e-8
DRAWN_POINTS = 3_000  # of a figure; more make the page slow and show nothing new
HIDDEN = "hidden"  # the look of variants of which genotypes were hidden
LOOKS = ["0", "1", HIDDEN]  # contigs by turns, and the look of ``HIDDEN``
SMALL_P = 1e-2  # points below it are all drawn
LEAST_WIDTH = 0.05  # of a contig, as a share of the axis: few bases would have no room for a label
LEAST_DIFFERENCE = 1e-16  # that is drawn on a logarithmic axis
METHODS = {  # column, truth, name in the legend, colour of the palette, shape
    "meta_z": ("country_z", "Meta-analysis of countries", "south", "triangle-up"),
    "clear_z": ("clear_truth_z", "Joined sums, clear", "accent", "circle"),
    "masked_z": ("masked_truth_z", "Joined sums, masked", "west", "square"),
}


def manhattan_figure(
    table: pd.DataFrame, palette: Palette = LIGHT, width: Width = STILL_WIDTH
) -> alt.LayerChart:
    """Draw -log10 p of each variant along the simulated contigs.

    Of variants with larger p only a part is drawn. Contigs of few bases are drawn wider. Variants
    of which the rule for small counts changed genotypes are crosses of another colour.

    Args:
        table: ``gwas.parquet``.
        palette: Colours of the figure.
        width: Width in pixels, or ``container`` in the page.
    """
    tested = _tested(table)
    if tested.empty:
        return empty_figure(NOTHING, palette, width)
    small = tested["p"] < SMALL_P
    drawn = pd.concat([tested[small], _thinned(tested[~small])])
    places, middles = _places(tested)
    rows = [
        {
            "x": round(float(places[one.Index]), 5),
            "y": round(float(-np.log10(max(one.p, 1e-300))), 3),
            "looks": HIDDEN if one.hidden_people else f"{list(middles).index(one.contig) % 2}",
            "tip": f"{one.contig}:{one.position + 1:,} {one.ref}>{one.alt}, p = {one.p:.2g}"
            + (f", {int(one.hidden_people)} people hidden" if one.hidden_people else ""),
        }
        for one in drawn.itertuples()
    ]
    names = [{"x": x, "name": contig.removeprefix("chr")} for contig, x in middles.items()]
    colour = alt.Scale(domain=LOOKS, range=_looks(palette))
    shapes = alt.Scale(domain=LOOKS, range=["circle", "circle", "cross"])
    x = alt.X("x:Q", title="Contig", axis=alt.Axis(labels=False, ticks=False, grid=False))
    y = alt.Y("y:Q", title="−log₁₀ p", scale=alt.Scale(domainMin=0))
    label = chart_of(names).mark_text(color=palette.muted, fontSize=12, baseline="top", dy=6)
    line = chart_of([{"y": -np.log10(GENOME_WIDE)}]).mark_rule(strokeDash=[4, 4])
    chart = layered(
        line.encode(y="y:Q", color=alt.value(palette.muted)),
        chart_of(rows)
        .mark_point(filled=True, size=18, opacity=0.8, strokeWidth=0)
        .encode(
            x,
            y,
            alt.Color("looks:N", scale=colour, legend=None),
            shape=alt.Shape("looks:N", scale=shapes, legend=None),
            tooltip="tip:N",
        ),
        label.encode(x="x:Q", y=alt.value({"expr": "height"}), text="name:N"),
    )
    best = tested.loc[tested["p"].idxmin()]
    changed = int((tested["hidden_people"] > 0).sum())
    hidden = f" People are hidden in {changed:,} of them." if changed else ""
    described = (
        f"P-values of {len(tested):,} variants on {len(middles)} contigs. The smallest is "
        f"{best['p']:.2g} on {best['contig']}.{hidden} The dashed line is at {GENOME_WIDE:g}."
    )
    return finished(chart, palette, width, 300, described)


def _looks(palette: Palette) -> list[str]:
    return [palette.accent, palette.step2, palette.south]


def quantile_figure(
    table: pd.DataFrame, palette: Palette = LIGHT, width: Width = STILL_WIDTH
) -> alt.LayerChart:
    """Draw the sorted p-values against those expected if no variant had an effect.

    Args:
        table: ``gwas.parquet``.
        palette: Colours of the figure.
        width: Width in pixels, or ``container`` in the page.
    """
    tested = _tested(table)
    if tested.empty:
        return empty_figure(NOTHING, palette, width)
    observed = -np.log10(np.maximum(np.sort(tested["p"].to_numpy()), 1e-300))
    expected = -np.log10((np.arange(len(observed)) + 0.5) / len(observed))
    kept = np.unique(np.geomspace(1, len(observed), 600).astype(int) - 1)
    rows = [
        {"x": round(float(expected[i]), 4), "y": round(float(observed[i]), 4)}
        for i in kept.tolist()
    ]
    end = float(expected[0])
    line = chart_of([{"x": 0, "y": 0}, {"x": end, "y": end}])
    x = alt.X("x:Q", title="Expected −log₁₀ p", axis=alt.Axis(grid=False))
    y = alt.Y("y:Q", title="Observed −log₁₀ p")
    chart = layered(
        line.mark_line(color=palette.muted, strokeDash=[4, 4], strokeWidth=1).encode(x, y),
        chart_of(rows).mark_circle(size=22, opacity=0.9, color=palette.accent).encode(x, y),
    )
    described = (
        f"Quantiles of {len(observed):,} p-values against the uniform distribution. The largest "
        f"-log10 p is {observed[0]:.1f}, expected {end:.1f}."
    )
    return finished(chart, palette, width, 340, described)


def methods_figure(
    table: pd.DataFrame, palette: Palette = LIGHT, width: Width = STILL_WIDTH
) -> alt.LayerChart:
    """Draw how far each method is from the same kind of estimate by the truth's code.

    Joined sums are compared with the regression of all people after the rule for small counts, a
    meta-analysis of countries with that regression with an intercept by country.

    Args:
        table: ``gwas.parquet``.
        palette: Colours of the figure.
        width: Width in pixels, or ``container`` in the page.
    """
    rows = [row for column in METHODS for row in _differences(table, column)]
    if not rows:
        return empty_figure(NOTHING, palette, width)
    names = list(dict.fromkeys(row["method"] for row in rows))
    looks = {name: (colour, shape) for _, name, colour, shape in METHODS.values()}
    colours = alt.Scale(domain=names, range=[getattr(palette, looks[one][0]) for one in names])
    shapes = alt.Scale(domain=names, range=[looks[one][1] for one in names])
    chart = layered(
        chart_of(rows)
        .mark_point(filled=True, size=16, opacity=0.6, strokeWidth=0)
        .encode(
            alt.X("z:Q", title="z of all people together", axis=alt.Axis(grid=False)),
            alt.Y(
                "difference:Q",
                title="|Difference in z|",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(format=".0e", tickCount=8),
            ),
            alt.Color("method:N", title=None, scale=colours),
            shape=alt.Shape("method:N", title=None, scale=shapes),
        )
    )
    return finished(chart, palette, width, 340, _described_methods(rows, names))


def _described_methods(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    largest = {
        name: max(row["difference"] for row in rows if row["method"] == name) for name in names
    }
    told = "; ".join(f"{name.lower()} {value:.2g}" for name, value in largest.items())
    return f"Differences in z to all people together by method. The largest that is drawn: {told}."


def _differences(table: pd.DataFrame, column: str) -> Iterator[dict[str, Any]]:
    truth, name, _, _ = METHODS[column]
    if column not in table or truth not in table:
        return
    part = table[np.isfinite(table[column]) & np.isfinite(table[truth])]
    part = part.assign(difference=(part[column] - part[truth]).abs())
    part = part.sort_values("difference", ascending=False, kind="stable")
    for one in pd.concat([part.head(5), _thinned(part.iloc[5:], DRAWN_POINTS // 3)]).itertuples():
        difference = max(float(one.difference), LEAST_DIFFERENCE)
        yield {
            "z": round(float(getattr(one, truth)), 3),
            "difference": float(f"{difference:.2g}"),
            "method": name,
        }


def _tested(table: pd.DataFrame) -> pd.DataFrame:
    return table[np.isfinite(table["p"].astype(float))]


def _thinned(part: pd.DataFrame, most: int = DRAWN_POINTS) -> pd.DataFrame:
    return part.iloc[:: max(1, -(-len(part) // most))]


def _places(tested: pd.DataFrame) -> tuple[pd.Series, dict[str, float]]:
    """Place variants on one axis from 0 to 1, and find the middle of each contig."""
    spans = tested.groupby("contig")["position"].agg(["min", "max"])
    spans = spans.loc[sorted(spans.index, key=KARYOTYPE_ORDER.__getitem__)]
    length = (spans["max"] - spans["min"] + 1).astype(float)
    share = (length / length.sum()).clip(lower=LEAST_WIDTH)
    share = share / share.sum()
    start = share.cumsum() - share
    inside = (tested["position"] - tested["contig"].map(spans["min"])) / tested["contig"].map(
        length
    )
    places = tested["contig"].map(start) + inside * tested["contig"].map(share)
    return places, {str(name): float(start[name] + share[name] / 2) for name in spans.index}
