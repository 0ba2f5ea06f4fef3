"""What protected tiers are told of people chosen by terms, and of alleles that are not there."""

from __future__ import annotations

import numpy as np
import pytest
from pyroaring import BitMap

from rehearsal.model import Variant
from rehearsal.node.privacy.protected_answers import Protector
from rehearsal.node.privacy.protection import (
    PUBLIC,
    Budget,
    Guard,
    PublicShares,
    Told,
    price,
    question_key,
)
from rehearsal.stores.carrier_lists import encode
from rehearsal.stores.people_store import SEX_TERMS
from rehearsal.stores.variant_store import NobodysRow, VariantRow

KEY = b"k" * 32
PEOPLE = 100
NAMES = [f"FI-{i:06d}" for i in range(PEOPLE)]
WOMAN = ((SEX_TERMS["female"], True),)
COMMON, NEAR, RARE = (((f"ICD10:{code}", True),) for code in ("I10", "E11", "A00"))
SHARES = {COMMON: 0.6, NEAR: 0.1, RARE: 0.0001}


@pytest.fixture
def ask():
    """Asks a node of 100 people as one of many users: how many of a number of people there are."""
    keys = [PublicShares.key(PublicShares.term_question(*terms[0])) for terms in SHARES]
    shares = PublicShares(np.array(keys, np.uint64), np.array(list(SHARES.values())), 2700)
    guard = Guard(KEY, PEOPLE, PUBLIC, Budget(NAMES), Budget(NAMES))

    def told(terms, found, user="public", counted=True, shares=shares):
        protector = Protector(guard, user, shares)
        return protector.people(BitMap(range(found)), terms, PEOPLE, counted)

    told.guard = guard
    return told


def test_a_count_of_everybody_is_next_to_free(ask):
    for user in range(50):
        assert ask((), 100, str(user)) == Told(True, 100)


def test_a_count_by_a_term_is_paid_by_everybody_and_told_until_nobody_can(ask):
    assert ask(WOMAN, 51) == Told(True, 50)
    assert ask(WOMAN, 51) == Told(True, 50), "the same question is paid once"
    assert ask(WOMAN, 49) == Told(True, None), "that there are many could be foreseen"
    assert ask(WOMAN, 52, "another account") == Told(True, None)


def test_a_term_near_the_threshold_is_told_of_to_nobody(ask):
    """Who knows that a person has it would learn from the answer whether the person is here."""
    assert price(0.1, PEOPLE, PUBLIC, counted=False) > PUBLIC.user_budget
    for found in (9, 10, 11, 14):
        assert ask(NEAR, found) == Told(False, 0)


def test_rare_and_common_terms_stay_true_for_ever(ask):
    for user in range(100):
        assert ask(RARE, 3, str(user), counted=False) == Told(False)
        assert ask(COMMON, 60, str(user), counted=False) == Told(True)


def test_without_public_shares_only_sex_is_told(ask):
    assert ask(COMMON, 60, shares=None) == Told(False, 0)
    assert ask(WOMAN, 51, shares=None) == Told(True, 50)


def test_terms_do_not_use_up_the_budgets_of_alleles(ask):
    ask(WOMAN, 51)
    assert ask.guard.term_budget.spent(ask.guard.budget.everybody) > 0
    assert ask.guard.budget.spent(ask.guard.budget.everybody) == 0


# --- alleles that nobody, one person, or fewer than the threshold carry ---

ALLELE = Variant("chr22", 20_000_000, "A", "C")


def row(carriers) -> VariantRow:
    numbers = encode(np.array(carriers, np.int32))
    return VariantRow("chr22", 20_000_000, "A", "C", *(0,) * 10, numbers, b"")


def watched(steps, name, real):
    def step(self, *given):
        steps.append((name, given[:2] if name == "charge" else given[:1]))
        return real(self, *given)

    return step


@pytest.mark.parametrize("share", [0.0, 0.02, 0.05])
@pytest.mark.parametrize("people", [None, BitMap(range(90))])
def test_an_allele_takes_the_same_steps_whether_nobody_or_few_carry_it(monkeypatch, share, people):
    """The same look-ups, prices and writes: what differs is who pays."""
    steps = []
    for cls, name in ((Budget, "charge"), (Budget, "_write"), (PublicShares, "share")):
        monkeypatch.setattr(cls, name, watched(steps, name, getattr(cls, name)))
    key = PublicShares.key(question_key(str(ALLELE)))
    shares = PublicShares(np.array([key], np.uint64), np.array([share]), 2700)
    taken = []
    for one in (NobodysRow.of(ALLELE), row([5]), row([1, 2, 3]), row(range(9))):
        guard = Guard(KEY, PEOPLE, PUBLIC, Budget(NAMES), Budget(NAMES))
        protector = Protector(guard, "public", shares)
        steps.clear()
        answers = [
            protector.variants(iter([one]), people, True),
            protector.variants(iter([one]), people, False),
            protector.carriers(iter([one]), people, True),
            protector.carriers(iter([one]), people, False),
        ]
        assert not any(told.exists for told in answers)
        taken.append((list(steps), answers))
    assert all(one == taken[0] for one in taken)
