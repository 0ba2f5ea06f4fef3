"""Build long tables, one row per person and item, from parts about some of the people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.phenotypes.subjects import Subjects

Part = tuple[np.ndarray, Mapping[str, Any]]


def join_parts(parts: Sequence[Part], types: Mapping[str, str], cohort: Subjects) -> pd.DataFrame:
    """Join parts into a table sorted by person, then by part.

    Args:
        parts: Each part has the rows of its people (ascending) and, by column, a cell or an array
            of cells.
        types: Type by column: ``str`` (None is null), a number, or a nullable ``Int16`` (NaN is
            null).
        cohort: The people.

    Returns:
        The table, with the column ``individual`` first.
    """
    rows = np.concatenate([np.empty(0, dtype=np.int64), *(rows for rows, _ in parts)])
    order = np.argsort(rows, kind="stable")
    part_of = np.repeat(np.arange(len(parts)), [len(part_rows) for part_rows, _ in parts])[order]
    table = {"individual": cohort.id.take(rows[order]).array}
    for column, kind in types.items():
        cells = [columns[column] for _, columns in parts]
        if kind != "str":
            table[column] = _joined_numbers(parts, cells, order).astype(kind).array
        elif all(cell is None or isinstance(cell, str) for cell in cells):
            table[column] = pd.array(cells, dtype="str").take(part_of)
        else:
            table[column] = _joined_texts(parts, cells).take(order)
    return pd.DataFrame(table)


def pick_texts(texts: Sequence[str | None], index: np.ndarray) -> pd.Series:
    """Select texts by index.

    Args:
        texts: The texts.
        index: Indices into ``texts``, -1 for null, shape (n,).

    Returns:
        The texts, null for -1, shape (n,).
    """
    return pd.Series(pd.array([*texts, None], dtype="str").take(index))


def date_texts(days: np.ndarray) -> pd.Series:
    """Format dates as ISO 8601.

    Args:
        days: The dates, datetime64[D]; NaT is null, shape (n,).

    Returns:
        The texts, shape (n,).
    """
    distinct, index = np.unique(days, return_inverse=True)
    texts = np.datetime_as_string(distinct).tolist()
    return pick_texts([None if text == "NaT" else text for text in texts], index)


def _joined_numbers(parts: Sequence[Part], cells: Sequence[Any], order: np.ndarray) -> pd.Series:
    filled = [
        np.broadcast_to(cell, len(rows)) for cell, (rows, _) in zip(cells, parts, strict=True)
    ]
    return pd.Series(np.concatenate([np.empty(0), *filled])[order])


def _joined_texts(parts: Sequence[Part], cells: Sequence[Any]) -> pd.api.extensions.ExtensionArray:
    filled = [
        cell if isinstance(cell, pd.Series) else pick_texts([cell], np.zeros(len(rows), np.int64))
        for cell, (rows, _) in zip(cells, parts, strict=True)
    ]
    return pd.concat(filled, ignore_index=True).array
