"""The truth of Beacon questions, by country."""

from __future__ import annotations

from typing import Any

from rehearsal.bench.truth import expected_to_json
from rehearsal.stories.beacon_queries import question_query
from rehearsal.stories.cohort import Cohort
from rehearsal.stories.types import Question


def truth(question: Question, cohort: Cohort) -> dict[str, Any]:
    """What each country must answer, as ``bench.truth`` writes it."""
    expected = cohort.beacon.answer(question_query(question))
    return {country: expected_to_json(one) for country, one in expected.items()}
