"""The questions that tell an attacker most under a protection.

The attacker computes from public facts which questions can cost anything, and which of these tell
most. Free answers and refusals are the same whoever is in the node, so their order does not matter.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rehearsal.attack.likelihood import Evidence, door_table
from rehearsal.attack.questions import Questions
from rehearsal.attack.strategies import Aim, Attacker
from rehearsal.node.beacon.protected_questions import UNLISTED_PER_BASE
from rehearsal.node.privacy.expectation import ShareBounds, expect
from rehearsal.node.privacy.mechanism import Mechanism
from rehearsal.node.privacy.public_facts import PublicFacts


def most_informative(aim: Aim, attacker: Attacker, questions: Questions, number: int) -> Questions:
    """Choose the questions whose answers tell an attacker most, of those that can cost anything.

    Args:
        aim: What the attack is aimed at.
        attacker: What the attacker knows.
        questions: The questions.
        number: How many to choose.

    Returns:
        The best questions, the best first.
    """
    gain = np.full(len(questions), -1.0)
    predicted = predictions(aim, questions)
    for answer in (-1, 0, 1) if questions.counted else (-1,):
        places = np.flatnonzero(predicted == answer)
        if not places.size:
            continue
        secret = aim.secret
        evidence = door_evidence(
            secret.people, aim.mechanism, answer == 1, questions.counted, secret.has_stand_in
        )
        if attacker == "everybody else":
            more = np.maximum(questions.inside, questions.outside)[places]
            differs = (questions.inside != questions.outside)[places]
            gain[places] = evidence.gain_of_one[more] * differs
        else:
            gain[places] = evidence.gain(questions.share[places]) * questions.matches[places]
    some = np.argpartition(-gain, number)[:number] if number < len(gain) else np.arange(len(gain))
    best = some[np.argsort(-gain[some], kind="stable")]
    return questions.take(best[gain[best] >= 0])


def costly(aim: Aim, questions: Questions, number: int) -> Questions:
    """Choose the first questions that can cost anything.

    Args:
        aim: What the attack is aimed at.
        questions: The questions.
        number: How many to choose.

    Returns:
        The questions.
    """
    if questions.counted:
        return questions.take(np.arange(min(number, len(questions))))
    return questions.take(np.flatnonzero(predictions(aim, questions) == -1)[:number])


def predictions(aim: Aim, questions: Questions) -> NDArray[np.int64]:
    """Say which answers public facts predict, from the shares.

    Args:
        aim: What the attack is aimed at.
        questions: The questions.

    Returns:
        1 for yes, 0 for no, -1 where nothing is predicted. A share within 0.0005 of a boundary may
        count as not predicted.
    """
    no_below, yes_from = _boundaries(aim.node.facts, aim.mechanism, aim.protection.threshold)
    return np.where(questions.share >= yes_from, 1, np.where(questions.share < no_below, 0, -1))


@lru_cache(maxsize=64)
def _boundaries(facts: PublicFacts, mechanism: Mechanism, threshold: int) -> tuple[float, float]:
    """Return the shares below which the answer is surely no, and from which it is surely yes."""
    unlisted = facts.listed_from + UNLISTED_PER_BASE

    def predicted(share: float) -> bool | None:
        return expect(ShareBounds(share, share + unlisted), facts, threshold, mechanism)

    grid = np.linspace(0, 1, 2_001)
    found = [predicted(float(share)) for share in grid]
    no_below = max((s for s, one in zip(grid, found, strict=True) if one is False), default=0.0)
    yes_from = next((s for s, one in zip(grid, found, strict=True) if one is True), 2.0)
    return float(no_below), float(yes_from)


@lru_cache(maxsize=64)
def door_evidence(
    people: int, mechanism: Mechanism, sure: bool, counted: bool, has_stand_in: bool
) -> Evidence:
    """Return the evidence in paid answers of a door.

    Args:
        people: Number of people in either node.
        mechanism: The tier's noise.
        sure: Whether public facts say that there are enough people.
        counted: Whether answers are counts, or yes and no.
        has_stand_in: Whether somebody else is there when the target is not.

    Returns:
        The evidence.
    """
    return Evidence.of(door_table(people, mechanism, sure, counted), has_stand_in)
