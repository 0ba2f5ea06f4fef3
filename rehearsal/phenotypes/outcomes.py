"""Outcomes that follow a disease, such as a recurrence, by measurements, age and treatment."""

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
    """Draw the age at which each person has the outcome, not yet limited by present age.

    The time after the earlier disease is exponential, with a rate that gives the risk within
    ``within_years``. A person who has not had the outcome by then never has it.

    Args:
        outcome: The outcome.
        onsets: Ages of onset in years by disease, inf for never, shape (n_people,).
        values: Measured values by measurement, in its unit, shape (n_people,).
        courses: Treatments that people got.
        cohort: The people.
        seed: The run's root seed.

    Returns:
        Ages in years, inf for never, shape (n_people,).
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
    """Compute each person's risk of the outcome, given the earlier disease.

    The risk is that of the first group that a person fits, or the outcome's own.

    Args:
        outcome: The outcome.
        onsets: Ages of onset in years by disease, inf for never, shape (n_people,).
        values: Measured values by measurement, in its unit, shape (n_people,).
        courses: Treatments that people got.
        cohort: The people.

    Returns:
        Risks, shape (n_people,).
    """
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
