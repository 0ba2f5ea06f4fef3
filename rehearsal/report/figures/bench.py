"""Figures of the bench: latency against load, growth, and the cost of hung nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from rehearsal.evaluation.latency import ALL
from rehearsal.loadtest.collection_policy import AT_ONCE, JUST_HUNG, KNOWN, PARTIAL, SEQUENTIAL
from rehearsal.loadtest.growth.measure import NODES, PEOPLE, USERS
from rehearsal.realism.chart_style import chart_of, layered
from rehearsal.report.style import LIGHT, STILL_WIDTH, Palette, Width, finished, narrow

LEGEND = alt.Legend(labelLimit=400, columns=alt.ExprRef(**narrow(1, 6)))
SHARES = {"p50_ms": "50% of queries", "p95_ms": "95%", "p99_ms": "99%"}
CONTROL = "control, 99%"
AXES = {NODES: "Nodes", PEOPLE: "People at all nodes together", USERS: "Users at once"}
POLICY_NAMES = {
    SEQUENTIAL: "one after another, 5 s each",
    AT_ONCE: "all at once",
    PARTIAL: "all at once, partial",
}


def load_figure(
    load: pd.DataFrame,
    knee: Mapping[str, Any],
    palette: Palette = LIGHT,
    width: Width = STILL_WIDTH,
) -> alt.LayerChart:
    """Draw latency from the planned time against the rate, with the objective and the knee.

    Only steps with connections kept open are drawn. Of several steps at one rate the best is
    drawn: a disturbance of the machine makes a step slower, never faster.

    Args:
        load: ``load.parquet``.
        knee: ``knee.json``: the highest rate that met the objective.
        palette: Colours of the figure.
        width: Width in pixels, or ``container`` in the page.
    """
    points = _load_points(load)
    names = [*SHARES.values(), CONTROL]
    colours = [palette.step2, palette.step4, palette.ink, palette.muted]
    base = chart_of(points).encode(
        x=alt.X(
            "rate_per_s:Q",
            title="Queries per second",
            scale=alt.Scale(type="log", nice=False),
            axis=alt.Axis(values=sorted({round(p["rate_per_s"], 1) for p in points}), grid=False),
        ),
        y=alt.Y("ms:Q", title="Latency in ms", scale=alt.Scale(type="log")),
        color=alt.Color(
            "share:N",
            title="Answered within",
            legend=LEGEND,
            sort=names,
            scale=alt.Scale(domain=names, range=colours),
        ),
        tooltip=alt.Tooltip("tip:N"),
    )
    limits = [{"ms": knee["objective"]["p99_ms"]}]
    marks = [_rule(limits, palette).encode(y="ms:Q")]
    if knee["held_per_s"] is not None:
        held = [{"rate_per_s": knee["held_per_s"]}]
        marks.append(_rule(held, palette).encode(x="rate_per_s:Q"))
    chart = layered(*marks, base.mark_line(strokeWidth=2), base.mark_circle(size=50, opacity=1))
    return finished(chart, palette, width, 320, _load_words(knee))


def _load_points(load: pd.DataFrame) -> list[dict[str, Any]]:
    whole = load[(load["kind"] == ALL) & (load["role"] == ALL) & (load["connections"] == "warm")]
    best = whole.sort_values("p99_ms").drop_duplicates("rate_per_s").sort_values("rate_per_s")
    columns = {**SHARES, "control_p99_ms": CONTROL}
    return [
        {
            "rate_per_s": row["rate_per_s"],
            "ms": row[column],
            "share": name,
            "tip": f"{row['rate_per_s']:.3g} per second: {name} within {row[column]:,.0f} ms",
        }
        for row in best.to_dict("records")
        for column, name in columns.items()
        if pd.notna(row[column])
    ]


def _load_words(knee: Mapping[str, Any]) -> str:
    if knee["held_per_s"] is None:
        return "Latency against load. No rate met the objective."
    rate = f"{knee['held_per_s']:.3g} queries per second"
    return f"Latency against load. The objective was met up to {rate}."


def _rule(values: list[dict[str, Any]], palette: Palette) -> alt.Chart:
    return chart_of(values).mark_rule(color=palette.muted, strokeDash=[4, 4])


def growth_figure(
    growth: pd.DataFrame,
    fits: pd.DataFrame,
    axis: str,
    palette: Palette = LIGHT,
    width: Width = STILL_WIDTH,
) -> alt.LayerChart:
    """Draw median latency and CPU time per query against nodes, people or users.

    Args:
        growth: ``growth.parquet``.
        fits: ``growth_fits.parquet``: exponents of power laws.
        axis: What grows: a key of ``AXES``.
        palette: Colours of the figure.
        width: Width in pixels, or ``container`` in the page.
    """
    measures = {
        "p50_ms": "median latency",
        "network_cpu_ms_per_query": "CPU time of the network",
        "nodes_cpu_ms_per_query": "CPU time of all nodes",
    }
    steps = growth[growth["axis"] == axis].sort_values(axis)
    slopes = fits[fits["axis"] == axis].set_index("measure")["exponent"]
    names = {
        column: f"{name}, exponent {slopes[column]:.2f}" if column in slopes else name
        for column, name in measures.items()
    }
    points = [
        {
            "x": row[axis],
            "ms": row[column],
            "measure": names[column],
            "tip": f"{row[axis]:,} {axis}: {name} {row[column]:,.1f} ms",
        }
        for row in steps.to_dict("records")
        for column, name in measures.items()
        if row[column] > 0  # zero and NaN have no logarithm
    ]
    base = chart_of(points).encode(
        x=alt.X(
            "x:Q",
            title=AXES[axis],
            scale=alt.Scale(type="log", nice=False),
            axis=alt.Axis(values=steps[axis].tolist(), grid=False, format=","),
        ),
        y=alt.Y("ms:Q", title="ms per query", scale=alt.Scale(type="log")),
        color=alt.Color(
            "measure:N",
            title=None,
            legend=LEGEND,
            sort=list(names.values()),
            scale=alt.Scale(
                domain=list(names.values()), range=[palette.ink, palette.accent, palette.south]
            ),
        ),
        tooltip=alt.Tooltip("tip:N"),
    )
    chart = layered(base.mark_line(strokeWidth=2), base.mark_circle(size=50, opacity=1))
    words = "; ".join(dict.fromkeys(point["tip"] for point in points[-len(measures) :]))
    return finished(
        chart, palette, width, 300, f"Growth with the number of {axis}. At its largest: {words}."
    )


def policy_figure(
    policy: pd.DataFrame, palette: Palette = LIGHT, width: Width = STILL_WIDTH
) -> alt.LayerChart:
    """Draw the median time of a query by way of collecting, number of hung nodes and phase.

    Args:
        policy: ``policy.parquet``.
        palette: Colours of the figure.
        width: Width in pixels, or ``container`` in the page.
    """
    phases = {JUST_HUNG: "just now", KNOWN: ""}
    rows = []
    for row in policy.sort_values(["hung", "phase"]).to_dict("records"):
        which = f", {phases[row['phase']]}" if phases[row["phase"]] else ""
        rows.append(
            {
                "policy": POLICY_NAMES[row["policy"]],
                "case": f"{row['hung']} hung{which}",
                "seconds": row["p50_ms"] / 1000,
                "text": f"{row['p50_ms'] / 1000:.2f} s",
            }
        )
    names = list(POLICY_NAMES.values())
    colours = [palette.fail, palette.accent, palette.step2]
    base = chart_of(rows).encode(
        y=alt.Y("case:N", title=None, sort=list(dict.fromkeys(row["case"] for row in rows))),
        yOffset=alt.YOffset("policy:N", sort=names),
        x=alt.X("seconds:Q", title="Seconds until the answer (median)"),
    )
    bars = base.mark_bar().encode(
        color=alt.Color(
            "policy:N",
            title=None,
            legend=LEGEND,
            sort=names,
            scale=alt.Scale(domain=names, range=colours),
        )
    )
    labels = base.mark_text(align="left", dx=4).encode(text="text:N")
    worst = max(rows, key=lambda row: row["seconds"])
    words = (
        f"Time of a query while nodes hang. The longest is {worst['text']}: {worst['policy']}, "
        f"{worst['case']}."
    )
    return finished(layered(bars, labels), palette, width, alt.Step(20), words)
