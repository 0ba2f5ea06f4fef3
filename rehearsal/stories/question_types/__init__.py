"""Question types: how a question is read, asked, summarised and judged.

A question type is a module with four functions (``QuestionType``). It is listed here and, for its
right answer, by its name in ``stories.expected``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
    """The functions that the module of a question type has."""

    def read(
        self, question: Entry, keys: Mapping[str, Entry], references: RunReferences
    ) -> dict[str, Any]:
        """Read the keys that only this type has.

        Args:
            question: The question, for errors.
            keys: Its own keys, by name.
            references: What stories may refer to.

        Returns:
            The question's ``parameters``, as plain JSON values.

        Raises:
            InputError: A key or value is not allowed.
        """
        ...

    async def ask(self, question: Question, context: QueryContext) -> Any:
        """Ask the question.

        Args:
            question: The question.
            context: Connection to the network.

        Returns:
            What the type needs of the reply.
        """
        ...

    def summarise(self, question: Question, reply: Any) -> ReplySummary:
        """Summarise the reply for readers.

        Args:
            question: The question.
            reply: What :meth:`ask` returned.
        """
        ...

    def judge(
        self, question: Question, expected: Any, reply: Any, foreign: Collection[str] = ()
    ) -> list[Check]:
        """Compare the reply with the right answer.

        A node of somebody else has to be a Beacon. It may give less than a question asks for, and
        need not have the other APIs of ours. What it gives must be true.

        Args:
            question: The question.
            expected: Its right answer, from ``stories.expected``.
            reply: What :meth:`ask` returned.
            foreign: Countries whose nodes someone else runs.
        """
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
