"""Colours and type of the figures, for the page (CSS variables) and for SVG files."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import altair as alt
import pandas as pd

from rehearsal.realism.chart_style import ACCENT, FONT, INK, MUTED, RULE, SECOND

STILL_WIDTH = 720


@dataclass(frozen=True, slots=True)
class Palette:
    """All colours that a figure may use. Colour-blind readers can tell the regions apart too."""

    ink: str
    muted: str
    rule: str
    paper: str
    land: str
    coast: str
    accent: str
    fail: str
    north: str
    west: str
    east: str
    south: str
    step1: str
    step2: str
    step3: str
    step4: str
    step5: str

    @property
    def steps(self) -> list[str]:
        """Five ordered colours, from low to high."""
        return [self.step1, self.step2, self.step3, self.step4, self.step5]

    def region(self, name: str) -> str:
        """Give the colour of a region.

        Args:
            name: A region of ``tables.REGIONS``.
        """
        return getattr(self, name.lower())


LIGHT = Palette(
    ink=INK,
    muted=MUTED,
    rule=RULE,
    paper="#ffffff",
    land="#ebeef0",
    coast="#bcc5cf",
    accent=ACCENT,
    fail="#b3261e",
    north="#2166b0",
    west="#0d8068",
    east="#8f3f97",
    south=SECOND,
    step1="#a9cbe8",
    step2="#74a9d6",
    step3="#4383bf",
    step4="#235f9f",
    step5="#123a6b",
)
DARK = Palette(
    ink="#e7eaef",
    muted="#9ca7b6",
    rule="#2b333e",
    paper="#12161c",
    land="#1f262f",
    coast="#465261",
    accent="#8ab4ff",
    fail="#ff8a80",
    north="#6fb1f2",
    west="#4fc9a8",
    east="#d08ad8",
    south="#f2a065",
    step1="#2c5380",
    step2="#3f76b0",
    step3="#5f9bd8",
    step4="#92c0ee",
    step5="#cfe4fb",
)
# Figures in the page use variables, so that they follow the light, dark and print styles.
PAGE = Palette(**{field.name: f"var(--{field.name})" for field in fields(Palette)})


def css_variables(palette: Palette) -> str:
    """Write the CSS declarations that give ``PAGE`` its colours.

    Args:
        palette: The colours.
    """
    return " ".join(f"--{field.name}: {getattr(palette, field.name)};" for field in fields(Palette))


def narrow(small: float, usual: float) -> dict[str, str]:
    """Make an expression that depends on whether the chart is as narrow as on a phone.

    Args:
        small: The number for a chart narrower than 420 pixels.
        usual: The number for any other chart.
    """
    return {"expr": f"width < 420 ? {small} : {usual}"}


def vega_config(palette: Palette) -> dict[str, Any]:
    """Build the Vega-Lite configuration: light axes, no frame, the page's font.

    Args:
        palette: The colours.
    """
    text = {"labelColor": palette.muted, "titleColor": palette.muted}
    sizes = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    return {
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            **text,
            **sizes,
            "domainColor": palette.rule,
            "gridColor": palette.rule,
            "tickColor": palette.rule,
            "labelPadding": 6,
            "titlePadding": 10,
        },
        "legend": {
            **text,
            **sizes,
            "orient": "top",
            "offset": 8,
            "symbolOpacity": 1,
            "symbolSize": 90,
            "symbolStrokeWidth": 0,
            "columns": narrow(2, 6),
        },
        "text": {"color": palette.ink, "fontSize": 12},
    }


Width = int | Literal["container"]


def finished(
    chart: alt.LayerChart, palette: Palette, width: Width, height: Any, description: str
) -> alt.LayerChart:
    """Set a chart's size, style and description.

    Args:
        chart: The chart.
        palette: The colours.
        width: Width in pixels, or ``container`` in the page.
        height: Height in pixels, a step, or ``container``.
        description: The chart in a sentence, for readers who do not see it.
    """
    return chart.properties(width=width, height=height, description=description).configure(
        **vega_config(palette)
    )


def in_ms(value: float | None) -> str:
    """Write milliseconds with three significant digits.

    Args:
        value: Milliseconds; None or NaN become ``none``.
    """
    if value is None or pd.isna(value):
        return "none"
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"
