"""The pedigree of a cohort: who descends from whom, as integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rehearsal.errors import InputError, shown
from rehearsal.genomes.assembly import ploidy


@dataclass(frozen=True)
class Pedigree:
    """The people of a cohort as integers, one entry per row of the people table."""

    father: np.ndarray  # (n_people,) row of the father, -1 for founders
    mother: np.ndarray  # (n_people,) row of the mother, -1 for founders
    male: np.ndarray  # (n_people,) bool
    generation: np.ndarray  # (n_people,) meioses below the farthest founder

    @classmethod
    def of(cls, people: pd.DataFrame) -> Pedigree:
        """Read the pedigree of a people table.

        Args:
            people: The people table, with the columns id, sex, father and mother.

        Returns:
            The pedigree, in the order of the table.

        Raises:
            InputError: A parent is not in the table (see :func:`parent_rows`).
        """
        father, mother = parent_rows(people)
        male = (people["sex"] == "male").to_numpy(dtype=bool)
        return cls(father, mother, male, generations(father, mother))

    @property
    def founder(self) -> np.ndarray:
        """Whether each person is a founder, shape (n_people,), bool."""
        return self.father < 0

    @property
    def depth(self) -> int:
        """Generations between founders and the youngest people: the time at which founders live."""
        return int(self.generation.max(initial=0))

    def copies(self, contig: str, start: int) -> np.ndarray:
        """Count the copies of a base that each person has.

        Args:
            contig: A contig of GRCh38.
            start: 0-based position on it; the start of a block stands for the whole block.

        Returns:
            0, 1 or 2, shape (n_people,).
        """
        return np.where(self.male, ploidy(contig, "male", start), ploidy(contig, "female", start))

    def first_node(self, contig: str, start: int) -> np.ndarray:
        """Find each person's first sample node in a block. Nodes are in the order of people.

        Args:
            contig: A contig of GRCh38.
            start: 0-based start of the block.

        Returns:
            Node numbers, shape (n_people,).
        """
        copies = self.copies(contig, start)
        return np.cumsum(copies) - copies


def parent_rows(people: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Find the rows of each person's father and mother.

    Args:
        people: The people table, with the columns id, father and mother.

    Returns:
        Rows of the fathers and of the mothers, -1 for founders, each of shape (n_people,), int64.

    Raises:
        InputError: A parent is not in the table, or a person has one parent only.
    """
    index = pd.Index(people["id"])
    rows = []
    for column in ("father", "mother"):
        known = people[column].notna().to_numpy()
        row = np.full(len(people), -1, dtype=np.int64)
        row[known] = index.get_indexer(people[column][known])
        if (row[known] < 0).any():
            unknown = people[column][known][row[known] < 0].iloc[0]
            raise InputError("people.parquet", column, "ids of people in the table", shown(unknown))
        rows.append(row)
    father, mother = rows
    half = (father < 0) != (mother < 0)
    if half.any():
        found = f"one parent of {people['id'].iloc[int(np.argmax(half))]}"
        raise InputError("people.parquet", "father, mother", "both parents or neither", found)
    return father, mother


def generations(father: np.ndarray, mother: np.ndarray) -> np.ndarray:
    """Count the meioses between each person and the farthest founder above.

    Args:
        father: Row of each person's father, -1 for founders, shape (n_people,).
        mother: Row of each person's mother, -1 for founders, shape (n_people,).

    Returns:
        The counts, 0 for founders, shape (n_people,), int64.

    Raises:
        InputError: A person is their own ancestor.
    """
    depth = np.zeros(len(father), dtype=np.int64)
    child = np.flatnonzero(father >= 0)
    while True:
        deeper = 1 + np.maximum(depth[father[child]], depth[mother[child]])
        if (deeper == depth[child]).all():
            return depth
        if deeper.max() > len(father):
            found = "a person who descends from himself or herself"
            raise InputError("people.parquet", "father, mother", "a pedigree without cycles", found)
        depth[child] = deeper
