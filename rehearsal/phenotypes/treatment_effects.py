"""What treatments do to measured values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from rehearsal.phenotypes.subjects import Subjects
from rehearsal.phenotypes.tables import join_parts
from rehearsal.phenotypes.trait_types import Traits
from rehearsal.phenotypes.treatments import Course

COLUMNS = {
    "code": "str",
    "label": "str",
    "untreated": "float64",
    "measured": "float64",
    "unit": "str",
}


def treated_values(
    traits: Traits,
    untreated: Mapping[str, np.ndarray],
    courses: Sequence[Course],
    exempt: Mapping[str, Collection[int]],
) -> dict[str, np.ndarray]:
    """Change the values of people who are under treatment at the present age.

    Effects of several drugs add up one after the other. A treatment that has ended has none.

    Args:
        traits: The traits.
        untreated: Values by measurement, in its unit, shape (n_people,).
        courses: Treatments that people got.
        exempt: Rows whose value of a measurement no treatment changes, by measurement.

    Returns:
        Values by measurement, rounded. An array that no drug changes is that of ``untreated``.
    """
    decimals = {trait.name: trait.decimals for trait in traits.measurements}
    values = dict(untreated)
    for course in courses:
        for number, drug in enumerate(course.treatment.drugs):
            rows = course.rows[np.isinf(course.end) & (course.drug == number)]
            for name, effect in drug.effects.items():
                mine = np.setdiff1d(rows, list(exempt.get(name, ())))
                changed = values[name].copy()
                changed[mine] = changed[mine] * (1 + effect.percent / 100) + effect.amount
                values[name] = changed
    return {
        name: value if value is untreated[name] else np.round(value, decimals[name])
        for name, value in values.items()
    }


def untreated_table(
    traits: Traits,
    untreated: Mapping[str, np.ndarray],
    values: Mapping[str, np.ndarray],
    known: Mapping[str, np.ndarray],
    cohort: Subjects,
) -> pd.DataFrame:
    """Build the table of truth about values that a treatment changed.

    Args:
        traits: The traits.
        untreated: Values without treatment by measurement, shape (n_people,).
        values: Values as they are, likewise.
        known: Rows of the people whose measurement is on record, by measurement.
        cohort: The people.

    Returns:
        One row per changed value: individual, code, label, untreated, measured, unit.
    """
    parts = []
    for trait in traits.measurements:
        if values[trait.name] is not untreated[trait.name]:
            changed = np.flatnonzero(values[trait.name] != untreated[trait.name])
            rows = np.intersect1d(changed, known[trait.name], assume_unique=True)
            cells = {
                "code": trait.code,
                "label": trait.label,
                "untreated": untreated[trait.name][rows],
                "measured": values[trait.name][rows],
                "unit": trait.unit,
            }
            parts.append((rows, cells))
    return join_parts(parts, COLUMNS, cohort)
