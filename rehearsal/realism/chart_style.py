"""Type and colours of charts on paper, and charts from plain rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

INK, MUTED, RULE, ACCENT, SECOND = "#1b2430", "#586474", "#dfe3e8", "#1f4fa3", "#c0561a"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"


def chart_of(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """A chart without marks of rows that are part of it: nothing is fetched."""
    return alt.Chart(alt.InlineData(values=rows))


def layered(*charts: alt.Chart) -> alt.LayerChart:
    """Charts above one another, the first at the bottom; none of them has facets."""
    return alt.LayerChart(layer=list(charts))
