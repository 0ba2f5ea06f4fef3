"""All attacks, and the scores of each against the nodes without protection, earlier, and today."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rehearsal.attack.attacked_node import AttackedNode
from rehearsal.attack.best_questions import costly, most_informative
from rehearsal.attack.door_trials import (
    ASKED_IN_TRIALS,
    Trial,
    noise_keys,
    run_trials,
    score_trials,
)
from rehearsal.attack.earlier_rules import (
    EARLIER,
    EARLIER_LIST,
    EXACT,
    BoundedNoise,
    presence_by_form,
    score,
)
from rehearsal.attack.likelihood import grid_rows
from rehearsal.attack.questions import Questions
from rehearsal.attack.secrets import Secret, diagnoses, memberships
from rehearsal.attack.strategies import (
    ATTACKERS,
    Aim,
    Attacker,
    closing_ranges,
    common_frequencies,
    counts_of_alleles,
    counts_of_groups,
    differences_between_purposes,
    filters_beside_alleles,
    listed_terms,
    presence_of_alleles,
)
from rehearsal.node.privacy.protection import PUBLIC
from rehearsal.seeds import derive_seed

SecretKind = Literal["membership", "diagnosis"]
Rules = Literal["none", "earlier", "today"]
Builder = Callable[[Aim], Questions]
RULES: tuple[Rules, ...] = ("none", "earlier", "today")


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack.

    Attributes:
        name: Its name in tables.
        build: Builds the questions about one target.
        adapts: Whether the questions that tell most under the protection are asked first.
        callers: Number of callers who ask each question.
        restarts: Number of restarts of the node, after each of which all is asked again.
        special: What the answers depended on under the earlier rules, if not on numbers of people.
    """

    name: str
    build: Builder
    adapts: bool = True
    callers: int = 1
    restarts: int = 0
    special: Literal["", "form", "list"] = ""


CLASSIC = "rarest alleles first"
FORM = Attack("form of answers to ranges", closing_ranges, False, special="form")
LISTS = Attack("lists of terms, for every purpose", listed_terms, False, special="list")
BESIDE = Attack("filters beside near-fixed alleles", filters_beside_alleles)
PURPOSES = Attack("differences between purposes", differences_between_purposes)
GROUPS = Attack("counts of groups of people", counts_of_groups)
ATTACKS: dict[SecretKind, tuple[Attack, ...]] = {
    "membership": (
        Attack(CLASSIC, presence_of_alleles, adapts=False),
        Attack("most informative alleles first", presence_of_alleles),
        Attack("counts of alleles", counts_of_alleles),
        Attack("frequencies of common alleles", common_frequencies, adapts=False),
        FORM,
        LISTS,
        BESIDE,
        GROUPS,
        PURPOSES,
        Attack("network and node asked alike", counts_of_alleles, callers=2),
        Attack("ten identities", counts_of_alleles, callers=10),
        Attack("restarts of the node", counts_of_alleles, restarts=ASKED_IN_TRIALS),
    ),
    "diagnosis": (
        GROUPS,
        FORM,
        LISTS,
        BESIDE,
        PURPOSES,
        Attack("ten identities and restarts", counts_of_groups, callers=10, restarts=2),
    ),
}

Pair = tuple[float, float]


@dataclass(slots=True)
class Prepared:
    """The questions about all targets, and what follows from them for several attacks.

    Attributes:
        aims: What the attacks are aimed at.
        questions: The questions about each target.
        without_door: Scores of each target without the door.
    """

    aims: Sequence[Aim]
    questions: list[Questions]
    without_door: list[dict[Attacker, dict[Rules, Pair]]]
    _chosen: dict[tuple[bool, Attacker], list[Questions]] = field(default_factory=dict)

    @classmethod
    def of(cls, attack: Attack, aims: Sequence[Aim]) -> Prepared:
        """Build the questions of an attack, and score what was answered without the door.

        Args:
            attack: The attack.
            aims: What it is aimed at.

        Returns:
            The questions.
        """
        questions = [attack.build(aim) for aim in aims]
        pairs = zip(aims, questions, strict=True)
        return cls(aims, questions, [_without_door(attack, aim, one) for aim, one in pairs])

    def chosen(self, attack: Attack, attacker: Attacker) -> list[Questions]:
        """Choose the questions that an attacker puts to the door.

        Lists pass no door: they are public facts.

        Args:
            attack: The attack.
            attacker: What the attacker knows.

        Returns:
            The questions about each target, at most ``ASKED_IN_TRIALS``.
        """
        key = attack.adapts, attacker
        if key not in self._chosen:
            number = 0 if attack.special == "list" else ASKED_IN_TRIALS
            self._chosen[key] = [
                most_informative(aim, attacker, one, number)
                if attack.adapts
                else costly(aim, one, number)
                for aim, one in zip(self.aims, self.questions, strict=True)
            ]
        return self._chosen[key]


@dataclass(slots=True)
class Scores:
    """The scores of one attack by one attacker at one node.

    Attributes:
        secret: Kind of the secret.
        attack: Name of the attack.
        attacker: What the attacker knows.
        by_rules: Scores by rules, shape (targets, draws of noise, 2).
        asked: Most questions about one target.
        paid: Most answers about one target that were paid.
    """

    secret: SecretKind
    attack: str
    attacker: Attacker
    by_rules: dict[Rules, NDArray[np.float64]]
    asked: int
    paid: int


def attack_node(node: AttackedNode, seed: int) -> list[Scores]:
    """Mount all attacks on one node.

    Args:
        node: The node.
        seed: Root seed of noise and orders.

    Returns:
        The scores of each attack and attacker.
    """
    return [
        one
        for kind in ATTACKS
        if secrets_of(node, kind, seed)
        for one in _attack_secrets(node, kind, seed)
    ]


def secrets_of(
    node: AttackedNode, kind: SecretKind, seed: int, attack: Attack | None = None
) -> Sequence[Secret]:
    """Return the secrets that an attack is aimed at.

    Args:
        node: The node.
        kind: Kind of the secrets.
        seed: Root seed.
        attack: The attack. The one by lists is about diagnoses that are almost listed.

    Returns:
        One secret per target.
    """
    if kind == "membership":
        return memberships(node)
    return diagnoses(node, seed, attack is not None and attack.special == "list")


def _attack_secrets(node: AttackedNode, kind: SecretKind, seed: int) -> list[Scores]:
    prepared: dict[Builder, Prepared] = {}
    keys, found = noise_keys(seed, node.code), []
    for attack in ATTACKS[kind]:
        if attack.build not in prepared:
            aims = [aim_at(one, seed) for one in secrets_of(node, kind, seed, attack)]
            prepared[attack.build] = Prepared.of(attack, aims)
        ready = prepared[attack.build]
        trials: list[Trial] = []
        for attacker in ATTACKERS:
            if attack.adapts or not trials:  # else both attackers read the same answers
                trials = _through_door(attack, attacker, ready, keys[0])
            by_rules: dict[Rules, NDArray[np.float64]] = {
                rules: np.array([[one[attacker][rules]] for one in ready.without_door])
                for rules in RULES[:2]
            }
            by_rules["today"] = score_trials(trials, attacker, keys)
            asked = max(map(len, ready.questions)) * attack.callers * (attack.restarts + 1)
            paid = max((len(one.seen[0]) for one in trials), default=0)
            found.append(Scores(kind, attack.name, attacker, by_rules, asked, paid))
    return found


def aim_at(secret: Secret, seed: int) -> Aim:
    """Aim attacks at a secret, with random orders of its own.

    Args:
        secret: The secret.
        seed: Root seed.

    Returns:
        The aim.
    """
    random = np.random.default_rng(derive_seed(seed, secret.node.code, secret.target))
    return Aim(secret, PUBLIC, random)


def _without_door(
    attack: Attack, aim: Aim, questions: Questions
) -> dict[Attacker, dict[Rules, Pair]]:
    """Score the exact answers, and those by the earlier rules, to all questions."""
    earlier: BoundedNoise = EARLIER
    if attack.special == "form":
        questions, earlier = presence_by_form(aim)[0], EXACT
    elif attack.special == "list":
        earlier = EARLIER_LIST
    drawn = aim.random.random((2, len(questions)))
    rows = grid_rows(questions.share)
    exact = score(EXACT, aim.secret, questions, rows, drawn)
    noisy = score(earlier, aim.secret, questions, rows, drawn)
    return {one: {"none": exact[one], "earlier": noisy[one]} for one in ATTACKERS}


def _through_door(attack: Attack, attacker: Attacker, ready: Prepared, key: bytes) -> list[Trial]:
    trials = [
        Trial(aim, chosen, f"{attack.name}, {attacker}, {aim.secret.target}")
        for aim, chosen in zip(ready.aims, ready.chosen(attack, attacker), strict=True)
    ]
    run_trials(trials, key, attack.callers, attack.restarts)
    return trials
