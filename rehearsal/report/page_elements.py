"""What a page is made of: sections that hold texts, facts, tables, figures and drawings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pandas as pd


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    part: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list of short statements."""

    part: ClassVar[str] = "points"
    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading below a section's."""

    part: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True, slots=True)
class Linked:
    """A cell, or one of a list of links: text that leads to another page of the report."""

    text: str
    href: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Links:
    """A list of links. ``label``: what they are, for who does not see them."""

    part: ClassVar[str] = "links"
    label: str
    items: Sequence[Linked]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and their values."""

    part: ClassVar[str] = "facts"
    rows: Sequence[tuple[str, str | Linked]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its title, its alignment and whether it names the row."""

    title: str
    number: bool = False
    names_row: bool = False
    long: bool = False  # sentences, that get their share of the width


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose cells are already text."""

    part: ClassVar[str] = "table"
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str | Linked]]
    total: Sequence[str | Linked] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, drawn in the browser from its Vega specification."""

    part: ClassVar[str] = "figure"
    key: str  # unique on the page
    caption: str
    specification: dict[str, Any]
    square: bool = False  # as high as wide, otherwise the chart knows its height

    @property
    def description(self) -> str:
        return self.specification.get("description", "")


@dataclass(frozen=True, slots=True)
class Drawing:
    """An SVG drawing that is part of the page."""

    part: ClassVar[str] = "drawing"
    caption: str
    svg: str


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page with its heading."""

    id: str
    title: str
    parts: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Page:
    """A page beside the first one. ``path``: below the report's folder, with forward slashes."""

    path: str
    title: str
    lead: str
    sections: Sequence[Section]

    @property
    def home(self) -> str:
        """The way back to the first page."""
        return "../" * self.path.count("/") + "index.html"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of the big statements at the top of the page."""

    title: str
    value: str
    detail: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """How a column of a DataFrame is shown."""

    name: str
    column: Column
    text: Callable[[Any], str | Linked] = field(default=str)


def table_of(frame: pd.DataFrame, caption: str, shown: Sequence[Shown]) -> Table:
    """A table of the shown columns of a DataFrame; a null is an en dash."""
    rows = [
        tuple(
            "–" if pd.isna(value) else how.text(value)
            for how, value in zip(shown, row, strict=True)
        )
        for row in frame[[how.name for how in shown]].itertuples(index=False)
    ]
    return Table(caption, [how.column for how in shown], rows)


def whole(value: float) -> str:
    """``12 345``, with thin spaces that do not break."""
    return f"{int(value):,}".replace(",", "\u202f")


def percent(value: float, digits: int = 1) -> str:
    """A share as per cent; only what is whole is called 100 %, only what is nothing 0 %."""
    if value in (0, 1):
        return f"{value:.0%}".replace("%", "\u00a0%")
    smallest = 10.0**-digits
    return f"{min(max(100 * value, smallest), 100 - smallest):.{digits}f}\u00a0%"


def milliseconds(value: float) -> str:
    """Milliseconds with one decimal."""
    return f"{value:.1f}"


def seconds(value: float) -> str:
    """Seconds with one decimal."""
    return f"{value:.1f}"


def spaced(name: str) -> str:
    """The name with spaces for underscores."""
    return name.replace("_", " ")
