"""The truth of scores: the genetic values of all people, counted into the same bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rehearsal.files import content_digest
from rehearsal.stories.pooled_cohort import PooledCohort
from rehearsal.stories.story_types import Question


def compute_answer(question: Question, cohort: PooledCohort) -> dict[str, Any]:
    """Compute the distribution of a score.

    Args:
        question: The question.
        cohort: The pooled cohort.

    Returns:
        ``scoring_file``: its digest. ``countries``: people below, in and above the bins.
        ``patient``: score, and the percentage of people with lower ones, at home and everywhere.
    """
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
    """Return the people who permit a purpose: columns of ``people.parquet``, and ``score``.

    Args:
        cohort: The pooled cohort.
        trait: Name of the trait.
        purpose: DUO terms. None if no purpose is stated.
    """
    own = pd.read_parquet(
        cohort.results / "truth/genetic_values.parquet",
        columns=["individual", "genetic_value", "background"],
        filters=[("trait", "==", trait)],  # one of many: with all, half of the memory
    ).set_index("individual")
    scores = own["genetic_value"] - own["background"]  # nodes know the simulated genome only
    people = cohort.people.assign(score=scores.reindex(cohort.people["id"]).to_numpy())
    return people[cohort.beacon.people_permitting(purpose)]


def bin_edges(given: dict[str, float]) -> np.ndarray:
    """Return the edges of bins, in standard deviations.

    Args:
        given: ``from``, ``to`` and ``width``.
    """
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
