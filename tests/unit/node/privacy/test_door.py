"""The door between a protected tier and the people of a node."""

import sqlite3
from dataclasses import replace

import pytest

from rehearsal.node.privacy.door import Door, ProtectedQuestion, Refused, question_key
from rehearsal.node.privacy.expectation import UNKNOWN, ShareBounds
from rehearsal.node.privacy.ledger import Ledger
from rehearsal.node.privacy.mechanism import draw_noise
from rehearsal.node.privacy.protection import PUBLIC
from rehearsal.node.privacy.public_facts import PublicFacts
from rehearsal.web.problem import Problem

from .conftest import SECRET

RICH = replace(PUBLIC, budget=1.0, caller_share=1.0)
SURE_YES, SURE_NO = ShareBounds(0.8, 0.9), ShareBounds(0.0, 0.01)


def door(protection=RICH, people=100, ledger=None, release="r1"):
    facts = PublicFacts.of_size(people, release)
    return Door("public", protection, facts, ledger or Ledger(release, SECRET), SECRET)


def forbidden():
    pytest.fail("the people were counted")


def noise(text, release="r1", deviation=10.0):
    return draw_noise(SECRET, question_key(release, "public", text), deviation)


@pytest.mark.parametrize(("shares", "exists"), [(SURE_YES, True), (SURE_NO, False)])
def test_what_public_facts_tell_costs_nothing_and_counts_nobody(shares, exists):
    one = door()
    found = one.answer(ProtectedQuestion("q", shares), False, "caller", forbidden)
    assert (found.exists, found.count, found.basis) == (exists, None, "public facts")
    assert one.ledger.spent("public") == 0


@pytest.mark.parametrize("people", [0, 39, 60, 100])
def test_a_paid_answer_is_the_number_of_people_with_the_noise_of_the_question(people):
    one = door()
    found = one.answer(ProtectedQuestion("q", UNKNOWN), True, "caller", lambda: people)
    noisy = people + noise("q")
    assert found.exists is (noisy >= 40)
    assert found.count == (min(100, (noisy + 5) // 10 * 10) if noisy >= 40 else 0)
    assert found.basis == "noisy count"
    assert one.ledger.spent("public") == one.mechanism.price == 0.005


def test_a_repeated_question_is_neither_counted_nor_paid_again():
    one, question = door(), ProtectedQuestion("q", UNKNOWN)
    first = one.answer(question, True, "caller", lambda: 70)
    assert one.answer(question, True, "another", forbidden) == first
    assert one.ledger.spent("public") == one.mechanism.price


def test_a_count_of_what_surely_exists_never_says_that_it_does_not():
    one = door()
    for number in range(20):
        question = ProtectedQuestion(f"q{number}", SURE_YES)
        found = one.answer(question, True, "caller", lambda: 38)
        assert found.exists and found.count >= 10


def test_a_spent_budget_is_a_marked_refusal_and_never_a_no():
    one = door(PUBLIC)
    for number in range(2):  # a caller's share pays one answer
        one.answer(ProtectedQuestion(f"q{number}", UNKNOWN), False, f"c{number}", lambda: 50)
    for counted in (False, True):
        with pytest.raises(
            Refused, match=r"privacy budget: .* found a budget that is spent"
        ) as refusal:
            one.answer(ProtectedQuestion("q2", UNKNOWN), counted, "c2", forbidden)
        assert refusal.value.status == 403
    # public facts remain, without a count
    found = one.answer(ProtectedQuestion("q3", SURE_YES), True, "c2", forbidden)
    assert (found.exists, found.count) == (True, None)


def test_a_caller_learns_whether_only_the_own_share_is_spent():
    one = door(PUBLIC)
    one.answer(ProtectedQuestion("q", UNKNOWN), False, "caller", lambda: 50)
    with pytest.raises(Refused, match="this caller has spent the own share"):
        one.answer(ProtectedQuestion("r", UNKNOWN), False, "caller", forbidden)
    one.answer(ProtectedQuestion("r", UNKNOWN), False, "another", lambda: 50)


def test_the_refusal_does_not_depend_on_the_people():
    messages = set()
    for people in (0, 50, 100):
        one = door(PUBLIC)
        one.answer(ProtectedQuestion("q", UNKNOWN), False, "caller", lambda: people)  # noqa: B023
        with pytest.raises(Refused) as refusal:
            one.answer(ProtectedQuestion("r", UNKNOWN), False, "caller", forbidden)
        messages.add(refusal.value.message)
    assert len(messages) == 1


def test_a_question_too_wide_to_count_is_refused_before_anybody_is_counted():
    one = door()
    with pytest.raises(Refused, match="found a wide range"):
        question = ProtectedQuestion("q", UNKNOWN, too_wide="a wide range")
        one.answer(question, False, "c", forbidden)
    assert one.ledger.spent("public") == 0


def test_tier_and_release_have_noise_of_their_own():
    keys = {question_key(r, t, "q") for r in ("r1", "r2") for t in ("public", "registered")}
    assert len(keys) == 4
    assert noise("q", "r1") != noise("q", "r2")


def test_a_ledger_that_cannot_be_written_is_a_503(tmp_path):
    path = tmp_path / "ledger.sqlite"
    one = door(ledger=Ledger("r1", SECRET, path))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Problem) as problem:
        one.answer(ProtectedQuestion("q", UNKNOWN), False, "caller", lambda: 50)
    assert problem.value.status == 503


def test_the_public_size_is_rounded():
    assert door(people=104).size() == 100
    assert door(people=104).size(0.3) == 30
    assert door(people=104).size(0.05) is None  # below the threshold


@pytest.mark.parametrize("shares", [SURE_NO, UNKNOWN, SURE_YES])
def test_a_question_that_needs_a_grant_is_refused_whatever_public_facts_bound(shares):
    one = door()
    question = ProtectedQuestion("q", shares, needs_grant="an effect, which needs a grant")
    for counted in (False, True):
        with pytest.raises(Refused, match="found an effect, which needs a grant"):
            one.answer(question, counted, "c", forbidden)
    assert one.ledger.spent("public") == 0


def test_a_question_dearer_than_the_whole_budget_is_not_said_to_wait_for_a_release():
    question = ProtectedQuestion("q", UNKNOWN)
    # 1 / (2 people) nats: 0.0125 for 40 people, 0.01 for 50, which is the budget
    with pytest.raises(Refused, match=r"more than the whole budget.*; waiting does not help"):
        door(PUBLIC, people=40).answer(question, False, "c", forbidden)
    one = door(PUBLIC, people=50)
    assert one.answer(question, False, "c", lambda: 50).basis == "noisy count"
    with pytest.raises(Refused, match="found a budget that is spent"):
        one.answer(ProtectedQuestion("r", UNKNOWN), False, "d", forbidden)
