"""Build the table of people from families."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from rehearsal.genomes.families import MALE, Families
from rehearsal.genomes.pedigree import generations

PEOPLE_COLUMNS = (
    *("id", "country", "population", "sex", "birth_year", "family", "father", "mother"),
    "inbreeding",
)
_TYPES = {"birth_year": "int32", "inbreeding": "float64"}  # of columns that are not text
_NUMBERS = ("sex", "birth_year", "family", "father", "mother")  # integers, before ids are made


def people_table(code: str, groups: Sequence[Families]) -> pd.DataFrame:
    """Build the people table of one country.

    Args:
        code: Country code. Ids run from ``{code}-000001``, family ids from ``{code}-F000001``.
        groups: Families of each kind.

    Returns:
        A frame with ``PEOPLE_COLUMNS``: families in the order of the groups, members in the order
        of the family.
    """
    rows = np.concatenate([np.zeros((0, len(_NUMBERS)), dtype=np.int64), *_number_rows(groups)])
    column = dict(zip(_NUMBERS, rows.T, strict=True))
    ids = _names(f"{code}-", len(rows))
    families = _names(f"{code}-F", 1 + int(column["family"].max(initial=-1)))
    return pd.DataFrame(
        {
            "id": ids,
            "country": np.full(len(rows), code, dtype=object),
            "population": np.full(len(rows), code, dtype=object),
            "sex": np.array(["female", "male"], dtype=object)[column["sex"]],
            "birth_year": column["birth_year"].astype(np.int32),
            "family": _named(families, column["family"]),
            "father": _named(ids, column["father"]),
            "mother": _named(ids, column["mother"]),
            "inbreeding": inbreeding(column["father"], column["mother"]),
        }
    ).astype({name: _TYPES.get(name, "str") for name in PEOPLE_COLUMNS})


def inbreeding(father: np.ndarray, mother: np.ndarray) -> np.ndarray:
    """Compute each person's coefficient of inbreeding from the pedigree: the parents' kinship.

    Args:
        father: Row of each person's father, -1 for founders, shape (n,).
        mother: Row of each person's mother, -1 for founders, shape (n,).

    Returns:
        The coefficients, 0 for people whose parents are unrelated, 1/16 for children of first
        cousins, shape (n,).
    """
    found = np.zeros(len(father))
    depth = generations(father, mother)
    with_grandparents = (father >= 0) & (father[father] >= 0) & (father[mother] >= 0)
    rows = np.flatnonzero(with_grandparents)
    for row in rows[np.argsort(depth[rows], kind="stable")].tolist():
        found[row] = _kinship(father[row], mother[row], (father, mother, depth), found)
    return found


def _kinship(
    one: int, other: int, pedigree: tuple[np.ndarray, np.ndarray, np.ndarray], known: np.ndarray
) -> float:
    """Compute the kinship of two people by the recursion over the younger one's parents."""
    father, mother, depth = pedigree
    if one == other:
        return (1 + float(known[one])) / 2
    younger, older = (one, other) if depth[one] >= depth[other] else (other, one)
    if father[younger] < 0:
        return 0.0
    parents = (father[younger], mother[younger])
    return sum(_kinship(older, parent, pedigree, known) for parent in parents) / 2


def _number_rows(groups: Sequence[Families]) -> Iterator[np.ndarray]:
    """Yield rows of ``_NUMBERS`` for each group: parents are rows of the table, -1 is none."""
    first = first_family = 0
    for group in groups:
        n, m = group.sex.shape
        start = first + m * np.arange(n)[:, None]
        one, two = group.parents.T
        has_parents = np.broadcast_to(one >= 0, (n, m))
        one_is_male = group.sex[:, one] == MALE
        father, mother = np.where(one_is_male, one, two), np.where(one_is_male, two, one)
        family = np.broadcast_to(first_family + np.arange(n)[:, None], (n, m))
        columns = (
            group.sex,
            group.birth_year,
            family if m > 1 else np.full((n, m), -1),
            np.where(has_parents, start + father, -1),
            np.where(has_parents, start + mother, -1),
        )
        yield np.column_stack([column.ravel() for column in columns])
        first += n * m
        first_family += n if m > 1 else 0


def _names(prefix: str, number: int) -> np.ndarray:
    return np.array([f"{prefix}{n:06d}" for n in range(1, number + 1)], dtype=object)


def _named(names: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Select ``names[numbers]``, with None for -1."""
    return np.array([*names, None], dtype=object)[numbers]
