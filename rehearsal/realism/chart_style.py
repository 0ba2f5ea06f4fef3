"""Fonts and colours of charts on paper, and charts from plain rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

INK, MUTED, RULE, ACCENT, SECOND = "#1b2430", "#586474", "#dfe3e8", "#1f4fa3", "#c0561a"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"


def chart_of(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """Make a chart without marks that contains its rows, so that nothing is fetched.

    Args:
        rows: The data, one mapping per row.
    """
    return alt.Chart(alt.InlineData(values=rows))


def layered(*charts: alt.Chart) -> alt.LayerChart:
    """Lay charts over one another.

    Args:
        *charts: The charts, from bottom to top, without facets.
    """
    return alt.LayerChart(layer=list(charts))
