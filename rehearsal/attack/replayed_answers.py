"""A node's answers to one user, replayed: what a fresh user with a whole budget is told."""

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
    """What an answer about each of a node's alleles costs every carrier, and what he has."""

    presence: NDArray[np.float64]
    count: NDArray[np.float64]
    limit: float

    @classmethod
    def of(cls, node: NodeExtract, protection: Protection) -> AnswerPrices:
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
    """Answers to a list of questions; ``count`` is -1 where it is not told of those there."""

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
    """What a fresh user is told who asks for these alleles (numbers) one after the other.

    ``left_out`` is a person who is not in the node (-1: nobody); ``drawn`` the noise of each
    allele of the node, of shape (alleles, 2).
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
