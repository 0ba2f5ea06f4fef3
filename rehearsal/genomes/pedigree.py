"""The pedigree of a cohort: who descends from whom, as integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import ploidy


@dataclass(frozen=True)
class Pedigree:
    """The people of a cohort as integers, one entry a row of the people table."""

    father: np.ndarray  # row, -1 for founders
    mother: np.ndarray
    male: np.ndarray
    generation: np.ndarray  # meioses below the farthest founder

    @classmethod
    def of(cls, people: pd.DataFrame) -> Pedigree:
        """Raises InputError for parents that are not in the table (see ``parent_rows``)."""
        father, mother = parent_rows(people)
        male = (people["sex"] == "male").to_numpy(dtype=bool)
        return cls(father, mother, male, generations(father, mother))

    @property
    def founder(self) -> np.ndarray:
        return self.father < 0

    @property
    def depth(self) -> int:
        """Generations between founders and the youngest; the time at which founders live."""
        return int(self.generation.max(initial=0))

    def copies(self, contig: str) -> np.ndarray:
        """Copies of the contig that each person has."""
        return np.where(self.male, ploidy(contig, "male"), ploidy(contig, "female"))

    def first_node(self, contig: str) -> np.ndarray:
        """Each person's first sample node: people in order, a person's nodes together."""
        copies = self.copies(contig)
        return np.cumsum(copies) - copies


def parent_rows(people: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of each person's father and mother, -1 for founders.

    Raises InputError for a parent who is no row of the table and a person with one parent only.
    """
    index = pd.Index(people["id"])
    rows = []
    for column in ("father", "mother"):
        known = people[column].notna().to_numpy()
        row = np.full(len(people), -1, dtype=np.int64)
        row[known] = index.get_indexer(people[column][known])
        if (row[known] < 0).any():
            expected = f"expected ids of people in the column {column}"
            raise InputError("people.parquet", column, expected)
        rows.append(row)
    father, mother = rows
    if ((father < 0) != (mother < 0)).any():
        raise InputError("people.parquet", "father, mother", "expected both parents or neither")
    return father, mother


def generations(father: np.ndarray, mother: np.ndarray) -> np.ndarray:
    """Meioses between each person and the farthest founder above: 0 for founders."""
    depth = np.zeros(len(father), dtype=np.int64)
    child = np.flatnonzero(father >= 0)
    while True:
        deeper = 1 + np.maximum(depth[father[child]], depth[mother[child]])
        if (deeper == depth[child]).all():
            return depth
        if deeper.max() > len(father):
            raise InputError("people.parquet", "father, mother", "expected no one as own ancestor")
        depth[child] = deeper
