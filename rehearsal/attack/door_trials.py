"""Attacks through the real door with the real ledger.

Each target is a trial of its own: a tier with its own noise and a full budget. The two nodes of a
pair draw the same noise. That changes neither the scores of members nor those of others, and takes
chance out of the difference.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from rehearsal.attack.best_questions import door_evidence
from rehearsal.attack.questions import Questions, protected
from rehearsal.attack.strategies import Aim, Attacker
from rehearsal.node.privacy.door import Door, ProtectedQuestion, Refused
from rehearsal.node.privacy.expectation import expect
from rehearsal.node.privacy.ledger import Ledger

NOISE_KEY = bytes(range(32))
ASKED_IN_TRIALS = 3  # questions that can cost anything, of each trial: the budget pays for fewer


def no_wait(seconds: float) -> None:
    """Go on at once. These attacks look at answers, not at their time.

    Args:
        seconds: How long the node would wait.
    """


@dataclass(frozen=True, slots=True)
class Ask:
    """One question of a trial.

    Attributes:
        question: The protected question.
        counted: Whether a count is asked for.
        sure: Whether public facts say that there are enough people.
        numbers: Matching people if the secret is true, and if not.
    """

    question: ProtectedQuestion
    counted: bool
    sure: bool
    numbers: tuple[int, int]


@dataclass(slots=True)
class Trial:
    """One target of one attack.

    Attributes:
        aim: What the attack is aimed at.
        questions: The chosen questions.
        name: Name of the trial, from which its noise follows.
        asks: The questions as the door takes them.
        seen: The paid answers in both nodes, as (question, answer).
    """

    aim: Aim
    questions: Questions
    name: str
    asks: list[Ask] = field(default_factory=list)
    seen: tuple[set[tuple[int, int]], set[tuple[int, int]]] = field(
        default_factory=lambda: (set(), set())
    )

    def prepare(self) -> None:
        """Build the questions as the node does."""
        node, aim = self.aim.node, self.aim
        for place in range(len(self.questions)):
            question = protected(node, self.questions.beacon(place))
            sure = expect(question.shares, node.facts, aim.protection.threshold, aim.mechanism)
            numbers = int(self.questions.inside[place]), int(self.questions.outside[place])
            self.asks.append(Ask(question, self.questions.counted, sure is True, numbers))

    def ask(self, ledger: Ledger, side: int, callers: int, first: int, last: int) -> None:
        """Ask some of the questions in one node.

        Args:
            ledger: The ledger of that node.
            side: 0 for the node where the secret is true, else 1.
            callers: Number of callers who ask each question.
            first: Place of the first question.
            last: One past the last.
        """
        door = Door(self.name, self.aim.protection, self.aim.node.facts, ledger, NOISE_KEY, no_wait)
        step = door.mechanism.rounding
        for place in range(first, min(last, len(self.asks))):
            one = self.asks[place]
            for caller in range(callers):
                try:
                    answer = door.answer(
                        one.question,
                        one.counted,
                        f"caller {place} {caller}",
                        partial(int, one.numbers[side]),
                    )
                except Refused:
                    break
                if answer.basis == "noisy count":
                    shown = int(answer.exists) if answer.count is None else answer.count // step
                    self.seen[side].add((place, shown))

    def score(self, attacker: Attacker) -> tuple[float, float]:
        """Compute the log-likelihood ratio of all paid answers.

        Args:
            attacker: What the attacker knows.

        Returns:
            The score if the secret is true, and if it is not.
        """
        return self._score(attacker, 0), self._score(attacker, 1)

    def _score(self, attacker: Attacker, side: int) -> float:
        total, secret = 0.0, self.aim.secret
        for place, shown in sorted(self.seen[side]):
            ask, at = self.asks[place], slice(place, place + 1)
            evidence = door_evidence(
                secret.people, self.aim.mechanism, ask.sure, ask.counted, secret.has_stand_in
            )
            answer, asked = np.array([min(shown, evidence.table.shape[1] - 1)]), self.questions
            if attacker == "everybody else":
                ratio = evidence.knowing_everybody(asked.inside[at], asked.outside[at], answer)
            else:
                ratio = evidence.knowing_shares(asked.share[at], asked.matches[at], answer)
            total += float(ratio[0])
        return total


def run_trials(trials: Sequence[Trial], callers: int, restarts: int) -> None:
    """Attack the two nodes of every trial.

    After a restart, a new process on the same ledger, all questions so far are asked again, and
    one more.

    Args:
        trials: The trials.
        callers: Number of callers who ask each question.
        restarts: Number of restarts of the nodes.
    """
    for trial in trials:
        trial.prepare()
    with tempfile.TemporaryDirectory() as folder:
        for side in (0, 1):
            path = Path(folder) / f"{side}.sqlite" if restarts else None
            for start in range(restarts + 1):
                last = start + 1 if restarts else ASKED_IN_TRIALS
                with closing(Ledger("trials", NOISE_KEY, path)) as ledger:
                    for trial in trials:
                        trial.ask(ledger, side, callers, 0, last)
