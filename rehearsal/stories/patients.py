"""The patients of stories in the cohort: planted ones, and ones chosen by a rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from rehearsal.errors import InputError, shown
from rehearsal.model import PatientSelection

COLUMNS = ("story", "handle", "name", "template", "individual", "country", "is_planted")


def build_patients_table(
    planted: pd.DataFrame, choices: Iterable[PatientSelection], results: Path, reference_year: int
) -> pd.DataFrame:
    """Build ``truth/patients.parquet``, one row per patient, with ``COLUMNS``.

    Args:
        planted: ``cohort/patients.parquet``.
        choices: Rules for patients who are chosen from the cohort.
        results: Folder of the run, which has the tables that choices name.
        reference_year: The year in which ages are given.

    Raises:
        InputError: No one fits a choice.
    """
    people = pd.read_parquet(results / "cohort" / "people.parquet")
    rows = [choose_patient(choice, people, results, reference_year) for choice in choices]
    table = pd.DataFrame([{**row, "is_planted": False} for row in rows], columns=list(COLUMNS))
    joined = pd.concat([planted.assign(is_planted=True)[list(COLUMNS)], table], ignore_index=True)
    return joined.astype({**dict.fromkeys(COLUMNS[:-1], "str"), "is_planted": "bool"})


def choose_patient(
    choice: PatientSelection, people: pd.DataFrame, results: Path, reference_year: int
) -> Mapping[str, str]:
    """Choose the person whom a rule finds. Ties go to the first identifier.

    Args:
        choice: The rule.
        people: ``cohort/people.parquet``.
        results: Folder of the run.
        reference_year: The year in which ages are given.

    Returns:
        The patient's row.

    Raises:
        InputError: The table has no column to order by, or no person fits the rule.
    """
    age = reference_year - people["birth_year"]
    fits = age.between(*choice.age)
    for column in ("country", "sex"):
        if (wanted := getattr(choice, column)) is not None:
            fits &= people[column] == wanted
    found = people[fits]
    if choice.table:
        found = found.merge(_table(choice, results), left_on="id", right_on="individual")
    if choice.order not in found:
        expected = f"a column of {choice.table or 'people'} to order by"
        raise InputError(*choice.where, expected, shown(choice.order))
    found = found.dropna(subset=[choice.order])
    if found.empty:
        raise InputError(*choice.where, "at least one person in the cohort who fits", "no one")
    ascending = [not choice.highest, True]
    order = [choice.order, "id"] if choice.order != "id" else ["id"]
    best = found.sort_values(order, ascending=ascending[: len(order)]).iloc[0]
    return {
        "story": choice.story,
        "handle": choice.handle,
        "name": choice.name,
        "template": choice.handle,
        "individual": best["id"],
        "country": best["country"],
    }


def _table(choice: PatientSelection, results: Path) -> pd.DataFrame:
    try:
        table = pd.read_parquet(results / choice.table)
    except OSError as error:
        found = f"{shown(choice.table)} ({error.strerror or error})"
        raise InputError(*choice.where, "a table of the run", found) from error
    for column, value in choice.rows.items():
        if column not in table:
            raise InputError(*choice.where, f"a column of {choice.table}", shown(column))
        table = table[table[column].astype(str) == value]
    return table.drop(columns=[name for name in ("country", "sex", "id") if name in table])
