"""Charts as Vega for the page, and as still SVG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from rehearsal.files import write_text
from rehearsal.report.style import (
    LIGHT,
)


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
