"""The truth of hazard ratios: a Cox regression of the pooled people, written out.

It is stratified by country and sex. Ties follow Efron, whose partial likelihood is computed event
by event here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from rehearsal.stories.expected.score import permitted_scores
from rehearsal.stories.pooled_cohort import PooledCohort
from rehearsal.stories.story_types import Question

Stratum = tuple[np.ndarray, np.ndarray, np.ndarray]  # score, year, whether ill; shape (people,)


def compute_answer(question: Question, cohort: PooledCohort) -> dict[str, Any]:
    """Compute the hazard ratio of a disease per unit of a score.

    Args:
        question: The question.
        cohort: The pooled cohort.

    Returns:
        ``ratio``, ``low`` and ``high`` at the confidence of the question, ``people``, ``events``
        and ``countries``.
    """
    asked = question.parameters
    table = add_follow_up(
        permitted_scores(cohort, asked["trait"], question.asker.purpose),
        cohort.table("phenotypes/diseases.parquet"),
        asked["disease"],
        cohort.reference_year,
    )
    strata = [
        (group["score"].to_numpy(), group["year"].to_numpy(), group["ill"].to_numpy())
        for _, group in table.groupby(["country", "sex"], sort=False)
    ]
    coefficient, error = fit_cox_model(strata)
    reach = float(ndtri((1 + asked["confidence"]) / 2)) * error
    return {
        "ratio": math.exp(coefficient),
        "low": math.exp(coefficient - reach),
        "high": math.exp(coefficient + reach),
        "people": len(table),
        "events": int(table["ill"].sum()),
        "countries": list(dict.fromkeys(cohort.people["country"])),
    }


def add_follow_up(
    people: pd.DataFrame, diseases: pd.DataFrame, code: str, reference_year: int
) -> pd.DataFrame:
    """Add ``ill`` and ``year``: the year of life of onset, otherwise the last completed year.

    People in their first year of life are left out.

    Args:
        people: The people, one per row.
        diseases: Rows of ``phenotypes/diseases.parquet``.
        code: Code of the disease.
        reference_year: Last year of follow-up.
    """
    onsets = diseases[diseases["code"] == code].groupby("individual")["age_of_onset"].min()
    onset = people["id"].map(onsets)
    lived = reference_year - people["birth_year"] - 1
    table = people.assign(ill=onset.notna(), year=onset.fillna(lived).astype(int))
    return table[table["year"] >= 0]


def fit_cox_model(strata: Sequence[Stratum]) -> tuple[float, float]:
    """Fit the model by Newton's method.

    Args:
        strata: Score, year and illness of the people of each stratum.

    Returns:
        The coefficient and its standard error.
    """
    coefficient = 0.0
    for _ in range(50):
        slope = curvature = 0.0
        for score, year, ill in strata:
            for when in sorted(set(year[ill].tolist())):
                at_risk, tied = score[year >= when], score[ill & (year == when)]
                slope += float(tied.sum())
                for place in range(len(tied)):
                    weights = np.concatenate(
                        [np.exp(coefficient * at_risk), np.exp(coefficient * tied)]
                    )
                    weights[len(at_risk) :] *= -place / len(tied)
                    values = np.concatenate([at_risk, tied])
                    mean = float(weights @ values / weights.sum())
                    slope -= mean
                    curvature += float(weights @ values**2 / weights.sum()) - mean**2
        step = slope / curvature
        coefficient += step
        if abs(step) < 1e-12:
            break
    return coefficient, 1 / math.sqrt(curvature)
