"""What the right answer to a question is, by kind, from the pooled cohort.

Nothing behind these modules is a node's or an export's: a test follows their imports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from rehearsal.stories.expected import (
    alert,
    beacon,
    comparison,
    drug_flags,
    hazard_ratio,
    match,
    score,
)
from rehearsal.stories.pooled_cohort import PooledCohort
from rehearsal.stories.story_types import Question, Story

EXPECTED_ANSWERS: Mapping[str, Callable[[Question, PooledCohort], Any]] = {
    "alert": alert.expected_answer,
    "beacon": beacon.expected_answer,
    "comparison": comparison.expected_answer,
    "drug_flags": drug_flags.expected_answer,
    "hazard_ratio": hazard_ratio.expected_answer,
    "match": match.expected_answer,
    "score": score.expected_answer,
}


def expected_answers(story: Story, cohort: PooledCohort) -> dict[str, Any]:
    """The right answers to a story's questions by their ids: plain JSON values."""
    found = {one.id: EXPECTED_ANSWERS[one.kind](one, cohort) for one in story.questions}
    return orjson.loads(orjson.dumps(found))
