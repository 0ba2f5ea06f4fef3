"""The clinical tables of a group of people, and their rows by person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class ClinicalTables:
    """The clinical tables of a group of people, with the columns of docs/reference/files.md.

    Rows are in the order of ``people``. ``carriers`` lists carriers of planted variants.
    ``subjects`` and ``biosamples`` have one row per person.
    """

    people: pd.DataFrame
    diseases: pd.DataFrame
    measurements: pd.DataFrame
    features: pd.DataFrame
    excluded_features: pd.DataFrame
    candidate_genes: pd.DataFrame
    exposures: pd.DataFrame
    treatments: pd.DataFrame
    missing: pd.DataFrame
    subjects: pd.DataFrame
    biosamples: pd.DataFrame
    carriers: pd.DataFrame

    def by_country(self) -> Iterator[tuple[str, ClinicalTables]]:
        """Yield each country and its part of the tables.

        Countries come in the order of ``people``, where each country's rows are contiguous.
        """
        position = pd.Index(self.people["id"])
        place: dict[str, np.ndarray] = {}
        tables: dict[str, pd.DataFrame] = {}
        for name in (one.name for one in fields(self) if one.name != "people"):
            rows = position.get_indexer(getattr(self, name)["individual"])
            order = np.argsort(rows, kind="stable")
            tables[name], place[name] = getattr(self, name).iloc[order], rows[order]
        for country, rows in self.people.groupby("country", sort=False).indices.items():
            first, end = rows[0], rows[-1] + 1
            part = {"people": self.people.iloc[first:end].reset_index(drop=True)}
            for name, where in place.items():
                start, stop = np.searchsorted(where, [first, end])
                part[name] = tables[name].iloc[start:stop].reset_index(drop=True)
            yield str(country), ClinicalTables(**part)


class PersonRows:
    """The rows of a table by person, as dictionaries with None for null.

    Args:
        table: A table with a column ``individual``.
        ids: Identifiers of the people, in the order in which they are asked for.
    """

    def __init__(self, table: pd.DataFrame, ids: pd.Index) -> None:
        position = ids.get_indexer(table["individual"])
        order = np.argsort(position, kind="stable")
        self._offset = np.searchsorted(position[order], np.arange(len(ids) + 1)).tolist()
        self._names = list(table.columns)
        table = table.iloc[order]
        self._columns = [_values(table[name]) for name in self._names]

    def of(self, position: int) -> list[dict[str, Any]]:
        """Return the rows of one person.

        Args:
            position: The person's 0-based place in ``ids``.
        """
        first, end = self._offset[position], self._offset[position + 1]
        return [
            {name: column[row] for name, column in zip(self._names, self._columns, strict=True)}
            for row in range(first, end)
        ]


def _values(column: pd.Series) -> list[Any]:
    if not column.isna().any():
        return column.tolist()
    return column.astype(object).where(column.notna(), None).tolist()
