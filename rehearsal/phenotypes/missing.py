"""Build the table of data that are not on record, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.phenotypes.clinical_types import Exposure
from rehearsal.phenotypes.null_flavours import FieldFlavours
from rehearsal.phenotypes.subjects import Subjects
from rehearsal.phenotypes.tables import Part, join_parts, pick_texts
from rehearsal.phenotypes.terms import Coded
from rehearsal.phenotypes.trait_types import DerivedMeasurement, Measurement, Traits
from rehearsal.phenotypes.treatments import NOT_YET, Course

COLUMNS = ("table", "code", "label", "null_flavour")
HasCode = Coded | Measurement | DerivedMeasurement | Exposure


def missing_table(
    traits: Traits,
    courses: Sequence[Course],
    flavours: Mapping[str, FieldFlavours],
    cohort: Subjects,
) -> pd.DataFrame:
    """Build the table of missing data.

    Args:
        traits: The traits.
        courses: Treatments that people got.
        flavours: Null flavours by field.
        cohort: The people.

    Returns:
        One row per missing item: ``individual``, the ``table``, ``code`` and ``label`` that its row
        would have (of a treatment, the response is missing) and ``null_flavour``.
    """
    parts = [*_trait_parts("measurements", traits.measurable, flavours)]
    parts += _trait_parts("exposures", traits.exposures, flavours)
    for course in courses:
        parts += _response_parts(course, flavours.get(course.treatment.name))
    return join_parts(parts, dict.fromkeys(COLUMNS, "str"), cohort)


def _trait_parts(
    table: str,
    traits: Sequence[Measurement | DerivedMeasurement | Exposure],
    flavours: Mapping[str, FieldFlavours],
) -> Iterator[Part]:
    for trait in traits:
        if trait.name in flavours:
            of_field = flavours[trait.name]
            yield _part(table, trait, np.flatnonzero(of_field.index >= 0), of_field)


def _response_parts(course: Course, of_field: FieldFlavours | None) -> Iterator[Part]:
    """Yield responses that are missing by a rule, and those for which it is too early."""
    for number, drug in enumerate(course.treatment.drugs):
        mine = course.rows[course.drug == number]
        if of_field is not None:
            yield _part("treatments", drug.term, mine[of_field.index[mine] >= 0], of_field)
            mine = mine[of_field.index[mine] < 0]
        early = np.intersect1d(mine, course.rows[~course.response_known])
        yield early, _cells("treatments", drug.term, NOT_YET)


def _part(table: str, term: HasCode, rows: np.ndarray, flavours: FieldFlavours) -> Part:
    return rows, _cells(table, term, pick_texts(flavours.names, flavours.index[rows]))


def _cells(table: str, term: HasCode, flavour: str | pd.Series) -> dict[str, Any]:
    return {"table": table, "code": term.code, "label": term.label, "null_flavour": flavour}
