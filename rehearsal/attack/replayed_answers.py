"""A node's answers to one new user with a full budget, replayed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearsal.attack.node_extract import NodeExtract
from rehearsal.attack.replay_kernel import count_contributing
from rehearsal.node.privacy.noise import reaches_threshold, round_count
from rehearsal.node.privacy.prices import prices
from rehearsal.node.privacy.protection import Protection


@dataclass(frozen=True, slots=True)
class AnswerPrices:
    """The price of an answer about each allele for every carrier, and the budget of a person."""

    presence: NDArray[np.float64]
    count: NDArray[np.float64]
    limit: float

    @classmethod
    def of(cls, node: NodeExtract, protection: Protection) -> AnswerPrices:
        """Compute the prices of a node's answers.

        Args:
            node: The node.
            protection: How the node protects its answers.
        """
        limit = min(protection.user_budget, protection.individual_budget)
        if limit == math.inf:
            free = np.zeros(node.known.size)
            return cls(free, free, limit)
        presence, count = (
            prices(node.known, node.people, protection, counted) for counted in (False, True)
        )
        return cls(presence, count, limit)


@dataclass(frozen=True, slots=True)
class ReplayedAnswers:
    """Answers to a list of questions.

    ``count`` is -1 for present alleles whose count is not given.
    """

    exists: NDArray[np.bool_]
    count: NDArray[np.int64]


def replay_answers(
    node: NodeExtract,
    asked: NDArray[np.int64],
    left_out: int,
    counted: bool,
    protection: Protection,
    price: AnswerPrices,
    drawn: NDArray[np.int64],
) -> ReplayedAnswers:
    """Replay the answers to a new user who asks for these alleles one after the other.

    Args:
        node: The node.
        asked: Numbers of the alleles, in order.
        left_out: A person who is not in the node; -1 for none.
        counted: Whether counts are asked for, or presence.
        protection: How the node protects its answers.
        price: Prices of the answers.
        drawn: Noise of each allele of the node, shape (alleles, 2).
    """
    up, shift = drawn[asked].T
    shown, with_count = count_contributing(
        asked,
        node.carriers.start,
        node.carriers.items,
        left_out,
        counted,
        price.presence[asked],
        price.count[asked],
        price.limit,
        node.people,
    )
    exists = reaches_threshold(shown, up, protection)
    count = np.where(exists, round_count(shown, shift, protection), 0)
    return ReplayedAnswers(exists, np.where(exists & ~with_count, -1, count))
