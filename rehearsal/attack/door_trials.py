"""Attacks through the real door with the real ledger.

Each target is a trial of its own: a tier with its own noise and a full budget. The two nodes of a
pair draw the same noise. That changes neither the scores of members nor those of others, and takes
chance out of the difference.

Which questions are paid depends on the questions that were asked, and never on the node's secret
key. So a trial asks the door with one key, and what was paid is then answered with other keys too,
by the node's own functions. The power over many keys depends less on chance.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearsal.attack.best_questions import door_evidence
from rehearsal.attack.likelihood import door_answers, grid_rows
from rehearsal.attack.questions import Questions, protected
from rehearsal.attack.strategies import Aim, Attacker
from rehearsal.node.privacy.door import Door, ProtectedQuestion, Refused, question_key
from rehearsal.node.privacy.expectation import expect
from rehearsal.node.privacy.ledger import Ledger
from rehearsal.node.privacy.mechanism import draw_noise
from rehearsal.seeds import derive_seed

NOISE_KEY = bytes(range(32))
NOISE_DRAWS = 8  # secret keys of a node with which each target is attacked
SHARED_MEMORY = "/dev/shm"
ASKED_IN_TRIALS = 3  # questions that can cost anything, of each trial: the budget pays for fewer


def noise_keys(seed: int, code: str) -> list[bytes]:
    """Choose the secret keys of a node.

    Args:
        seed: Root seed.
        code: Country code of the node.

    Returns:
        ``NOISE_DRAWS`` keys of 32 bytes.
    """
    random = np.random.default_rng(derive_seed(seed, code, "noise"))
    return [random.bytes(32) for _ in range(NOISE_DRAWS)]


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


@dataclass(frozen=True, slots=True)
class Paid:
    """An answer of the door for a price.

    Attributes:
        place: Place of the question.
        side: 0 for the node where the secret is true, else 1.
        shown: The answer: 0 for "no", i for the count ``i * rounding``, or 1 for "yes".
        noise: The noise that each other key draws, None if other keys show nothing.
    """

    place: int
    side: int
    shown: int
    noise: list[int] | None


@dataclass(slots=True)
class Trial:
    """One target of one attack.

    Attributes:
        aim: What the attack is aimed at.
        questions: The chosen questions.
        name: Name of the trial, from which its noise follows.
        asks: The questions as the door takes them.
        seen: The paid answers in both nodes, as (question, answer).
        noise: The noise of paid questions with other keys, the same in both nodes.
    """

    aim: Aim
    questions: Questions
    name: str
    asks: list[Ask] = field(default_factory=list)
    seen: tuple[set[tuple[int, int]], set[tuple[int, int]]] = field(
        default_factory=lambda: (set(), set())
    )
    noise: dict[int, list[int]] = field(default_factory=dict)

    def prepare(self) -> None:
        """Build the questions as the node does."""
        node, aim = self.aim.node, self.aim
        for place in range(len(self.questions)):
            question = protected(node, self.questions.beacon(place))
            sure = expect(question.shares, node.facts, aim.protection.threshold, aim.mechanism)
            numbers = int(self.questions.inside[place]), int(self.questions.outside[place])
            self.asks.append(Ask(question, self.questions.counted, sure is True, numbers))

    def ask(self, ledger: Ledger, key: bytes, side: int, callers: int, number: int) -> None:
        """Ask the first questions in one node.

        Args:
            ledger: The ledger of that node.
            key: The secret key of that node.
            side: 0 for the node where the secret is true, else 1.
            callers: Number of callers who ask each question.
            number: Number of questions.
        """
        door = Door(self.name, self.aim.protection, self.aim.node.facts, ledger, key, no_wait)
        step = door.mechanism.rounding
        for place, one in enumerate(self.asks[:number]):
            for caller in range(callers):
                try:
                    answer = door.answer(
                        one.question,
                        one.counted,
                        f"10.0.{place}.{caller}",
                        partial(int, one.numbers[side]),
                    )
                except Refused:
                    break
                if answer.basis == "noisy count":
                    shown = int(answer.exists) if answer.count is None else answer.count // step
                    self.seen[side].add((place, shown))

    def paid(self, side: int, keys: Sequence[bytes]) -> Iterator[Paid]:
        """Iterate over the paid answers.

        Args:
            side: 0 for the node where the secret is true, else 1.
            keys: Secret keys of the node, first the one with which the door was asked.

        Yields:
            The answers.
        """
        answered = Counter(place for place, _ in self.seen[side])
        for place, shown in sorted(self.seen[side]):
            # a question that got two answers tells what no other key can show
            noise = self._noise(place, keys[1:]) if answered[place] == 1 else None
            yield Paid(place, side, shown, noise)

    def most(self, place: int) -> int:
        """Return the largest answer to a question: no count exceeds the public number of people.

        Args:
            place: Place of the question.
        """
        mechanism, people = self.aim.mechanism, self.aim.node.facts.people
        most = round(people * self.asks[place].question.most)
        return mechanism.rounded(most) // mechanism.rounding

    def _noise(self, place: int, keys: Sequence[bytes]) -> list[int]:
        """Draw the noise of a question with other keys, as the door does."""
        if place not in self.noise:
            release, text = self.aim.node.facts.release, self.asks[place].question.text
            question, deviation = (
                question_key(release, self.name, text),
                self.aim.mechanism.deviation,
            )
            self.noise[place] = [draw_noise(key, question, deviation) for key in keys]
        return self.noise[place]


def run_trials(trials: Sequence[Trial], key: bytes, callers: int, restarts: int) -> None:
    """Attack the two nodes of every trial.

    After a restart, a new process on the same ledger, all questions so far are asked again, and
    one more.

    Args:
        trials: The trials.
        key: The secret key of both nodes.
        callers: Number of callers who ask each question.
        restarts: Number of restarts of the nodes.
    """
    for trial in trials:
        trial.prepare()
    # ledgers wait for the disk at each payment; these need not survive the machine
    memory = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        for side in (0, 1):
            path = Path(folder) / f"{side}.sqlite" if restarts else None
            for start in range(restarts + 1):
                number = start + 1 if restarts else ASKED_IN_TRIALS
                with closing(Ledger("trials", key, path)) as ledger:
                    for trial in trials:
                        trial.ask(ledger, key, side, callers, number)


def score_trials(
    trials: Sequence[Trial], attacker: Attacker, keys: Sequence[bytes]
) -> NDArray[np.float64]:
    """Compute the log-likelihood ratio of all paid answers of each trial, for every key.

    Args:
        trials: The trials, after they were run.
        attacker: What the attacker knows.
        keys: Secret keys of the node, first the one with which the trials were run.

    Returns:
        The scores if the secret is true, and if it is not: shape (trials, keys, 2).
    """
    scores = np.zeros((2, len(trials), len(keys)))
    groups: dict[tuple[int, bool, bool], list[tuple[int, Paid]]] = {}
    for number, trial in enumerate(trials):
        for paid in (*trial.paid(0, keys), *trial.paid(1, keys)):
            ask = trial.asks[paid.place]
            groups.setdefault((paid.side, ask.sure, ask.counted), []).append((number, paid))
    for (side, sure, counted), rows in groups.items():
        asked = [(trials[number], paid) for number, paid in rows]
        ratios = _ratios(attacker, sure, counted, asked, len(keys) - 1)
        np.add.at(scores[side], np.array([number for number, _ in rows]), ratios)
    return np.moveaxis(scores, 0, -1)


def _ratios(
    attacker: Attacker,
    sure: bool,
    counted: bool,
    rows: Sequence[tuple[Trial, Paid]],
    others: int,
) -> NDArray[np.float64]:
    """Return the ratios of paid answers: a row per question, a column per key, with the others."""
    aim = rows[0][0].aim
    secret, mechanism = aim.secret, aim.mechanism
    evidence = door_evidence(secret.people, mechanism, sure, counted, secret.has_stand_in)

    def column(name: str) -> NDArray[Any]:
        values = [getattr(trial.questions, name)[paid.place] for trial, paid in rows]
        return np.array(values)[:, None]

    inside, outside = column("inside"), column("outside")
    shown = np.array([paid.shown for _, paid in rows])[:, None]
    noise = np.array([paid.noise or [0] * others for _, paid in rows], np.int64)
    is_kept = np.array([paid.noise is None for _, paid in rows])[:, None]
    numbers = outside if rows[0][1].side else inside
    drawn = door_answers(numbers + noise.reshape(len(rows), others), mechanism, sure, counted)
    if counted:
        drawn = np.minimum(
            drawn, np.array([trial.most(paid.place) for trial, paid in rows])[:, None]
        )
    answers = np.hstack([shown, np.where(is_kept, shown, drawn)])
    answers = np.minimum(answers, evidence.table.shape[1] - 1)
    if attacker == "everybody else":
        return evidence.knowing_everybody(inside, outside, answers)
    return evidence.knowing_shares(grid_rows(column("share")), column("matches"), answers)
