"""Five attackers: the alleles that each asks a node for, and its conclusion from the answers."""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rehearsal.attack.evidence import compute_evidence, presence_ratio
from rehearsal.attack.node_extract import NodeExtract
from rehearsal.attack.replayed_answers import AnswerPrices, ReplayedAnswers, replay_answers
from rehearsal.node.privacy.noise import draw_noise
from rehearsal.node.privacy.protection import Protection
from rehearsal.seeds import derive_seed

QUERIES = (1, 5, 10, 50, 100, 500, 1000)

Attack = Literal["presence", "rarest", "informed", "counts", "frequency"]
ATTACKS: tuple[Attack, ...] = ("presence", "rarest", "informed", "counts", "frequency")
COUNTED = ("counts", "frequency")  # attacks that ask for counts; the others ask for presence
COMMON = (0.05, 0.95)  # range of the share of carriers of a common allele


class Attacker:
    """One node under one protection: questions, answers and scores of every attack.

    Args:
        node: The attacked node.
        protection: How the node protects its answers.
        seed: Root seed of noise and questions.
    """

    def __init__(self, node: NodeExtract, protection: Protection, seed: int) -> None:
        self.node, self.protection, self.seed = node, protection, seed
        self.price = AnswerPrices.of(node, protection)
        key = hashlib.sha256(f"{seed}\0{node.code}".encode()).digest()
        self.drawn = np.array(
            [draw_noise(key, question, protection) for question in node.questions]
        )
        self.evidence = {
            counted: compute_evidence(node.people, protection, counted) for counted in (False, True)
        }
        self.rows = self.evidence[False].nearest(node.known)
        self.presence = presence_ratio(node.known, node.people)
        low, high = COMMON
        self.common = np.flatnonzero((node.known > low) & (node.known < high))
        self.ranked = {}
        for attack in ("rarest", "informed", "counts"):
            order = self._best_first(attack)
            rank = np.empty(order.size, np.int64)
            rank[order] = np.arange(order.size)
            self.ranked[attack] = order, rank

    def _best_first(self, attack: Attack) -> NDArray[np.int64]:
        """Return the node's alleles in the order of this attack's questions; ties are random."""
        random = np.random.default_rng(derive_seed(self.seed, self.node.code, attack))
        anyhow = random.permutation(self.node.known.size)
        if attack == "rarest":
            return anyhow[np.argsort(self.node.known[anyhow], kind="stable")]
        gain = self.evidence[attack in COUNTED].gain[self.rows]
        return anyhow[np.argsort(-gain[anyhow], kind="stable")]

    def questions(self, attack: Attack, target: int) -> NDArray[np.int64]:
        """Return the alleles that are asked for, in order, up to the largest number of queries.

        A random order is different for each target. With the same questions about all targets, the
        answers about the others would reveal the node's exact counts, which no attacker has.

        Args:
            attack: The attack.
            target: Number of the target in the node.

        Returns:
            Numbers of alleles, int64.
        """
        held = self.node.alleles[target]
        if attack in self.ranked:
            order, rank = self.ranked[attack]
            return order[np.sort(rank[held])[: QUERIES[-1]]]
        random = np.random.default_rng(derive_seed(self.seed, self.node.code, attack, target))
        asked = held if attack == "presence" else self.common
        return random.permutation(asked)[: QUERIES[-1]].astype(np.int64)

    def scores(self, attack: Attack, target: int) -> NDArray[np.float64]:
        """Compute the evidence that the target is in the node.

        Args:
            attack: The attack.
            target: Number of the target in the node.

        Returns:
            Scores by number of queries, shape (2, len(QUERIES)): with the target in the node, and
            without.
        """
        asked = self.questions(attack, target)
        if not asked.size:
            return np.zeros((2, len(QUERIES)))
        last = np.minimum(QUERIES, asked.size) - 1
        both = []
        for left_out in (self.node.stand_ins[target], target):
            answers = replay_answers(
                self.node,
                asked,
                left_out,
                attack in COUNTED,
                self.protection,
                self.price,
                self.drawn,
            )
            both.append(np.cumsum(self._ratios(attack, target, asked, answers))[last])
        return np.array(both)

    def _ratios(
        self, attack: Attack, target: int, asked: NDArray[np.int64], answers: ReplayedAnswers
    ) -> NDArray[np.float64]:
        if attack == "presence":
            return np.where(answers.exists, *self.presence)
        if attack == "frequency":
            return self._frequency_ratios(target, asked, answers)
        rows = self.rows[asked]
        plain = self.evidence[False].ratio[rows, answers.exists.astype(int)]
        if attack != "counts":
            return plain
        counted = self.evidence[True].ratio
        answer = np.clip(answers.count // self.protection.rounding, 0, counted.shape[1] - 1)
        return np.where(answers.count < 0, plain, counted[rows, answer])

    def _frequency_ratios(
        self, target: int, asked: NDArray[np.int64], answers: ReplayedAnswers
    ) -> NDArray[np.float64]:
        people, known = self.node.people, self.node.known[asked]
        share = np.clip(answers.count / people, 0.5 / people, 1 - 0.5 / people)
        carries = np.isin(asked, self.node.alleles[target])
        ratio = np.where(carries, np.log(share / known), np.log((1 - share) / (1 - known)))
        # below a threshold an answer has no information about the frequency
        says_something = (answers.count > 0) | (
            (answers.count == 0) & (self.protection.threshold == 1)
        )
        return np.where(says_something, ratio, 0.0)
