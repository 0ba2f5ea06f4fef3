"""What is not on record, and why: HL7 null flavours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rehearsal.phenotypes.clinical_types import Exposure, MissingRule
from rehearsal.phenotypes.subjects import Subjects, uniform_noise
from rehearsal.phenotypes.tables import Part, by_person, chosen
from rehearsal.phenotypes.trait_types import Coded, DerivedMeasurement, Measurement, Traits
from rehearsal.phenotypes.treatments import NOT_YET, Course

COLUMNS = ("table", "code", "label", "null_flavour")
HasCode = Coded | Measurement | DerivedMeasurement | Exposure


@dataclass(frozen=True)
class Flavours:
    """Of one field: the null flavour that each person has, as an index; -1 is on record."""

    names: tuple[str, ...]
    index: np.ndarray


def draw_missing(rules: Sequence[MissingRule], cohort: Subjects, seed: int) -> dict[str, Flavours]:
    """The null flavours of every field that may be missing, by the field's name."""
    found = {}
    for rule in rules:
        draw = uniform_noise(cohort, seed, f"missing {' '.join(rule.fields)}")
        bounds = rule.rate * np.cumsum(list(rule.flavours.values()))
        index = np.searchsorted(bounds, draw, side="right")
        # rounding must not make a flavour of the last one's upper end
        index[draw >= rule.rate] = -1
        flavours = Flavours(tuple(rule.flavours), np.minimum(index, len(rule.flavours) - 1))
        found |= dict.fromkeys(rule.fields, flavours)
    return found


def kept(flavours: Mapping[str, Flavours], field: str, cohort: Subjects) -> np.ndarray:
    """Rows of the people of whom the field is on record, rising."""
    if field not in flavours:
        return np.arange(len(cohort))
    return np.flatnonzero(flavours[field].index < 0)


def missing_table(
    traits: Traits,
    courses: Sequence[Course],
    flavours: Mapping[str, Flavours],
    cohort: Subjects,
) -> pd.DataFrame:
    """A row for everything that is not on record: ``individual``, ``table``, ``code`` and ``label``
    where it would stand (of a treatment the response is missing), ``null_flavour``."""
    tables = {"measurements": traits.measurable, "exposures": traits.exposures}
    parts = []
    for table, some in tables.items():
        for trait in some:
            if trait.name in flavours:
                of_field = flavours[trait.name]
                rows = np.flatnonzero(of_field.index >= 0)
                parts.append(_part(table, trait, rows, of_field))
    for course in courses:
        for number, drug in enumerate(course.treatment.drugs):
            mine = course.rows[course.drug == number]
            if course.treatment.name in flavours:
                of_field = flavours[course.treatment.name]
                rows = mine[of_field.index[mine] >= 0]
                parts.append(_part("treatments", drug.term, rows, of_field))
                mine = mine[of_field.index[mine] < 0]
            early = np.intersect1d(mine, course.rows[~course.response_known])
            parts.append((early, _cells("treatments", drug.term, NOT_YET)))
    return by_person(parts, dict.fromkeys(COLUMNS, "str"), cohort)


def _part(table: str, term: HasCode, rows: np.ndarray, flavours: Flavours) -> Part:
    return rows, _cells(table, term, chosen(flavours.names, flavours.index[rows]))


def _cells(table: str, term: HasCode, flavour: str | pd.Series) -> dict[str, object]:
    return {"table": table, "code": term.code, "label": term.label, "null_flavour": flavour}
