"""The table of a node's people, as users write it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from rehearsal.errors import InputError, cause, shown
from rehearsal.logs import note
from rehearsal.model import SEXES

_COLUMNS = ("id", "sex", "birth_year")
_FAMILY_COLUMNS = ("family", "father", "mother")
_SEX_OF = {"father": "male", "mother": "female"}
_FIRST_YEAR, _LAST_YEAR = 1850, 2026  # of births; the last is NodeSettings.reference_year


def read_individuals(path: Path) -> pd.DataFrame:
    """Read the people of a node.

    Args:
        path: Parquet (by its suffix) or tab-separated text without quotes, with the columns ``id``
            (text), ``sex`` (female or male) and ``birth_year``. The columns ``family``, ``father``
            and ``mother`` are optional.

    Returns:
        These six columns, one row per person. Missing values are None.

    Raises:
        InputError: The file cannot be read, a column is missing, a value is invalid, an id occurs
            twice, or parents contradict the rows of these people.
    """
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else _read_text(path)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        expected = "a readable Parquet or TSV file"
        raise InputError(path, "file", expected, f"an unreadable one ({cause(error)})") from None
    for column in _COLUMNS:
        if column not in table:
            found = ", ".join(map(str, table.columns)) or "no columns"
            raise InputError(path, "columns", f"a column {column}", found)
    for column in _FAMILY_COLUMNS:
        table[column] = table[column].replace("", None) if column in table else None
    table = table[[*_COLUMNS, *_FAMILY_COLUMNS]].reset_index(drop=True)
    _check_values(path, table)
    table = table.astype({"birth_year": int})
    _check_parents(path, table)
    return table


def _read_text(path: Path) -> pd.DataFrame:
    """Read tab-separated text. Rows that are too short have empty values at their end."""
    header, *rows = [line.split("\t") for line in _lines(path)] or [[]]
    for number, row in enumerate(rows, start=1):
        if len(row) > len(header):
            expected = f"{len(header)} columns, as in the header"
            raise InputError(path, f"row {number}", expected, f"{len(row)}")
        row += [""] * (len(header) - len(row))
    return pd.DataFrame(rows, columns=header, dtype=str)


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig") as file:
        yield from (text for line in file if (text := line.rstrip("\n")))


def _check_values(path: Path, table: pd.DataFrame) -> None:
    if table.empty:
        raise InputError(path, "rows", "at least one person", "none")
    for row, (name, sex, born, *_) in enumerate(table.itertuples(index=False), start=1):
        if not isinstance(name, str) or not name:
            raise InputError(path, f"row {row}: id", "a text that is not empty", shown(name))
        if sex not in SEXES:
            raise InputError(path, f"row {row}: sex", "female or male", shown(sex))
        is_year = re.fullmatch("[12][0-9]{3}", str(born))
        if not is_year or not _FIRST_YEAR <= int(born) <= _LAST_YEAR:
            expected = "a year like 1970"
            if is_year:
                expected = f"a year from {_FIRST_YEAR} to {_LAST_YEAR}"
            raise InputError(path, f"row {row}: birth_year", expected, shown(born))
    twice = table["id"][table["id"].duplicated()]
    if len(twice):
        raise InputError(path, "id", "each id once", f"{shown(twice.iloc[0])} twice")


def _check_parents(path: Path, table: pd.DataFrame) -> None:
    """Check parents that the table has. Those that it has not are kept, and noted."""
    people = {row.id: row for row in table.itertuples(index=False)}
    unknown: list[str] = []
    for row, person in enumerate(people.values(), start=1):
        for column, sex in _SEX_OF.items():
            name = getattr(person, column)
            if not isinstance(name, str):
                continue
            parent, where = people.get(name), f"row {row}: {column}"
            if parent is None:
                unknown.append(name)
                continue
            if parent.sex != sex:
                raise InputError(
                    path, where, f"a {sex} person", f"{shown(name)}, who is {parent.sex}"
                )
            if parent.birth_year >= person.birth_year:
                expected = f"a person born before {person.birth_year}"
                found = f"{shown(name)}, born in {parent.birth_year}"
                raise InputError(path, where, expected, found)
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        note(f"{path}: the parent {shown(unknown[0])}{more} is no person of the table")
