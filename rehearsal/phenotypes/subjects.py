"""The people of all countries as plain arrays, and noise that each country draws by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rehearsal.errors import InputError
from rehearsal.model import SEXES, Sex
from rehearsal.phenotypes.age_curves import Curve
from rehearsal.seeds import derive_seed


@dataclass(frozen=True)
class Subjects:
    """What phenotypes need to know of each person; arrays of the same length n."""

    id: pd.Series  # text
    sex: Mapping[Sex, np.ndarray]  # masks
    age: np.ndarray  # whole years completed
    rows_of_country: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.id)


def subjects(people: pd.DataFrame, reference_year: int) -> Subjects:
    """The people (columns id, country, sex, birth_year) at the end of a year.

    Raises InputError for a sex that is neither of the two, or a birth after the year.
    """
    unknown = people.loc[~people["sex"].isin(SEXES), "sex"]
    if len(unknown):
        raise InputError(
            "people", "sex", f"expected {' or '.join(SEXES)}, found {unknown.iloc[0]!r}"
        )
    age = reference_year - people["birth_year"].to_numpy(dtype=np.int64)
    if (age < 0).any():
        raise InputError("people", "birth_year", f"expected a year up to {reference_year}")
    sex = people["sex"].to_numpy(dtype=object)
    rows = {
        str(country): np.asarray(rows)
        for country, rows in people.groupby("country", sort=False).indices.items()
    }
    return Subjects(
        people["id"].astype("str").reset_index(drop=True),
        {name: sex == name for name in SEXES},
        age,
        rows,
    )


def by_sex_and_age(curves: Mapping[Sex, Curve], subjects: Subjects) -> np.ndarray:
    """Each person's point on the curve of their sex, n numbers."""
    values = np.empty(len(subjects))
    for sex, mask in subjects.sex.items():
        values[mask] = curves[sex].at(subjects.age[mask])
    return values


def standard_noise(subjects: Subjects, seed: int, name: str) -> np.ndarray:
    """Independent standard normal numbers, one a person.

    Each country draws its own, in the order of its people: neither another country nor another
    trait changes them, nor do people added after a person.
    """
    return _noise(subjects, seed, name, np.random.Generator.standard_normal)


def uniform_noise(subjects: Subjects, seed: int, name: str) -> np.ndarray:
    """Independent numbers in [0, 1), one a person, drawn as ``standard_noise`` draws."""
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
