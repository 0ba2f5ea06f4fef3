"""Dates of birth, and the dates on which people reached an age."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.phenotypes.subjects import Subjects, uniform_noise

DAYS_BETWEEN_BIRTHDAYS = 365  # at least


def birth_dates(cohort: Subjects, seed: int) -> NDArray[np.datetime64]:
    """Draw everybody's date of birth, evenly over the days of the year of birth.

    Args:
        cohort: The people.
        seed: The run's root seed. The same seed gives the same dates.

    Returns:
        Dates, shape (n_people,), datetime64[D].
    """
    years = (cohort.birth_year - 1970).astype("datetime64[Y]")
    first, following = years.astype("datetime64[D]"), (years + 1).astype("datetime64[D]")
    days = uniform_noise(cohort, seed, "birth date") * (following - first).astype(np.int64)
    return first + np.floor(days).astype("timedelta64[D]")


def birthdays(
    born: NDArray[np.datetime64], age: NDArray[np.int64], last: np.datetime64 | None = None
) -> NDArray[np.datetime64]:
    """Return the dates on which people reached an age, at most the last day.

    Who is born after the 28th of a month has the birthday on the 28th, which every month has.

    Args:
        born: Dates of birth.
        age: An age in completed years for each of them.
        last: The last day on record, if any.
    """
    months = born.astype("datetime64[M]")
    years = age.astype("timedelta64[Y]")
    day = (months.astype("datetime64[Y]") + years).astype("datetime64[M]")
    day = day + (months - months.astype("datetime64[Y]").astype("datetime64[M]"))
    within = np.minimum(born - months.astype("datetime64[D]"), np.timedelta64(27, "D"))
    days = day.astype("datetime64[D]") + within
    return days if last is None else np.minimum(days, last)


def dates_at_ages(born: NDArray[np.datetime64], age: NDArray[np.float64]) -> NDArray[np.datetime64]:
    """Return the dates of ages with a fraction: that part of the year after a birthday.

    The completed years of a person on the date are those of the age.

    Args:
        born: Dates of birth.
        age: An age in years for each of them, finite.
    """
    completed = np.floor(age)
    days = np.floor((age - completed) * DAYS_BETWEEN_BIRTHDAYS).astype("timedelta64[D]")
    return birthdays(born, completed.astype(np.int64)) + days
