"""Sentences and tables about one question of a story, by kind of question.

Each module has two functions: ``describe_request`` says what the asker sent and why;
``answer_parts`` shows what came back and what it means. Both take a question of
``stories/*.json`` as it was written there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from rehearsal.report.questions import alert, beacon, comparison, match, scores

Question = Mapping[str, Any]
Names = Mapping[str, str]


class Told(NamedTuple):
    """How a kind of question is told to a reader.

    Args:
        request: Takes a question and the countries' names; gives sentences on what was asked.
        answer: Takes the same; gives page elements on what came back.
    """

    request: Callable[[Question, Names], str]
    answer: Callable[[Question, Names], Sequence[Any]]


KINDS: dict[str, Told] = {
    "alert": Told(alert.describe_request, alert.answer_parts),
    "beacon": Told(beacon.describe_request, beacon.answer_parts),
    "comparison": Told(comparison.describe_request, comparison.answer_parts),
    "drug_flags": Told(scores.describe_drug_request, scores.drug_parts),
    "hazard_ratio": Told(scores.describe_hazard_request, scores.hazard_parts),
    "match": Told(match.describe_request, match.answer_parts),
    "score": Told(scores.describe_score_request, scores.score_parts),
}
