"""Elements of a page: sections that hold texts, facts, tables, figures and drawings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    """A link to another page of the report, in a cell or a list."""

    text: str
    href: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Links:
    """A list of links."""

    part: ClassVar[str] = "links"
    label: str  # names the list for screen readers
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
    long: bool = False  # holds sentences and gets more width


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose cells are already text."""

    part: ClassVar[str] = "table"
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str | Linked]]
    total: Sequence[str | Linked] = ()
    stacks: bool = False  # on a phone, each row is a block with the titles of its cells


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, drawn in the browser from its Vega specification."""

    part: ClassVar[str] = "figure"
    key: str  # unique on the page
    caption: str
    specification: dict[str, Any]
    square: bool = False  # as high as wide; otherwise the chart sets its height

    @property
    def description(self) -> str:
        """The chart in a sentence, for readers who do not see it."""
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
    """A page other than the first one."""

    path: str  # below the report's folder, with forward slashes
    title: str
    lead: str
    sections: Sequence[Section]

    @property
    def home(self) -> str:
        """The relative address of the first page."""
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
    """Make a table of columns of a DataFrame. A null value becomes an en dash.

    Args:
        frame: The data, one row per row of the table.
        caption: The table's caption.
        shown: The columns in their order, each with its title and format.
    """
    rows = [
        tuple(
            "–" if pd.isna(value) else how.text(value)
            for how, value in zip(shown, row, strict=True)
        )
        for row in frame[[how.name for how in shown]].itertuples(index=False)
    ]
    return Table(caption, [how.column for how in shown], rows)


def whole(value: float) -> str:
    """Write a whole number with commas: ``12,345``.

    Args:
        value: The number.
    """
    return f"{int(value):,}"


def as_given(value: float) -> str:
    """Write a number of a table with all its digits, and commas.

    Args:
        value: The number.
    """
    return f"{value:,.10g}"


def expected_and_observed(check: Mapping[str, Any]) -> tuple[str, str]:
    """Write what a check expected and observed; numbers with six digits if it passed.

    Args:
        check: The check, with ``expected``, ``observed`` and ``passed``. Of a failed one all digits
            are kept, because the difference may be small.
    """
    both = (check["expected"], check["observed"])
    expected, observed = (
        f"{one:.6g}" if check["passed"] and isinstance(one, float) else str(one) for one in both
    )
    return expected, observed


def percent(value: float, digits: int = 1) -> str:
    """Write a share in per cent. What only rounds to 0% or 100% is ``below 1%`` or ``over 99%``.

    Args:
        value: The share, from 0 to 1.
        digits: Decimals of the percentage.
    """
    if value in (0, 1):
        return f"{value:.0%}"
    text = f"{100 * value:.{digits}f}"
    smallest = 10.0**-digits
    if float(text) == 0:
        return f"below {smallest:.{digits}f}%"
    if float(text) == 100:
        return f"over {100 - smallest:.{digits}f}%"
    return f"{text}%"


def milliseconds(value: float) -> str:
    """Write milliseconds with one decimal, and commas from 1,000 on.

    Args:
        value: Milliseconds.
    """
    return f"{value:,.1f}"


def seconds(value: float) -> str:
    """Write seconds with one decimal.

    Args:
        value: Seconds.
    """
    return f"{value:,.1f}"


def spaced(name: str) -> str:
    """Write a name with spaces instead of underscores.

    Args:
        name: The name.
    """
    return name.replace("_", " ")


def rounded(value: float) -> float:
    """Round to three significant digits.

    Args:
        value: The number.
    """
    return float(f"{value:.3g}")


def euros(value: float | None) -> str:
    """Write euros with three significant digits.

    Args:
        value: Euros; None becomes an en dash.
    """
    if value is None:
        return "–"
    return f"{shortened(rounded(value))} €"


def shortened(value: float) -> str:
    """Write a number: whole from 100 on, otherwise with three significant digits.

    Args:
        value: The number.
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
