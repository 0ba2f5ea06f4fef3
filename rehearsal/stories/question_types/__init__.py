"""Kinds of questions: how each is read, asked and judged. Its truth is in ``stories.truths``.

A kind is a module with four functions (``Kind``), listed here and in ``truths`` by its name.
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
    from rehearsal.stories.query_context import Desk
    from rehearsal.stories.reference_checks import Known
    from rehearsal.stories.story_types import Check, Question, Told


class Kind(Protocol):
    """What a kind's module offers."""

    def read(self, entry: Entry, own: Mapping[str, Entry], known: Known) -> dict[str, Any]:
        """The question's ``parameters``, from the keys that are the kind's own.

        ``entry`` is the whole question, to complain of. Raises InputError.
        """
        ...

    async def ask(self, question: Question, desk: Desk) -> Any:
        """Put the question; returns whatever the kind needs of what came."""
        ...

    def tell(self, question: Question, reply: Any) -> Told:
        """What came, for a reader."""
        ...

    def judge(self, question: Question, truth: Any, reply: Any) -> list[Check]:
        """Compare what came with what ``truths`` found for this kind."""
        ...


KINDS: dict[str, Kind] = {
    "alert": alert,
    "beacon": beacon,
    "comparison": comparison,
    "drug_flags": drug_flags,
    "hazard_ratio": hazard_ratio,
    "match": match,
    "score": score,
}
