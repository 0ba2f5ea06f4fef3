"""The figure of the attacks on membership and diagnoses, before and after protection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from rehearsal.attack.membership_table import FALSE_POSITIVES, PROMISED_POWER
from rehearsal.realism.chart_style import chart_of, layered
from rehearsal.report.style import LIGHT, STILL_WIDTH, Palette, Width, vega_config

RULES = {
    "power_none": "no protection",
    "power_earlier": "earlier rules",
    "power_today": "public tier",
}


def power_figure(
    table: Sequence[Mapping[str, Any]], palette: Palette = LIGHT, width: Width = STILL_WIDTH
) -> alt.LayerChart:
    """Draw the power of each attack without protection, by the earlier rules, and today.

    A dashed line marks the promised limit.

    Args:
        table: The rows of ``privacy.table`` in ``summary.json``.
        palette: Colours of the figure.
        width: Width in pixels, or ``container`` in the page.

    Returns:
        The chart.
    """
    points = strongest(table)
    names = list(dict.fromkeys(point["attack"] for point in points))
    base = chart_of(points).encode(
        y=alt.Y("attack:N", title=None, sort=names, axis=alt.Axis(labelLimit=320)),
        x=alt.X(
            "power:Q",
            title=f"Targets found at {FALSE_POSITIVES:.0%} false positives",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%"),
        ),
        color=alt.Color(
            "rules:N",
            title="Answers",
            sort=list(RULES.values()),
            scale=alt.Scale(
                domain=list(RULES.values()), range=[palette.fail, palette.south, palette.accent]
            ),
        ),
        tooltip=alt.Tooltip("tip:N"),
    )
    promise = (
        chart_of([{"power": PROMISED_POWER}])
        .mark_rule(color=palette.muted, strokeDash=[4, 4])
        .encode(x="power:Q")
    )
    chart = layered(promise, base.mark_circle(size=70, opacity=1))
    return chart.properties(
        width=width, height=alt.Step(20), description=_description(points)
    ).configure(**vega_config(palette))


def strongest(table: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Choose the attacker with the highest power, for each attack and each kind of answers.

    Args:
        table: The rows of ``privacy.table`` in ``summary.json``.

    Returns:
        One mapping per attack and kind of answers: ``attack``, ``rules``, ``power``, ``attacker``
        and ``tip``, its tooltip.
    """
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for row in table:
        attack = f"{row['secret']}: {row['attack']}"
        for column, rules in RULES.items():
            key = attack, rules
            if key not in best or row[column] > best[key]["power"]:
                best[key] = {"attack": attack, "rules": rules, "power": row[column]}
                best[key]["attacker"] = row["attacker"]
    for point in best.values():
        point["tip"] = (
            f"{point['attack']}, {point['rules']}: {point['power']:.1%} found by the attacker who "
            f"knows {point['attacker']}"
        )
    return list(best.values())


def _description(points: Sequence[Mapping[str, Any]]) -> str:
    most = {
        rules: max((point["power"] for point in points if point["rules"] == rules), default=0)
        for rules in RULES.values()
    }
    found = "; ".join(f"{name} {power:.0%}" for name, power in most.items())
    return f"Largest share of targets that an attack finds: {found}."
