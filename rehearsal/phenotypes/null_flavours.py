"""Draw which fields are missing in whose record, and why, as HL7 null flavours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rehearsal.phenotypes.clinical_types import MissingRule
from rehearsal.phenotypes.subjects import Subjects, uniform_noise


@dataclass(frozen=True)
class FieldFlavours:
    """The null flavours of one field."""

    names: tuple[str, ...]  # HL7 codes
    index: np.ndarray  # (n_people,) index into ``names``; -1 is on record


def draw_missing(
    rules: Sequence[MissingRule], cohort: Subjects, seed: int
) -> dict[str, FieldFlavours]:
    """Draw the null flavours of every field that may be missing.

    Args:
        rules: Rules of the traits file.
        cohort: The people.
        seed: The run's root seed.

    Returns:
        Flavours by the name of the field.
    """
    found: dict[str, FieldFlavours] = {}
    for rule in rules:
        draw = uniform_noise(cohort, seed, f"missing {' '.join(rule.fields)}")
        bounds = rule.rate * np.cumsum(list(rule.flavours.values()))
        index = np.searchsorted(bounds, draw, side="right")
        # rounding must not put the upper end into the last flavour
        index[draw >= rule.rate] = -1
        flavours = FieldFlavours(tuple(rule.flavours), np.minimum(index, len(rule.flavours) - 1))
        found |= dict.fromkeys(rule.fields, flavours)
    return found


def rows_on_record(
    flavours: Mapping[str, FieldFlavours], field: str, cohort: Subjects
) -> np.ndarray:
    """List the people whose field is on record.

    Args:
        flavours: Flavours by field.
        field: Name of the field.
        cohort: The people.

    Returns:
        Rows of the people, ascending.
    """
    if field not in flavours:
        return np.arange(len(cohort))
    return np.flatnonzero(flavours[field].index < 0)
