"""A tornado: what one price or assumption after the other changes. It reads in greyscale."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rehearsal.report.page_elements import euros, rounded

LABEL_WIDTH = 100  # of a label and half of the middle's, in the drawing's units
DARK_GREY, LIGHT_GREY = "#333333", "#b5b5b5"  # told apart without colour


def tornado_svg(rows: Sequence[tuple[str, float, float]], middle: float) -> str:
    """Draw a tornado: one bar per item, from the euros at its low to those at its high.

    Args:
        rows: Item, euros at its low, euros at its high.
        middle: The euros when every item is at its middle.

    Returns:
        The SVG document.
    """
    values = [middle, *(value for _, low, high in rows for value in (low, high))]
    least, most = min(values), max(values)
    span = (most - least) or 1.0

    def x(value: float) -> float:
        return 170 + 440 * (value - least) / span

    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 640 {28 * len(rows) + 30}' "
        "font-family='sans-serif' font-size='12'>"
    ]
    for number, (item, low, high) in enumerate(rows):
        top = 8 + 28 * number
        parts.append(f"<text x='160' y='{top + 14}' text-anchor='end'>{escape(item)}</text>")
        for value, grey in ((low, LIGHT_GREY), (high, DARK_GREY)):
            left, width = min(x(value), x(middle)), abs(x(value) - x(middle))
            parts.append(
                f"<rect x='{left:.1f}' y='{top}' width='{width:.1f}' height='18' fill='{grey}'/>"
            )
    bottom = 28 * len(rows) + 22
    at = f"{x(middle):.1f}"
    parts.append(f"<line x1='{at}' x2='{at}' y1='2' y2='{bottom - 14}' stroke='black'/>")
    for value, anchor in ((middle, "middle"), (least, "start"), (most, "end")):
        if value == middle or abs(x(value) - x(middle)) > LABEL_WIDTH:
            place = f"x='{x(value):.1f}' y='{bottom}' text-anchor='{anchor}'"
            parts.append(f"<text {place}>{euros(rounded(value))}</text>")
    return "".join([*parts, "</svg>"])
