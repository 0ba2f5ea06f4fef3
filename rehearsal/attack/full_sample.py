"""All questions of every attack about one target, through the door, in both nodes.

The trials ask only what can cost anything. Here the rest is asked too: every free answer and every
refusal must be the same in both nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from pyroaring import BitMap

from rehearsal.attack.attacked_node import AttackedNode
from rehearsal.attack.attacks import ATTACKS, Builder, SecretKind, aim_at, secrets_of
from rehearsal.attack.door_trials import NOISE_KEY, no_wait
from rehearsal.attack.questions import Questions, beacon_question, protected
from rehearsal.attack.strategies import Aim
from rehearsal.node.beacon.info_endpoints import filtering_terms
from rehearsal.node.privacy.door import Door, ProtectedQuestion, Refused
from rehearsal.node.privacy.ledger import Ledger

Told = tuple[str, bool | None]  # how the answer came about, and what is told without paying


@dataclass(frozen=True, slots=True)
class Sample:
    """How all questions of one attack about one target were answered.

    Attributes:
        paid: Answers that were paid.
        free: Answers from public facts alone.
        refused: Refusals.
        equal: Whether free answers and refusals were the same in both nodes.
    """

    paid: int
    free: int
    refused: int
    equal: bool


def sample_attacks(node: AttackedNode, seed: int) -> dict[tuple[SecretKind, str], Sample]:
    """Ask everything about the first target of a node.

    Attacks with the same questions, which differ in callers and restarts, share one sample.

    Args:
        node: The node.
        seed: Root seed, as for the trials.

    Returns:
        The sample of each attack.
    """
    found: dict[tuple[SecretKind, str], Sample] = {}
    for kind, attacks in ATTACKS.items():
        asked: dict[Builder, Sample] = {}
        for attack in attacks:
            for secret in secrets_of(node, kind, seed, attack)[:1]:
                if attack.build not in asked:
                    aim = aim_at(secret, seed)
                    lists = attack.special == "list"
                    asked[attack.build] = (
                        _read_lists(aim) if lists else _ask(aim, attack.build(aim))
                    )
                found[kind, attack.name] = asked[attack.build]
    return found


def _door(aim: Aim) -> Door:
    ledger = Ledger("sample", NOISE_KEY)
    return Door("sample", aim.protection, aim.node.facts, ledger, NOISE_KEY, no_wait)


def _ask(aim: Aim, questions: Questions) -> Sample:
    places = range(len(questions))
    asked = [protected(aim.node, questions.beacon(place)) for place in places]
    numbers = questions.inside.tolist(), questions.outside.tolist()
    sides = [_told(aim, asked, questions.counted, of_side) for of_side in numbers]
    ways = [way for way, _ in sides[0]]
    paid, free, refused = map(ways.count, ("noisy count", "public facts", "refused"))
    return Sample(paid, free, refused, sides[0] == sides[1])


def _told(
    aim: Aim, asked: Sequence[ProtectedQuestion], counted: bool, numbers: Sequence[int]
) -> list[Told]:
    door, told = _door(aim), list[Told]()
    for place, question in enumerate(asked):
        count = partial(int, numbers[place])
        try:
            answer = door.answer(question, counted, f"caller {place}", count)
        except Refused:
            told.append(("refused", None))
            continue
        paid = answer.basis == "noisy count"
        told.append((answer.basis, None if paid else answer.exists))
    return told


def _read_lists(aim: Aim) -> Sample:
    """Read the list of terms for every purpose in both nodes, with the sizes of the datasets."""
    node, door = aim.node, _door(aim)
    dataset, read = node.data.settings.people_dataset, []
    for people in aim.secret.groups(np.ones(node.people, bool)):
        lists = []
        for purpose in node.purposes:
            rights = beacon_question(node, purpose, False).rights
            absent = BitMap(np.flatnonzero(~people))
            of_caller = replace(rights, doors={dataset: door}, excluded=absent)
            lists.append(filtering_terms(node.data, of_caller))
        read.append((lists, door.size()))
    return Sample(0, len(node.purposes) + 1, 0, read[0] == read[1])
