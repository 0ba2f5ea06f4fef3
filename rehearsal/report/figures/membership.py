"""The figure of the membership attack under each protection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from rehearsal.attack.membership_table import (
    FALSE_POSITIVES,
    OPEN_NAME,
    PROMISED_POWER,
    PUBLIC_NAME,
    REGISTERED_NAME,
)
from rehearsal.realism.chart_style import chart_of, layered
from rehearsal.report.style import LIGHT, STILL_WIDTH, Palette, Width, vega_config


def power_figure(
    table: Sequence[Mapping[str, Any]], palette: Palette = LIGHT, width: Width = STILL_WIDTH
) -> alt.LayerChart:
    """Draw the power of the strongest attack against the number of queries, by protection.

    A dashed line marks the promised limit.

    Args:
        table: The rows of ``privacy.table`` in ``summary.json``.
        palette: Colours of the figure.
        width: Width in pixels, or ``container`` in the page.
    """
    points = strongest(table)
    names = list(dict.fromkeys(point["protection"] for point in points))
    colours = _colours(names, palette)
    base = chart_of(points).encode(
        x=alt.X(
            "queries:Q",
            title="Queries about one person",
            scale=alt.Scale(type="log"),
            axis=alt.Axis(values=sorted({point["queries"] for point in points}), grid=False),
        ),
        y=alt.Y(
            "power:Q",
            title=f"Members found at {FALSE_POSITIVES:.0%} false positives",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%"),
        ),
        color=alt.Color(
            "protection:N",
            title="Protection",
            sort=names,
            scale=alt.Scale(domain=names, range=[colours[name] for name in names]),
        ),
        tooltip=alt.Tooltip("tip:N"),
    )
    promise = (
        chart_of([{"power": PROMISED_POWER}])
        .mark_rule(color=palette.muted, strokeDash=[4, 4])
        .encode(y="power:Q")
    )
    chart = layered(promise, base.mark_line(strokeWidth=2), base.mark_circle(size=50, opacity=1))
    return chart.properties(
        width=width, height=300, description=_description(points, names)
    ).configure(**vega_config(palette))


def strongest(table: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Choose the attack with the highest power for each protection and number of queries.

    Args:
        table: The rows of ``privacy.table`` in ``summary.json``.

    Returns:
        One mapping per protection and number of queries: ``protection``, ``queries``, ``power``,
        ``attack`` and ``tip``, its tooltip.
    """
    best: dict[tuple[str, int], dict[str, Any]] = {}
    for row in table:
        key = row["protection"], row["queries"]
        if key not in best or row["power"] > best[key]["power"]:
            best[key] = {name: row[name] for name in ("protection", "queries", "power", "attack")}
    for point in best.values():
        point["tip"] = (
            f"{point['protection']}, {point['queries']:,} queries: {point['power']:.0%} found by "
            f"the attack {point['attack']}"
        )
    return list(best.values())


def _colours(names: Sequence[str], palette: Palette) -> dict[str, str]:
    fixed = {
        OPEN_NAME: palette.fail,
        PUBLIC_NAME: palette.accent,
        REGISTERED_NAME: palette.west,
    }
    steps = iter([palette.south, palette.east, palette.muted])
    return {name: fixed.get(name) or next(steps, palette.muted) for name in names}


def _description(points: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    most = {
        name: max(point["power"] for point in points if point["protection"] == name)
        for name in names
    }
    found = "; ".join(f"{name} {power:.0%}" for name, power in most.items())
    return f"Largest share of members that the strongest attack finds, by protection: {found}."
