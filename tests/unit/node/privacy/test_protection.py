"""What the public may learn: thresholds, rounding, fixed noise, budgets that last."""

import math
import stat
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from rehearsal.model import InputError
from rehearsal.node.privacy.protection import (
    PUBLIC,
    UNPROTECTED,
    Budget,
    Guard,
    Protection,
    PublicShares,
    Told,
    information,
    noise,
    outcomes,
    power_bound,
    price,
    prices,
    protect_boolean,
    protect_count,
    question_key,
    secret_key,
)

KEY = bytes(range(32))
PEOPLE = 100
NAMES = [f"AT-{number:06d}" for number in range(PEOPLE)]
PLAIN = Protection(10, 10, 0, math.inf, math.inf)


def guard(protection=PUBLIC, budget=None, people=PEOPLE):
    return Guard(KEY, people, protection, budget or Budget([str(i) for i in range(people)]))


def people(number, first=0):
    return BitMap(range(first, first + number))


def test_the_default_is_the_strict_one():
    assert Protection() == PUBLIC
    assert PUBLIC.budgeted and PUBLIC.threshold >= 10 and PUBLIC.rounding >= 10
    # one budget for whether somebody is there and one for counts
    assert power_bound(2 * PUBLIC.user_budget) <= 0.10
    assert power_bound(2 * PUBLIC.individual_budget) <= 0.10


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0},
        {"rounding": 0},
        {"noise": -1},
        {"threshold": 2, "noise": 2},
        {"user_budget": -1.0},
        {"individual_budget": math.nan},
    ],
)
def test_a_protection_that_protects_nothing_is_refused(wrong):
    with pytest.raises(InputError, match=f"privacy: {list(wrong)[-1]}"):
        Protection(**wrong)


def test_a_budget_without_a_store_is_refused():
    with pytest.raises(InputError, match="privacy: budget"):
        Guard(KEY, PEOPLE)


def test_fewer_carriers_than_the_threshold_look_absent():
    rules = guard(PLAIN)
    assert not protect_boolean(rules, "u", b"q", people(9))
    assert protect_boolean(rules, "u", b"q", people(10))
    assert protect_count(rules, "u", b"q", people(9)) == Told(False, 0)


def test_counts_are_multiples_of_the_step_and_never_0():
    rules = guard(PLAIN)
    told = [protect_count(rules, "u", b"q", people(n)).count for n in (10, 14, 15, 24, 95, 100)]
    assert told == [10, 10, 20, 20, 100, 100]
    coarse = guard(replace(PLAIN, rounding=50))
    assert protect_count(coarse, "u", b"q", people(11)) == Told(True, 50)


def test_without_protection_answers_are_the_truth():
    rules = guard(UNPROTECTED)
    for number in (0, 1, 7, 100):
        assert protect_count(rules, "u", b"q", people(number)) == Told(number > 0, number)
        assert protect_boolean(rules, "u", b"q", people(number)) is (number > 0)


def test_noise_is_fixed_by_the_question_and_hidden_by_the_key():
    rules = Protection(10, 10, 3)
    questions = [question_key(f"chr1-{i}-A-T") for i in range(400)]
    drawn = [noise(KEY, question, rules) for question in questions]
    assert drawn == [noise(KEY, question, rules) for question in questions]
    assert drawn != [noise(bytes(32), question, rules) for question in questions]
    assert {up for up, _ in drawn} == set(range(4))
    assert {shift for _, shift in drawn} == set(range(-3, 4))


def test_noise_never_shows_fewer_than_the_threshold():
    rules = guard(replace(PLAIN, noise=5))
    assert not any(protect_boolean(rules, "u", question_key(str(i)), people(9)) for i in range(200))


def test_a_question_has_one_key_and_its_parts_cannot_be_shifted():
    assert question_key("a", "bc") != question_key("ab", "c")
    assert question_key("a", b"bc") == question_key(b"a", "bc")


@given(
    number=st.integers(1, 60),
    threshold=st.integers(1, 20),
    step=st.integers(1, 20),
    spread=st.integers(0, 19),
)
@settings(max_examples=60, deadline=None)
def test_the_table_of_outcomes_is_what_answers_do(number, threshold, step, spread):
    rules = Protection(threshold, step, min(spread, threshold - 1), math.inf, math.inf)
    table = outcomes(60, rules, counted=True)
    assert np.allclose(table.sum(axis=1), 1)
    for i in range(20):
        told = protect_count(guard(rules, people=60), "u", question_key(str(i)), people(number))
        assert table[number, (told.count or 0) // step] > 0


def test_information_is_that_of_two_coins_in_the_plainest_case():
    """Two people, a plain beacon, half carry it: out 1 - 0.5², in certainly yes."""
    assert information(0.5, 2, UNPROTECTED, False) == pytest.approx(-math.log(0.75))


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, math.nan])
def test_information_wants_a_share(share):
    with pytest.raises(ValueError, match="share of carriers"):
        information(share, PEOPLE, PUBLIC, False)


def test_alleles_near_the_threshold_are_dear_and_those_anybody_could_foresee_free():
    cost = {share: price(share, PEOPLE, PUBLIC, False) for share in (0.0001, 0.1, 0.6, 0.95)}
    assert cost[0.1] > PUBLIC.user_budget
    assert cost[0.0001] < 1e-4 and cost[0.6] < 1e-6 and cost[0.95] < 1e-9
    assert price(0.6, PEOPLE, PUBLIC, True) > 1e-3, "a count tells more than that it exists"
    assert price(0.6, 100_000, PUBLIC, True) < 1e-4, "a person hides better among many"


def test_a_question_without_a_public_share_has_the_highest_price():
    shares = np.linspace(0.001, 0.999, 200)
    for counted in (False, True):
        table = prices(shares, PEOPLE, PUBLIC, counted)
        assert table.tolist() == [price(share, PEOPLE, PUBLIC, counted) for share in shares]
        assert table.max() == price(None, PEOPLE, PUBLIC, counted) > PUBLIC.user_budget


def test_a_price_holds_also_when_the_frequency_has_drifted():
    assert price(0.3, PEOPLE, PUBLIC, False) > 10 * information(0.3, PEOPLE, PUBLIC, False)


def test_the_bound_on_power_is_that_of_the_data_processing_inequality():
    power = power_bound(0.02)
    kl = power * math.log(power / 0.05) + (1 - power) * math.log((1 - power) / 0.95)
    assert kl == pytest.approx(0.02)
    assert power_bound(0) == pytest.approx(0.05, abs=1e-6) and power_bound(10) == pytest.approx(1)


WIDE = replace(PUBLIC, user_budget=0.1, individual_budget=0.1)


def test_who_has_paid_everything_is_left_out_and_looks_absent():
    rules, share = guard(replace(WIDE, noise=0)), 0.1
    affordable = int(WIDE.user_budget / price(share, PEOPLE, rules.protection, False))
    told = [
        protect_boolean(rules, "u", question_key(str(i)), people(20), share)
        for i in range(affordable + 3)
    ]
    assert told == [True] * affordable + [False] * 3 and affordable >= 2
    assert 0 < rules.budget.spent(0, "u") <= WIDE.user_budget
    assert rules.budget.spent(20, "u") == 0, "who does not carry it pays nothing"
    assert protect_boolean(rules, "u", question_key("others"), people(20, first=20), share)


def test_a_count_costs_everybody_and_is_whole_or_not_told():
    rules, share = guard(replace(WIDE, noise=0)), 0.6
    affordable = int(WIDE.user_budget / price(share, PEOPLE, rules.protection, True))
    told = [
        protect_count(rules, "u", question_key(str(i)), people(60), share)
        for i in range(affordable + 3)
    ]
    assert told == [Told(True, 60)] * affordable + [Told(True, None)] * 3 and affordable >= 2
    everybody = rules.budget.everybody
    assert rules.budget.spent(everybody, "u") == pytest.approx(
        affordable * price(share, PEOPLE, rules.protection, True)
    )


def test_a_count_is_paid_also_when_nobody_carries_it():
    """Else what is left of the budget would tell whether somebody does."""
    rules = guard(WIDE)
    assert protect_count(rules, "u", question_key("none"), people(0), 0.6) == Told(False, 0)
    assert rules.budget.spent(rules.budget.everybody, "u") > 0


def test_prices_do_not_depend_on_who_is_in_the_node():
    """Else the price would tell what it is meant to hide."""
    rules = guard(WIDE)
    protect_boolean(rules, "u", question_key("few"), people(5), 0.1)
    protect_boolean(rules, "u", question_key("many"), people(60, first=30), 0.1)
    assert rules.budget.spent(0, "u") == rules.budget.spent(50, "u") > 0


def test_common_alleles_are_told_when_everything_is_spent():
    rules = guard()
    for i in range(50):
        protect_count(rules, "u", question_key(str(i)), people(80), 0.8)
    assert protect_count(rules, "u", question_key("new"), people(80), 0.8) == Told(True, None)
    assert protect_boolean(rules, "u", question_key("new"), people(80), 0.8)


def test_the_same_question_gets_the_same_answer_and_is_paid_once():
    rules = guard(WIDE)
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


def test_users_have_budgets_of_their_own_but_together_no_more_than_the_individual_has():
    cost = price(0.6, PEOPLE, PUBLIC, True)
    rules = guard(replace(PUBLIC, user_budget=cost * 1.5, individual_budget=cost * 2.5))

    def ask(user, text):
        return protect_count(rules, user, question_key(text), people(60), 0.6).count

    assert ask("ann", "1") and not ask("ann", "2")
    assert ask("bob", "1") and not ask("eve", "1")
    assert rules.budget.spent(rules.budget.everybody) <= cost * 2.5


def test_budgets_survive_a_restart_and_more_people(tmp_path):
    path = tmp_path / "budget.sqlite"
    store = Budget(NAMES, path)
    rules = guard(WIDE, budget=store)
    told = [protect_boolean(rules, "u", question_key(str(i)), people(20), 0.1) for i in range(9)]
    protect_count(rules, "u", question_key("one"), people(60), 0.6)
    before = [store.spent(i, "u") for i in range(PEOPLE + 1)]
    assert before[1] > 0 and before[PEOPLE] > 0
    store.close()
    # the node was built anew: somebody came in first, somebody left
    later = Budget(["AT-999999", *NAMES[1:]], path)
    assert [later.spent(i, "u") for i in range(1, PEOPLE + 1)] == before[1:]
    assert later.spent(0, "u") == 0 and later.spent(1) == before[1]
    rules = guard(WIDE, budget=later)
    assert told == [
        protect_boolean(rules, "u", question_key(str(i)), people(20), 0.1) for i in range(9)
    ]
    later.close()


def test_the_file_is_its_owners_and_names_no_user(tmp_path):
    path = tmp_path / "budget.sqlite"
    store = Budget(NAMES, path)
    protect_count(guard(budget=store), "ann@example.org", question_key("one"), people(60), 0.6)
    store.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"ann" not in path.read_bytes()


def test_a_full_store_forgets_nobody_and_tells_nothing_dear():
    store = Budget(NAMES, maximum=2)
    rules = guard(WIDE, budget=store)
    counts = [
        protect_count(rules, "u", question_key(str(i)), people(60), 0.6).count for i in range(3)
    ]
    assert counts[0] is not None and counts[2] is None
    assert protect_count(rules, "v", question_key("0"), people(60), 0.6).count is None
    assert protect_count(rules, "u", question_key("0"), people(60), 0.6).count == counts[0]


def test_a_file_that_is_no_budget_is_refused(tmp_path):
    path = tmp_path / "budget.sqlite"
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(InputError, match=r"budget\.sqlite: file"):
        Budget(NAMES, path)


def test_the_secret_is_made_once_and_refused_when_others_may_read_it(tmp_path):
    key = secret_key(tmp_path)
    assert len(key) == 32 and secret_key(tmp_path) == key
    (tmp_path / "privacy.key").chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        secret_key(tmp_path)


def test_public_shares_are_found_by_question_and_rare_where_unknown(tmp_path):
    questions = [question_key(f"chr1-{i}-A-T") for i in range(50)]
    keys = np.array([PublicShares.key(one) for one in questions], np.uint64)
    PublicShares(keys, np.arange(50) / 50, 500).write(tmp_path / "shares.npz")
    read = PublicShares.open(tmp_path / "shares.npz")
    assert [read.share(one) for one in questions[1:]] == [i / 50 for i in range(1, 50)]
    assert read.share(questions[0]) == read.share(question_key("new")) == 0.5 / 501


def test_a_file_without_public_shares_is_refused(tmp_path):
    (tmp_path / "shares.npz").write_text("nothing")
    with pytest.raises(InputError, match=r"shares\.npz: file"):
        PublicShares.open(tmp_path / "shares.npz")
