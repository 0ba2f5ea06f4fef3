"""Question types: how a question is read, asked, summarised and judged.

A question type is a module with four functions (``QuestionType``), listed here and, for its right
answer, in ``stories.expected`` by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from rehearsal.stories.question_types import (
    alert,
    beacon,
    comparison,
    drug_flags,
    hazard_ratio,
    match,
    score,
)

if TYPE_CHECKING:
    from rehearsal.phenotypes.yaml_reader import Entry
    from rehearsal.stories.query_context import QueryContext
    from rehearsal.stories.reference_checks import RunReferences
    from rehearsal.stories.story_types import Check, Question, ReplySummary


class QuestionType(Protocol):
    """What the module of a question type offers."""

    def read(
        self, question: Entry, keys: Mapping[str, Entry], references: RunReferences
    ) -> dict[str, Any]:
        """The question's ``parameters``, from the keys that are the type's own.

        ``question`` is the whole of it, to complain of. Raises InputError.
        """
        ...

    async def ask(self, question: Question, context: QueryContext) -> Any:
        """Ask the question; returns whatever the type needs of what came."""
        ...

    def summarise(self, question: Question, reply: Any) -> ReplySummary:
        """What came, for a reader."""
        ...

    def judge(self, question: Question, expected: Any, reply: Any) -> list[Check]:
        """Compare what came with the right answer, as ``stories.expected`` has it."""
        ...


QUESTION_TYPES: dict[str, QuestionType] = {
    "alert": alert,
    "beacon": beacon,
    "comparison": comparison,
    "drug_flags": drug_flags,
    "hazard_ratio": hazard_ratio,
    "match": match,
    "score": score,
}
