"""The order of people: carriers and families anywhere among the others of their country."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from rehearsal.genomes.people import PlannedCohort
from rehearsal.seeds import derive_seed


def shuffled(cohort: PlannedCohort, seed: int) -> PlannedCohort:
    """Put the people of each country in a random order. Members of a family stay together.

    Args:
        cohort: The planned cohort.
        seed: The run's root seed.

    Returns:
        The same people, renumbered, and the plan with their new identifiers.
    """
    people = cohort.people
    parts = [
        _order(people, rows.to_numpy(), derive_seed(seed, "order of people", str(code)))
        for code, rows in people.groupby("country", sort=False).groups.items()
    ]
    moved = people.iloc[np.concatenate(parts)].reset_index(drop=True)
    new = dict(zip(moved["id"], people["id"], strict=True))

    def renamed(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
        return table.assign(**{c: table[c].map(new).astype(table[c].dtype) for c in columns})

    return replace(
        cohort,
        people=renamed(moved, "id", "father", "mother"),
        planted=renamed(cohort.planted, "person", "child"),
        patients=renamed(cohort.patients, "individual"),
    )


def _order(people: pd.DataFrame, rows: np.ndarray, seed: int) -> np.ndarray:
    """Draw an order of a country's rows, in which families keep their members together."""
    family = people["family"].iloc[rows]
    own = people["id"].iloc[rows]
    unit = pd.factorize(family.where(family.notna(), own))[0]
    place = np.random.default_rng(seed).permutation(unit.max() + 1)
    return rows[np.argsort(place[unit], kind="stable")]
