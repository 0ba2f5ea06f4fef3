"""Charts as Vega for the page, and as still SVG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from rehearsal.files import write_text
from rehearsal.realism.chart_style import chart_of, layered
from rehearsal.report.style import LIGHT, Palette, Width, finished


def empty_figure(why: str, palette: Palette, width: Width) -> alt.LayerChart:
    """Say in the place of a figure why there is nothing to draw.

    Args:
        why: The reason, as a sentence without a full stop.
        palette: Colours of the figure.
        width: Width in pixels, or ``container`` in the page.
    """
    text = f"Nothing to show: {why}."
    words = chart_of([{"text": text}]).mark_text(fontSize=14, color=palette.muted)
    return finished(layered(words.encode(text="text:N")), palette, width, 60, text)


def vega_specification(chart: alt.LayerChart) -> dict[str, Any]:
    """Compile a chart to Vega, so that the reader's browser need not do it.

    Args:
        chart: The chart.
    """
    return vl_convert.vegalite_to_vega(chart.to_dict())


def save_still(chart: alt.LayerChart, path: Path | str) -> None:
    """Write a chart as an SVG file with a white background that needs no other file.

    Args:
        chart: The chart.
        path: File to write.
    """
    specification = chart.to_dict() | {"background": LIGHT.paper}
    write_text(path, vl_convert.vegalite_to_svg(specification))
