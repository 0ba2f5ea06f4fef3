"""The right answers of a run's analyses, for the people of the nodes that took part."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.evaluation.analyses.plan import PlannedAnalyses, Step
from rehearsal.files import atomic_path
from rehearsal.model import Block, Variant
from rehearsal.truth.analysis_answers import AnalysisTruth, people_of
from rehearsal.truth.gene_consequences import GeneTruth
from rehearsal.truth.pooled_genotypes import read_genotypes
from rehearsal.truth.query_answers import find_permitting
from rehearsal.truth.variant_classes import Extent

Arrays = dict[str, NDArray[Any]]
ALLELES, PEOPLE = "alleles", "people"  # names of arrays beside those of steps


@dataclass(frozen=True, slots=True)
class CohortFiles:
    """What the right answers are computed from."""

    trees: Mapping[Block, Path]
    people: pd.DataFrame
    measurements: pd.DataFrame
    consent: pd.DataFrame
    diseases: pd.DataFrame
    genes: GeneTruth
    reference_year: int


class RightAnswers:
    """Computes the right answers.

    Args:
        plan: The analyses.
        cohort: The pooled cohort.
    """

    def __init__(self, plan: PlannedAnalyses, cohort: CohortFiles) -> None:
        self._plan, self._cohort = plan, cohort
        self._permitting = find_permitting(cohort.people, cohort.consent, plan.purpose)

    def count_people(self) -> pd.DataFrame:
        """Count the people of each country.

        Returns:
            One row per country: ``country``, ``people``, ``permitting``, and ``known``: those of
            them in whom all outcomes and covariates are known.
        """
        people = self._cohort.people
        table = self._variables(self._permitting)
        table["known"] = table[list(self._plan.outcomes)].notna().all(axis=1)
        counts = {
            "people": people.groupby("country").size(),
            "permitting": table.groupby("country").size(),
            "known": table.groupby("country")["known"].sum(),
        }
        return pd.DataFrame(counts).fillna(0).astype(int).rename_axis("country").reset_index()

    def compute(self, steps: list[Step], present: Mapping[str, Collection[str]]) -> Arrays:
        """Compute the answers of the steps that were played.

        Args:
            steps: The steps of the plan.
            present: The countries in the results of each step; those without are left out.

        Returns:
            Arrays by step and name: ``gwas/z``. ``alleles`` and ``people`` stand for steps too.
        """
        if "frequencies" not in present:
            return {}
        in_list = self._cohort.people["country"].isin(list(present[ALLELES])).to_numpy()
        chosen = self._permitting & in_list
        cohort, least = self._cohort, self._plan.smallest_count
        genotypes = read_genotypes(cohort.trees, cohort.people, chosen, least, cohort.genes)
        people = self._variables(chosen)
        masked = bool(self._plan.frequencies.get("masked"))
        inside = (cohort.genes, present["frequencies"], masked)
        truth = AnalysisTruth(genotypes, people, least, *inside)
        arrays = _named_alleles(genotypes.alleles) | {
            f"{PEOPLE}/country": people["country"].to_numpy(str)
        }
        for step in steps:
            if step.name in present:
                truth.add(step.request, present[step.name])
        for name, answer in truth.answers.items():
            arrays |= {f"{name}/{key}": array for key, array in answer.items()}
        return arrays

    def _variables(self, chosen: NDArray[np.bool_]) -> pd.DataFrame:
        cohort, plan = self._cohort, self._plan
        table = people_of(
            cohort.people, cohort.measurements, chosen, plan.outcomes, cohort.reference_year
        )
        if plan.logistic:
            disease = plan.logistic["outcome"]
            ill = cohort.diseases.loc[cohort.diseases["code"] == disease, "individual"]
            table[disease] = table["id"].isin(ill).astype(float)
        return table


def write_answers(answers: Arrays, path: Path) -> None:
    """Write right answers.

    Args:
        answers: The arrays.
        path: NPZ file.
    """
    with atomic_path(path) as aside, aside.open("wb") as file:
        np.savez(file, allow_pickle=False, **answers)


def _named_alleles(alleles: list[tuple[Variant, Extent]]) -> Arrays:
    """Name alleles as nodes do: those of structural variants with their length."""
    change = [_change(variant, extent) for variant, extent in alleles]
    return {
        f"{ALLELES}/contig": np.array([variant.contig for variant, _ in alleles], dtype=str),
        f"{ALLELES}/position": np.array([variant.start for variant, _ in alleles], dtype=np.int64),
        f"{ALLELES}/change": np.array(change, dtype=str),
    }


def _change(variant: Variant, extent: Extent) -> str:
    alt = variant.alt
    if alt.startswith("<"):
        alt = f"{alt[:-1]}:{extent.length}>"
    return f"{variant.ref}>{alt}"
