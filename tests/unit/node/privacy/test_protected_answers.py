"""Protected answers about people chosen by terms, and about alleles without carriers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from pyroaring import BitMap
from rehearsal.node.privacy.budget import Budget
from rehearsal.node.privacy.prices import price
from rehearsal.node.privacy.protected_answers import (
    ProtectedAnswer,
    Protector,
    TierProtection,
    protect_boolean,
    protect_count,
)
from rehearsal.node.privacy.public_frequencies import PublicFrequencies
from rehearsal.node.privacy.question_keys import question_key, term_question

from rehearsal.errors import InputError
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.model import Variant
from rehearsal.node.privacy.protection import PUBLIC, UNPROTECTED, Protection
from rehearsal.stores.carrier_lists_writer import encode
from rehearsal.stores.variant_store import AbsentAlleleRow, VariantRow

from .conftest import KEY, PEOPLE, WIDE, people, protected

NAMES = [f"FI-{i:06d}" for i in range(PEOPLE)]
WOMAN = ((SEX_TERMS["female"], True),)
COMMON, NEAR, RARE = (((f"ICD10:{code}", True),) for code in ("I10", "E11", "A00"))
SHARES = {COMMON: 0.6, NEAR: 0.1, RARE: 0.0001}


@pytest.fixture
def ask():
    """Query a node of 100 people, as one of many users, for the number of matching people."""
    keys = [PublicFrequencies.key(term_question(*terms[0])) for terms in SHARES]
    shares = PublicFrequencies(np.array(keys, np.uint64), np.array(list(SHARES.values())), 2700)
    tier = TierProtection(KEY, PEOPLE, PUBLIC, Budget(NAMES), Budget(NAMES))

    def told(terms, found, user="public", counted=True, shares=shares):
        protector = Protector(tier, user, shares)
        return protector.people(BitMap(range(found)), terms, PEOPLE, counted)

    told.tier = tier
    return told


def test_a_count_of_everybody_is_nearly_free(ask):
    for user in range(50):
        assert ask((), 100, str(user)) == ProtectedAnswer(True, 100)


def test_everybody_pays_for_a_count_by_a_term_until_the_budget_ends(ask):
    assert ask(WOMAN, 51) == ProtectedAnswer(True, 50)
    assert ask(WOMAN, 51) == ProtectedAnswer(True, 50), "the same question is paid once"
    assert ask(WOMAN, 49) == ProtectedAnswer(True, None), "that there are many could be foreseen"
    assert ask(WOMAN, 52, "another account") == ProtectedAnswer(True, None)


def test_a_term_near_the_threshold_is_not_shown(ask):
    """Otherwise, somebody who knows that a person has it would learn whether the person is here."""
    assert price(0.1, PEOPLE, PUBLIC, counted=False) > PUBLIC.user_budget
    for found in (9, 10, 11, 14):
        assert ask(NEAR, found) == ProtectedAnswer(False, 0)


def test_rare_and_common_terms_never_use_up_the_budget(ask):
    for user in range(100):
        assert ask(RARE, 3, str(user), counted=False) == ProtectedAnswer(False)
        assert ask(COMMON, 60, str(user), counted=False) == ProtectedAnswer(True)


def test_without_public_frequencies_only_sex_is_shown(ask):
    assert ask(COMMON, 60, shares=None) == ProtectedAnswer(False, 0)
    assert ask(WOMAN, 51, shares=None) == ProtectedAnswer(True, 50)


def test_terms_do_not_use_up_the_budgets_of_alleles(ask):
    ask(WOMAN, 51)
    assert ask.tier.term_budget.spent(ask.tier.budget.everybody) > 0
    assert ask.tier.budget.spent(ask.tier.budget.everybody) == 0


# --- any tier ---

PLAIN = Protection(10, 10, 0, math.inf, math.inf)


def test_a_budget_without_a_store_is_refused():
    with pytest.raises(InputError, match="privacy: budget"):
        TierProtection(KEY, PEOPLE)


def test_fewer_carriers_than_the_threshold_look_absent():
    rules = protected(PLAIN)
    assert not protect_boolean(rules, "u", b"q", people(9))
    assert protect_boolean(rules, "u", b"q", people(10))
    assert protect_count(rules, "u", b"q", people(9)) == ProtectedAnswer(False, 0)


def test_counts_are_multiples_of_the_step_and_never_0():
    rules = protected(PLAIN)
    told = [protect_count(rules, "u", b"q", people(n)).count for n in (10, 14, 15, 24, 95, 100)]
    assert told == [10, 10, 20, 20, 100, 100]
    coarse = protected(replace(PLAIN, rounding=50))
    assert protect_count(coarse, "u", b"q", people(11)) == ProtectedAnswer(True, 50)


def test_without_protection_answers_are_exact():
    rules = protected(UNPROTECTED)
    for number in (0, 1, 7, 100):
        assert protect_count(rules, "u", b"q", people(number)) == ProtectedAnswer(
            number > 0, number
        )
        assert protect_boolean(rules, "u", b"q", people(number)) is (number > 0)


def test_noise_never_shows_fewer_than_the_threshold():
    rules = protected(replace(PLAIN, noise=5))
    assert not any(protect_boolean(rules, "u", question_key(str(i)), people(9)) for i in range(200))


def test_people_without_budget_look_absent():
    rules, share = protected(replace(WIDE, noise=0)), 0.1
    affordable = int(WIDE.user_budget / price(share, PEOPLE, rules.protection, False))
    told = [
        protect_boolean(rules, "u", question_key(str(i)), people(20), share)
        for i in range(affordable + 3)
    ]
    assert told == [True] * affordable + [False] * 3 and affordable >= 2
    assert 0 < rules.budget.spent(0, "u") <= WIDE.user_budget
    assert rules.budget.spent(20, "u") == 0, "who does not carry it pays nothing"
    assert protect_boolean(rules, "u", question_key("others"), people(20, first=20), share)


def test_a_count_costs_everybody_and_is_complete_or_withheld():
    rules, share = protected(replace(WIDE, noise=0)), 0.6
    affordable = int(WIDE.user_budget / price(share, PEOPLE, rules.protection, True))
    told = [
        protect_count(rules, "u", question_key(str(i)), people(60), share)
        for i in range(affordable + 3)
    ]
    assert (
        told == [ProtectedAnswer(True, 60)] * affordable + [ProtectedAnswer(True, None)] * 3
        and affordable >= 2
    )
    everybody = rules.budget.everybody
    assert rules.budget.spent(everybody, "u") == pytest.approx(
        affordable * price(share, PEOPLE, rules.protection, True)
    )


def test_a_count_is_paid_also_when_nobody_carries_it():
    """Otherwise the remaining budget would reveal whether there are carriers."""
    rules = protected(WIDE)
    assert protect_count(rules, "u", question_key("none"), people(0), 0.6) == ProtectedAnswer(
        False, 0
    )
    assert rules.budget.spent(rules.budget.everybody, "u") > 0


def test_prices_do_not_depend_on_who_is_in_the_node():
    """Otherwise the price would reveal what it should hide."""
    rules = protected(WIDE)
    protect_boolean(rules, "u", question_key("few"), people(5), 0.1)
    protect_boolean(rules, "u", question_key("many"), people(60, first=30), 0.1)
    assert rules.budget.spent(0, "u") == rules.budget.spent(50, "u") > 0


def test_common_alleles_are_shown_when_the_budget_is_spent():
    rules = protected()
    for i in range(50):
        protect_count(rules, "u", question_key(str(i)), people(80), 0.8)
    assert protect_count(rules, "u", question_key("new"), people(80), 0.8) == ProtectedAnswer(
        True, None
    )
    assert protect_boolean(rules, "u", question_key("new"), people(80), 0.8)


def test_a_repeated_question_gets_the_same_answer_at_no_cost():
    rules = protected(WIDE)
    ask = (protect_count, 60, 0.6), (protect_boolean, 20, 0.1)
    for protect, carriers, share in ask:
        first = protect(rules, "u", question_key("one"), people(carriers), share)
        for i in range(50):
            protect(rules, "u", question_key(str(i)), people(carriers), share)
        spent = rules.budget.spent(0, "u"), rules.budget.spent(rules.budget.everybody, "u")
        assert protect(rules, "u", question_key("one"), people(carriers), share) == first
        last = protect(rules, "u", question_key("two"), people(carriers), share)
        assert last != first, "the budget is spent"
        assert spent == (rules.budget.spent(0, "u"), rules.budget.spent(PEOPLE, "u"))


def test_users_have_their_own_budgets_within_the_individuals_budget():
    cost = price(0.6, PEOPLE, PUBLIC, True)
    rules = protected(replace(PUBLIC, user_budget=cost * 1.5, individual_budget=cost * 2.5))

    def ask(user, text):
        return protect_count(rules, user, question_key(text), people(60), 0.6).count

    assert ask("ann", "1") and not ask("ann", "2")
    assert ask("bob", "1") and not ask("eve", "1")
    assert rules.budget.spent(rules.budget.everybody) <= cost * 2.5


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
def test_an_allele_takes_the_same_steps_with_no_or_few_carriers(monkeypatch, share, people):
    """The same look-ups, prices and writes; only the payers differ."""
    steps = []
    for cls, name in ((Budget, "charge"), (Budget, "_write"), (PublicFrequencies, "frequency")):
        monkeypatch.setattr(cls, name, watched(steps, name, getattr(cls, name)))
    key = PublicFrequencies.key(question_key(str(ALLELE)))
    shares = PublicFrequencies(np.array([key], np.uint64), np.array([share]), 2700)
    taken = []
    for one in (AbsentAlleleRow.of(ALLELE), row([5]), row([1, 2, 3]), row(range(9))):
        tier = TierProtection(KEY, PEOPLE, PUBLIC, Budget(NAMES), Budget(NAMES))
        protector = Protector(tier, "public", shares)
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
