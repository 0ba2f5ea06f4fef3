"""Probabilities of answers agree with answers that the door and the rules give."""

import numpy as np
import pytest

from rehearsal.attack.earlier_rules import EARLIER
from rehearsal.attack.likelihood import Evidence, bounded_noise_table, door_table
from rehearsal.node.privacy.door import Door, ProtectedQuestion
from rehearsal.node.privacy.expectation import ShareBounds
from rehearsal.node.privacy.ledger import Ledger
from rehearsal.node.privacy.mechanism import Mechanism
from rehearsal.node.privacy.protection import PUBLIC
from rehearsal.node.privacy.public_facts import PublicFacts

PEOPLE = 100


def test_the_door_answers_as_often_as_the_table_says():
    facts, ledger = PublicFacts.of_size(PEOPLE), Ledger("", bytes(32))
    question, number, drawn = ProtectedQuestion("who", ShareBounds(0, 1)), 47, 4_000
    seen = np.zeros(30)
    for trial in range(drawn):
        door = Door(f"tier {trial}", PUBLIC, facts, ledger, bytes(32), lambda seconds: None)
        seen[door.answer(question, True, "caller", lambda: number).count // 10] += 1
    table = door_table(PEOPLE, Mechanism.of(PUBLIC, PEOPLE), sure=False, counted=True)
    expected = table[number]
    # 5 standard errors of a share among 4,000
    assert np.abs(seen[: expected.size] / drawn - expected).max() < 5 * 0.5 / drawn**0.5


@pytest.mark.parametrize("counted", [False, True])
def test_bounded_noise_answers_as_often_as_the_table_says(counted):
    random = np.random.default_rng(1)
    table = bounded_noise_table(PEOPLE, 10, 10, 2, counted)
    assert table.sum(axis=1) == pytest.approx(1)
    for number in (9, 10, 11, 13, 18, 26):
        told = EARLIER.answers(np.full(4_000, number), counted, random.random((2, 4_000)))
        shares = np.bincount(told, minlength=table.shape[1]) / 4_000
        assert np.abs(shares - table[number]).max() < 5 * 0.5 / 4_000**0.5


def test_an_answer_that_only_a_member_explains_decides():
    evidence = Evidence.of(bounded_noise_table(PEOPLE, 1, 1, 0, False), has_stand_in=True)
    yes, no, one = np.array([1]), np.array([0]), np.array([1])
    assert evidence.knowing_everybody(one, no, yes) > 100
    assert evidence.knowing_everybody(one, no, no) < -10
    assert evidence.knowing_everybody(one, one, yes) == 0
