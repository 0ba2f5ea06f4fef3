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
    "alert": alert.compute_answer,
    "beacon": beacon.compute_answer,
    "comparison": comparison.compute_answer,
    "drug_flags": drug_flags.compute_answer,
    "hazard_ratio": hazard_ratio.compute_answer,
    "match": match.compute_answer,
    "score": score.compute_answer,
}


def compute_answers(story: Story, cohort: PooledCohort) -> dict[str, Any]:
    """The right answers to a story's questions by their ids: plain JSON values."""
    found = {one.id: EXPECTED_ANSWERS[one.kind](one, cohort) for one in story.questions}
    return orjson.loads(orjson.dumps(found))
