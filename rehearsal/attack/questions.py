"""The questions of an attack about one target, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from rehearsal.attack.attacked_node import AttackedNode
from rehearsal.node.access.consent import Purpose
from rehearsal.node.access.rights import Rights
from rehearsal.node.beacon.canonical_queries import canonical_query
from rehearsal.node.beacon.filters import TermFilter
from rehearsal.node.beacon.protected_questions import protected_question
from rehearsal.node.beacon.question import Question
from rehearsal.node.beacon.request import BeaconRequest
from rehearsal.node.beacon.variant_queries import VariantQuery
from rehearsal.node.privacy.door import ProtectedQuestion

MOST_QUESTIONS = 10_000  # about one target


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions about one target, in the order in which they are asked.

    Attributes:
        inside: Number of matching people if the secret is true.
        outside: The same if it is not.
        share: Public share of matching people.
        matches: Whether the target matches, if the secret is true.
        counted: Whether counts are asked for, or yes and no.
        beacon: Builds the Beacon query of a question, by its place in the order.
    """

    inside: NDArray[np.int64]
    outside: NDArray[np.int64]
    share: NDArray[np.float64]
    matches: NDArray[np.bool_]
    counted: bool
    beacon: Callable[[int], Question]

    def __len__(self) -> int:
        return len(self.inside)

    def take(self, order: NDArray[np.int64]) -> Questions:
        """Return some questions in another order.

        Args:
            order: Places of the questions.

        Returns:
            The questions.
        """
        order = order[:MOST_QUESTIONS]
        arrays = {
            name: getattr(self, name)[order] for name in ("inside", "outside", "share", "matches")
        }
        beacon = self.beacon
        return replace(self, **arrays, beacon=lambda i: beacon(int(order[i])))


def beacon_question(
    node: AttackedNode,
    purpose: Purpose,
    counted: bool,
    terms: tuple[str, ...] = (),
    variants: VariantQuery | None = None,
) -> Question:
    """Build a query of a caller without a token.

    Args:
        node: The node.
        purpose: The stated purpose.
        counted: Whether a count is asked for.
        terms: Filters.
        variants: The variants asked for.

    Returns:
        The query.
    """
    if purpose not in node.rights:
        node.rights[purpose] = Rights(
            caller=None,
            purpose=purpose,
            tiers={},
            rules={},
            finest={node.data.settings.people_dataset: "count"},
            doors={},
            excluded=BitMap(),
            permitted=None,
            permitted_share=node.permitted_share(purpose),
        )
    request = BeaconRequest(filters=tuple(map(TermFilter, terms)), variants=variants)
    return Question("individuals", request, "count" if counted else "boolean", node.rights[purpose])


def protected(node: AttackedNode, question: Question) -> ProtectedQuestion:
    """Build the protected question that a query for people stands for, as the node does.

    Args:
        node: The node.
        question: The query.

    Returns:
        The protected question.
    """
    request = question.request
    key = request.filters, request.variants, question.rights.purpose
    if key not in node.questions:
        dataset = node.data.dataset(node.data.settings.people_dataset)
        query = canonical_query(request.variants, node.data, node.facts)
        built = protected_question(question, query, dataset, node.facts, node.data)
        node.questions[key] = built
    return node.questions[key]
