"""Answers without protection, and by the rules that the door replaced.

Only what matters for the attacks is kept of the earlier rules: a threshold, rounding and bounded
noise that is fixed for a question; noise of its own for each allele beside a filter; a list of
terms by exact numbers; and an answer to a range that is a count up to 1,000 variants and a yes
above. Their budgets are left out: the attacks by form, beside alleles and by lists were not charged
to any.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rehearsal.attack.attacked_node import AttackedNode
from rehearsal.attack.likelihood import Evidence, bounded_noise_table
from rehearsal.attack.questions import Questions
from rehearsal.attack.secrets import Secret
from rehearsal.attack.strategies import Aim, Attacker, held_alleles
from rehearsal.errors import mismatch
from rehearsal.node.beacon.question import Question

MOST_COUNTED_VARIANTS = 1_000  # a range with more got a yes, and no count
ALLELES_BY_FORM = 8  # of each target; 21 questions find out about one


@dataclass(frozen=True, slots=True)
class BoundedNoise:
    """Rules that answer from an exact number with bounded noise.

    Attributes:
        threshold: Smallest number that is answered yes.
        rounding: Step of counts.
        noise: Largest change of a count and of the threshold.
    """

    threshold: int
    rounding: int
    noise: int

    def answers(
        self, numbers: NDArray[np.int64], counted: bool, drawn: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Answer questions.

        Args:
            numbers: Numbers of matching people.
            counted: Whether counts are asked for.
            drawn: Two uniform random numbers per question, shape (2, questions).

        Returns:
            Answers as in :func:`~rehearsal.attack.likelihood.bounded_noise_table`.
        """
        raised = (drawn[0] * (self.noise + 1)).astype(np.int64)
        shift = (drawn[1] * (2 * self.noise + 1)).astype(np.int64) - self.noise
        enough = numbers >= self.threshold + raised
        if not counted:
            return enough.astype(np.int64)
        shown = np.maximum(1, (numbers + shift + self.rounding // 2) // self.rounding)
        return np.where(enough, shown, 0)


EXACT = BoundedNoise(1, 1, 0)
EARLIER = BoundedNoise(10, 10, 2)
EARLIER_LIST = BoundedNoise(10, 10, 0)


@lru_cache(maxsize=32)
def bounded_evidence(
    rules: BoundedNoise, people: int, counted: bool, has_stand_in: bool
) -> Evidence:
    """Return the evidence in answers with bounded noise.

    Args:
        rules: The rules.
        people: Number of people in either node.
        counted: Whether answers are counts, or yes and no.
        has_stand_in: Whether somebody else is there when the target is not.

    Returns:
        The evidence.
    """
    table = bounded_noise_table(people, rules.threshold, rules.rounding, rules.noise, counted)
    return Evidence.of(table, has_stand_in)


def score(
    rules: BoundedNoise,
    secret: Secret,
    questions: Questions,
    rows: NDArray[np.int64],
    drawn: NDArray[np.float64],
) -> dict[Attacker, tuple[float, float]]:
    """Score the answers to all questions.

    Args:
        rules: The rules of the answers.
        secret: The secret.
        questions: The questions.
        rows: Rows of the grid of shares for the questions.
        drawn: Two uniform random numbers per question, shape (2, questions). The noise of a
            question is the same in both nodes.

    Returns:
        By attacker, the score if the secret is true, and if it is not.
    """
    evidence = bounded_evidence(rules, secret.people, questions.counted, secret.has_stand_in)
    differs = np.flatnonzero(questions.inside != questions.outside)
    numbers = np.stack([questions.inside, questions.outside])[:, differs]
    answers = rules.answers(numbers, questions.counted, drawn[:, differs])
    # somebody who knows everybody else learns nothing from the other questions
    ratios = evidence.knowing_everybody(numbers[0], numbers[1], answers)
    inside, outside = ratios.sum(axis=1).tolist()
    told = rules.answers(questions.outside, questions.counted, drawn)
    of_all = evidence.knowing_shares(rows, questions.matches, told)
    of_differing = evidence.knowing_shares(rows[differs], questions.matches[differs], answers[0])
    total = float(of_all.sum())
    change = float((of_differing - of_all[differs]).sum())
    return {"frequencies": (total + change, total), "everybody else": (inside, outside)}


def presence_by_form(aim: Aim) -> tuple[Questions, int]:
    """Find out by the form of answers whether the target's rarest alleles are in the node.

    The rows of people who do not permit the purpose count too.

    Args:
        aim: What the attack is aimed at.

    Returns:
        Questions about alleles whose presence the form tells, and how many questions were asked for
        them. Their answers are exact.
    """
    node, secret = aim.node, aim.secret
    carriers = secret.carriers(np.ones(node.people, bool))
    worlds = [Rows(node, np.concatenate([[0], np.cumsum(one > 0)])) for one in carriers]
    told, asked = [], 0
    for allele in held_alleles(aim)[: 10 * ALLELES_BY_FORM]:
        seen = [rows.is_present(*node.places[allele][:2]) for rows in worlds]
        if None in seen:
            continue
        told.append((allele, *seen))
        asked += max(rows.asked for rows in worlds)
        if len(told) == ALLELES_BY_FORM:
            break
    alleles = np.array([one for one, _, _ in told], np.int64)
    inside, outside = (np.array([one[i] for one in told], np.int64) for i in (1, 2))

    def beacon(i: int) -> Question:
        raise LookupError(mismatch("form", "no query of today's node", f"question {i}"))

    share = node.known[alleles] * secret.share()
    matches = np.ones(alleles.size, bool)
    return Questions(inside, outside, share, matches, False, beacon), asked


@dataclass(slots=True)
class Rows:
    """The variants of one node that a range may find.

    Attributes:
        node: The attacked node.
        before: Number of rows before each allele, of the alleles that somebody carries.
        asked: Number of ranges asked for about the last allele.
    """

    node: AttackedNode
    before: Sequence[int] | NDArray[np.int64]
    asked: int = 0

    def is_present(self, contig: str, start: int) -> bool | None:
        """Find out whether there is a variant at a position, by bisection.

        Args:
            contig: Contig of the position.
            start: The position, 0-based.

        Returns:
            Whether there is one; None if the form tells nothing there.
        """
        self.asked = 0
        upto, upto_next = (self._rows_before(contig, one) for one in (start, start + 1))
        if not self._are_many(contig, 0, upto_next):
            return None
        low, high = 0, start + 1  # many from low, not many from high
        while high - low > 1:
            middle = (low + high) // 2
            many = self._are_many(contig, middle, upto_next)
            low, high = (middle, high) if many else (low, middle)
        return not self._are_many(contig, low, upto)

    def _are_many(self, contig: str, first: int, upto: int) -> bool:
        """Tell what the form of an answer told: whether a range has over 1,000 variants."""
        self.asked += 1
        return upto - self._rows_before(contig, first) > MOST_COUNTED_VARIANTS

    def _rows_before(self, contig: str, position: int) -> int:
        node = self.node
        return int(self.before[bisect_left(node.positions, position, *node.rows_of(contig))])
