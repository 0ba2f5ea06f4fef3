"""A row of the table: the measured value, the expected value, and whether it was judged."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from rehearsal.errors import mismatch
from rehearsal.files import atomic_path


@dataclass(frozen=True)
class Row:
    """One measure.

    ``expected`` says ``low`` to ``high`` in words, or what to compare with. ``judged`` is true if
    there is a range and the run is large enough. ``passed`` is None if the measure was not judged;
    ``note`` then says why.
    """

    name: str
    measured: float | None
    expected: str
    low: float | None
    high: float | None
    source: str
    sample: str
    judged: bool
    passed: bool | None
    note: str


COLUMNS = tuple(field.name for field in fields(Row))


def judged_row(
    name: str,
    measured: float,
    low: float | None,
    high: float | None,
    *,
    source: str,
    sample: str,
    needs: str = "",
) -> Row:
    """Make a row with a range.

    Args:
        name: Name of the measure.
        measured: Measured value; not finite if it could not be measured.
        low: Lower end of the range. None leaves it open.
        high: Upper end of the range. None leaves it open.
        source: Where the range comes from.
        sample: The people and sequence that were measured.
        needs: What the run lacks to be judged. Empty if nothing.
    """
    value = _number(measured)
    low, high = (None if end is None else float(end) for end in (low, high))
    judged = value is not None and not needs
    return Row(
        name=name,
        measured=value,
        expected=_range_in_words(low, high),
        low=low,
        high=high,
        source=source,
        sample=sample,
        judged=judged,
        passed=_within(value, low, high) if judged and value is not None else None,
        note=needs if value is not None else (needs or "could not be measured"),
    )


def informative_row(
    name: str, measured: float, expected: str, *, source: str, sample: str, note: str
) -> Row:
    """Make a row that cannot be right or wrong.

    Args:
        name: Name of the measure.
        measured: Measured value; not finite if it could not be measured.
        expected: What to compare with.
        source: Where that comes from.
        sample: The people and sequence that were measured.
        note: Why the row is not judged.
    """
    return Row(name, _number(measured), expected, None, None, source, sample, False, None, note)


def row_table(rows: Iterable[Row]) -> pd.DataFrame:
    """Build a table with ``COLUMNS``. Missing values are None.

    Args:
        rows: The rows.
    """
    return pd.DataFrame(
        {name: pd.Series(values, dtype=object) for name, values in _by_column(rows).items()},
        columns=list(COLUMNS),
    )


def _by_column(rows: Iterable[Row]) -> dict[str, list[object]]:
    rows = list(rows)
    return {name: [getattr(row, name) for row in rows] for name in COLUMNS}


def _number(value: float) -> float | None:
    """Round to five digits, because machines differ beyond them in how they sum."""
    return float(f"{value:.5g}") if math.isfinite(value) else None


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _range_in_words(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{_figure(low)} to {_figure(high)}"
    if low is not None:
        return f"at least {_figure(low)}"
    if high is not None:
        return f"at most {_figure(high)}"
    raise ValueError(mismatch("range", "at least one end", "none"))


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def write_rows(table: pd.DataFrame, path: Path | str) -> None:
    """Write the table as tab-separated text. Missing values are empty.

    Args:
        table: The table.
        path: The file.
    """
    with atomic_path(path) as aside:
        table.to_csv(aside, sep="\t", index=False)


def read_rows(path: Path | str) -> list[dict[str, Any]]:
    """Read what ``write_rows`` wrote, in the form that ``summary.json`` uses.

    Args:
        path: The file.

    Returns:
        One dictionary per row. Numbers are floats, ``judged`` and ``passed`` are bools, missing
        values None.
    """
    texts = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    return [
        {name: _READERS.get(name, str)(value) for name, value in row.items()}
        for row in texts.to_dict("records")
    ]


def _truth(text: str) -> bool | None:
    return {"True": True, "False": False}.get(text)


def _float(text: str) -> float | None:
    return float(text) if text else None


_READERS: dict[str, Callable[[str], Any]] = {
    "measured": _float,
    "low": _float,
    "high": _float,
    "judged": _truth,
    "passed": _truth,
}
