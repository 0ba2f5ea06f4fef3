"""The truth of scores: everybody's genetic value, counted into the same bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rehearsal.files import content_digest
from rehearsal.stories.pooled_cohort import PooledCohort
from rehearsal.stories.story_types import Question


def compute_answer(question: Question, cohort: PooledCohort) -> dict[str, Any]:
    """``scoring_file``: its digest; ``countries``: people below, in and above the bins;
    ``patient``: score, and the percentage of people with lower ones, at home and everywhere."""
    asked = question.parameters
    table = permitted_scores(cohort, asked["trait"], question.asker.purpose)
    edges = bin_edges(asked["bins"])
    outer = np.concatenate([[-np.inf], edges, [np.inf]])
    patient = cohort.patient(question.story, question.about) if question.about else None
    return {
        "scoring_file": content_digest(cohort.results / "scores" / f"{asked['trait']}.txt.gz"),
        "countries": {
            str(country): np.histogram(group["score"], outer)[0].tolist()
            for country, group in table.groupby("country", sort=False)
        },
        "patient": None if patient is None else _place(table, patient),
    }


def permitted_scores(cohort: PooledCohort, trait: str, purpose: str | None) -> pd.DataFrame:
    """The people who permit a purpose: the columns of ``people.parquet``, and ``score``."""
    values = cohort.table("truth/genetic_values.parquet")
    own = values[values["trait"] == trait].set_index("individual")["genetic_value"]
    people = cohort.people.assign(score=own.reindex(cohort.people["id"]).to_numpy())
    return people[cohort.beacon.people_permitting(purpose)]


def bin_edges(given: dict[str, float]) -> np.ndarray:
    """Edges of bins, in standard deviations."""
    number = round((given["to"] - given["from"]) / given["width"])
    return np.round(given["from"] + given["width"] * np.arange(number + 1), 2)


def _place(table: pd.DataFrame, patient: str) -> dict[str, Any]:
    row = table[table["id"] == patient].iloc[0]
    home = table[table["country"] == row["country"]]
    return {
        "country": row["country"],
        "score": float(row["score"]),
        "at_home": 100 * float((home["score"] < row["score"]).mean()),
        "everywhere": 100 * float((table["score"] < row["score"]).mean()),
    }
