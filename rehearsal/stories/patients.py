"""Who of the cohort is a story's patient: those planted, and those chosen by a rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from rehearsal.errors import InputError
from rehearsal.model import PatientSelection

COLUMNS = ("story", "handle", "name", "individual", "country", "is_planted")


def build_patients_table(
    planted: pd.DataFrame, choices: Iterable[PatientSelection], results: Path, reference_year: int
) -> pd.DataFrame:
    """``truth/patients.parquet``: a row a patient, ``COLUMNS``.

    ``planted``: ``cohort/patients.parquet``. ``results``: the run's folder, where the tables that
    choices name are. Raises InputError for a choice that nobody fits.
    """
    people = pd.read_parquet(results / "cohort" / "people.parquet")
    rows = [choose_patient(choice, people, results, reference_year) for choice in choices]
    table = pd.DataFrame([{**row, "is_planted": False} for row in rows], columns=list(COLUMNS))
    joined = pd.concat([planted.assign(is_planted=True)[list(COLUMNS)], table], ignore_index=True)
    return joined.astype({**dict.fromkeys(COLUMNS[:-1], "str"), "is_planted": "bool"})


def choose_patient(
    choice: PatientSelection, people: pd.DataFrame, results: Path, reference_year: int
) -> Mapping[str, str]:
    """The row of the person whom a choice finds. Ties fall to the first identifier."""
    age = reference_year - people["birth_year"]
    fits = age.between(*choice.age)
    for column in ("country", "sex"):
        if (wanted := getattr(choice, column)) is not None:
            fits &= people[column] == wanted
    found = people[fits]
    if choice.table:
        found = found.merge(_table(choice, results), left_on="id", right_on="individual")
    if choice.order not in found:
        raise InputError(*choice.where, f"expected a column to order by, found {choice.order!r}")
    found = found.dropna(subset=[choice.order])
    if found.empty:
        raise InputError(*choice.where, "expected somebody in the cohort who fits; nobody does")
    ascending = [not choice.highest, True]
    order = [choice.order, "id"] if choice.order != "id" else ["id"]
    best = found.sort_values(order, ascending=ascending[: len(order)]).iloc[0]
    return {
        "story": choice.story,
        "handle": choice.handle,
        "name": choice.name,
        "individual": best["id"],
        "country": best["country"],
    }


def _table(choice: PatientSelection, results: Path) -> pd.DataFrame:
    try:
        table = pd.read_parquet(results / choice.table)
    except OSError as error:
        raise InputError(*choice.where, f"expected a table of the run: {error}") from error
    for column, value in choice.rows.items():
        if column not in table:
            raise InputError(*choice.where, f"expected a column of {choice.table}: {column!r}")
        table = table[table[column].astype(str) == value]
    return table.drop(columns=[name for name in ("country", "sex", "id") if name in table])
