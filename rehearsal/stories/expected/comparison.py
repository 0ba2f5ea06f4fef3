"""The truth of comparisons: numbers of people by stratum, arm and outcome, by country."""

from __future__ import annotations

from rehearsal.stories.beacon_queries import comparison_queries
from rehearsal.stories.pooled_cohort import PooledCohort
from rehearsal.stories.story_types import Question


def compute_answer(question: Question, cohort: PooledCohort) -> dict[str, dict[str, int]]:
    """Compute numbers of people by part of the question and country.

    Args:
        question: The question.
        cohort: The pooled cohort.
    """
    queries = comparison_queries(question)
    found = cohort.beacon.compute_answers(queries.values())
    return {
        part: {country: one.count for country, one in found[query.id].items()}
        for part, query in queries.items()
    }
