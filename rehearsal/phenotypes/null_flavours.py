"""Whose record lacks which field, and why: HL7 null flavours drawn by the configured rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rehearsal.phenotypes.clinical_types import MissingRule
from rehearsal.phenotypes.subjects import Subjects, uniform_noise


@dataclass(frozen=True)
class FieldFlavours:
    """Of one field: the null flavour that each person has, as an index; -1 is on record."""

    names: tuple[str, ...]
    index: np.ndarray


def draw_missing(
    rules: Sequence[MissingRule], cohort: Subjects, seed: int
) -> dict[str, FieldFlavours]:
    """The null flavours of every field that may be missing, by the field's name."""
    found: dict[str, FieldFlavours] = {}
    for rule in rules:
        draw = uniform_noise(cohort, seed, f"missing {' '.join(rule.fields)}")
        bounds = rule.rate * np.cumsum(list(rule.flavours.values()))
        index = np.searchsorted(bounds, draw, side="right")
        # rounding must not make a flavour of the last one's upper end
        index[draw >= rule.rate] = -1
        flavours = FieldFlavours(tuple(rule.flavours), np.minimum(index, len(rule.flavours) - 1))
        found |= dict.fromkeys(rule.fields, flavours)
    return found


def rows_on_record(
    flavours: Mapping[str, FieldFlavours], field: str, cohort: Subjects
) -> np.ndarray:
    """Rows of the people of whom the field is on record, rising."""
    if field not in flavours:
        return np.arange(len(cohort))
    return np.flatnonzero(flavours[field].index < 0)
