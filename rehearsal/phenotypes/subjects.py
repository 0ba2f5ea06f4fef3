"""The people of all countries as plain arrays, and random numbers drawn country by country."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rehearsal.errors import InputError, shown
from rehearsal.model import SEXES, Sex
from rehearsal.phenotypes.age_curves import Curve
from rehearsal.seeds import derive_seed


@dataclass(frozen=True)
class Subjects:
    """What phenotypes need to know about each person. Arrays have shape (n_people,)."""

    id: pd.Series  # text
    sex: Mapping[Sex, np.ndarray]  # bool masks
    age: np.ndarray  # completed years, int64
    birth_year: np.ndarray  # int64
    rows_of_country: Mapping[str, np.ndarray]  # rows by country code

    def __len__(self) -> int:
        return len(self.id)


def subjects(people: pd.DataFrame, reference_year: int) -> Subjects:
    """Read the people at the end of a year.

    Args:
        people: One row per person: id, country, sex, birth_year.
        reference_year: The year in which ages are given.

    Returns:
        The people as arrays.

    Raises:
        InputError: A sex is neither female nor male, or a person is born after the year.
    """
    unknown = people.loc[~people["sex"].isin(SEXES), "sex"]
    if len(unknown):
        raise InputError("people", "sex", " or ".join(SEXES), shown(unknown.iloc[0]))
    age = reference_year - people["birth_year"].to_numpy(dtype=np.int64)
    if (age < 0).any():
        found = shown(int(reference_year - age.min()))
        raise InputError("people", "birth_year", f"a year up to {reference_year}", found)
    sex = people["sex"].to_numpy(dtype=object)
    rows = {
        str(country): np.asarray(rows)
        for country, rows in people.groupby("country", sort=False).indices.items()
    }
    return Subjects(
        people["id"].astype("str").reset_index(drop=True),
        {name: sex == name for name in SEXES},
        age,
        reference_year - age,
        rows,
    )


def age_in(year: int | None, subjects: Subjects) -> np.ndarray:
    """Compute each person's age at the beginning of what a year begins.

    Args:
        year: The first year of something, or None if it has always been there.
        subjects: The people.

    Returns:
        Ages in whole years, 0 for people who are born later, shape (n_people,), int64.
    """
    if year is None:
        return np.zeros(len(subjects), dtype=np.int64)
    return np.maximum(year - subjects.birth_year, 0)


def by_sex_and_age(curves: Mapping[Sex, Curve], subjects: Subjects) -> np.ndarray:
    """Evaluate, for each person, the curve of their sex at their age.

    Args:
        curves: Curves by sex.
        subjects: The people.

    Returns:
        Values, shape (n_people,), float64.
    """
    values = np.empty(len(subjects))
    for sex, mask in subjects.sex.items():
        values[mask] = curves[sex].at(subjects.age[mask])
    return values


def standard_noise(subjects: Subjects, seed: int, name: str) -> np.ndarray:
    """Draw independent standard normal numbers, one per person.

    Each country draws its own numbers in the order of its people. So other countries, other traits
    and people added after a person do not change that person's number.

    Args:
        subjects: The people.
        seed: The run's root seed.
        name: What the numbers are for. Each name has its own numbers.

    Returns:
        Numbers, shape (n_people,), float64.
    """
    return _noise(subjects, seed, name, np.random.Generator.standard_normal)


def uniform_noise(subjects: Subjects, seed: int, name: str) -> np.ndarray:
    """Draw independent numbers in [0, 1), one per person, as :func:`standard_noise` draws.

    Args:
        subjects: The people.
        seed: The run's root seed.
        name: What the numbers are for. Each name has its own numbers.

    Returns:
        Numbers, shape (n_people,), float64.
    """
    return _noise(subjects, seed, name, np.random.Generator.random)


def _noise(
    subjects: Subjects,
    seed: int,
    name: str,
    draw: Callable[[np.random.Generator, int], np.ndarray],
) -> np.ndarray:
    noise = np.empty(len(subjects))
    for country, rows in subjects.rows_of_country.items():
        generator = np.random.default_rng(derive_seed(seed, "phenotypes", name, country))
        noise[rows] = draw(generator, rows.size)
    return noise
