"""Which drug a patient gets: one on the market that the patient may have, in its share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rehearsal.phenotypes.clinical_types import Drug, Treatment
from rehearsal.phenotypes.subjects import Subjects, age_in


@dataclass(frozen=True)
class DrugChoice:
    """When each patient may start each drug of a treatment. Arrays: (n_drugs, n_patients)."""

    shares: np.ndarray  # (n_drugs,)
    first: np.ndarray  # lowest age at the start, years; inf: never
    last: np.ndarray  # highest age at the start in completed years

    @classmethod
    def of(
        cls, treatment: Treatment, rows: np.ndarray, indication: np.ndarray, cohort: Subjects
    ) -> DrugChoice:
        """Find when the patients of a treatment may start its drugs.

        Args:
            treatment: The treatment.
            rows: Rows of the patients, shape (n_patients,).
            indication: What each is treated for, indices into ``treatment.indications``.
            cohort: The people.

        Returns:
            The choice.
        """
        drugs = treatment.drugs
        first = np.empty((len(drugs), rows.size))
        for number, drug in enumerate(drugs):
            lowest = np.maximum(drug.eligible.age[0], age_in(drug.market_year, cohort)[rows])
            may = np.zeros(rows.size, dtype=bool)
            for sex in drug.eligible.sexes:
                may |= cohort.sex[sex][rows]
            first[number] = np.where(may & _is_for(drug, treatment)[indication], lowest, np.inf)
        last = np.array([drug.eligible.age[1] for drug in drugs])
        return cls(np.array([drug.share for drug in drugs]), first, last[:, np.newaxis])

    def wait(self, start: np.ndarray, waits: np.ndarray) -> np.ndarray:
        """Put off the start of patients who may have no drug yet.

        Args:
            start: Ages in years, shape (n_patients,).
            waits: Whether a patient waits for the first drug.

        Returns:
            Ages in years, shape (n_patients,), inf for those who wait in vain.
        """
        possible = np.maximum(self.first, start)
        possible[np.floor(possible) > self.last] = np.inf
        return np.where(waits, possible.min(axis=0), start)

    def pick(self, start: np.ndarray, draw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Choose a drug for each patient.

        Args:
            start: Ages in years, shape (n_patients,).
            draw: Uniform numbers, shape (n_patients,).

        Returns:
            Indices of drugs, and whether there is a drug to choose, shape (n_patients,).
        """
        allowed = (self.first <= start) & (np.floor(start) <= self.last)
        weights = np.cumsum(allowed * self.shares[:, np.newaxis], axis=0)
        total = weights[-1]
        return (weights <= draw * total).sum(axis=0).clip(max=len(self.shares) - 1), total > 0


def pick(shares: Sequence[float], draw: np.ndarray) -> np.ndarray:
    """Choose an index for each uniform number, with the given shares.

    Args:
        shares: Shares that add up to 1.
        draw: Uniform numbers, any shape.

    Returns:
        Indices into ``shares``, same shape.
    """
    index = np.searchsorted(np.cumsum(shares), draw, side="right")
    return np.minimum(index, len(shares) - 1)


def _is_for(drug: Drug, treatment: Treatment) -> np.ndarray:
    """Say for each indication of a treatment whether the drug is for it."""
    named = drug.eligible.indications
    return np.array([named is None or name in named for name in treatment.indications])
