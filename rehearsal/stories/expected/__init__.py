"""The right answers to questions by kind, from the pooled cohort.

These modules import no code of a node or an export; a test follows their imports.
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
    """Compute the right answers to a story's questions.

    Args:
        story: The story.
        cohort: The pooled cohort.

    Returns:
        Right answers by question id: plain JSON values.
    """
    found = {one.id: EXPECTED_ANSWERS[one.kind](one, cohort) for one in story.questions}
    return orjson.loads(orjson.dumps(found))
