"""What follows a disease, depending on measurements, age and treatment: a recurrence, say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rehearsal.phenotypes.clinical_types import Outcome
from rehearsal.phenotypes.subjects import Subjects, uniform_noise
from rehearsal.phenotypes.treatments import Course


def ages_of_outcome(
    outcome: Outcome,
    onsets: Mapping[str, np.ndarray],
    values: Mapping[str, np.ndarray],
    courses: Sequence[Course],
    cohort: Subjects,
    seed: int,
) -> np.ndarray:
    """Everybody's age at the outcome in years, inf for never; not yet cut by present age.

    The years after the disease are exponential, with a rate that makes the risk come true within
    ``within_years``; who has not had it by then never has. ``onsets``, ``values``: by the names
    of diseases and measurements.
    """
    risk = risks(outcome, onsets, values, courses, cohort)
    rate = -np.log1p(-risk) / outcome.within_years
    draw = uniform_noise(cohort, seed, f"{outcome.disease} after {outcome.after}")
    with np.errstate(divide="ignore"):
        years = -np.log1p(-draw) / rate
    onset = onsets[outcome.after]
    return np.where(years <= outcome.within_years, onset + years, np.inf)


def risks(
    outcome: Outcome,
    onsets: Mapping[str, np.ndarray],
    values: Mapping[str, np.ndarray],
    courses: Sequence[Course],
    cohort: Subjects,
) -> np.ndarray:
    """Everybody's risk, were they ill: that of the first group that they fit."""
    onset = np.floor(onsets[outcome.after])
    risk = np.full(len(cohort), outcome.risk)
    free = np.ones(len(cohort), dtype=bool)
    rows = {course.treatment.name: course.rows for course in courses}
    for group in outcome.groups:
        fits = free & (onset >= group.onset[0]) & (onset <= group.onset[1])
        for name, (low, high) in group.measurements.items():
            fits &= (values[name] >= low) & (values[name] <= high)
        risk[fits] = group.risk
        for treatment, its_risk in group.treated.items():
            treated = np.zeros(len(cohort), dtype=bool)
            treated[rows[treatment]] = True
            risk[fits & treated] = its_risk
        free &= ~fits
    return risk
