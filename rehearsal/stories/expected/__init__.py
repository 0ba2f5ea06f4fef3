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
from rehearsal.stories.pooled_cohort import Cohort
from rehearsal.stories.story_types import Question, Story

TRUTHS: Mapping[str, Callable[[Question, Cohort], Any]] = {
    "alert": alert.truth,
    "beacon": beacon.truth,
    "comparison": comparison.truth,
    "drug_flags": drug_flags.truth,
    "hazard_ratio": hazard_ratio.truth,
    "match": match.truth,
    "score": score.truth,
}


def truth_of(story: Story, cohort: Cohort) -> dict[str, Any]:
    """The right answers to a story's questions by their ids: plain JSON values."""
    found = {one.id: TRUTHS[one.kind](one, cohort) for one in story.questions}
    return orjson.loads(orjson.dumps(found))
