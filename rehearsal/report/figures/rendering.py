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
    """The chart compiled to Vega, so that the reader's browser need not do it."""
    return vl_convert.vegalite_to_vega(chart.to_dict())


def save_still(chart: alt.LayerChart, path: Path | str) -> None:
    """Writes the chart as an SVG file that needs nothing else, on paper of its own."""
    specification = chart.to_dict() | {"background": LIGHT.paper}
    write_text(path, vl_convert.vegalite_to_svg(specification))
