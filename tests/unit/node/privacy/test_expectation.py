"""What public facts alone say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.node.privacy.expectation import NOBODY, UNKNOWN, ShareBounds, expect
from rehearsal.node.privacy.mechanism import Mechanism
from rehearsal.node.privacy.protection import PUBLIC
from rehearsal.node.privacy.public_facts import PublicFacts


def expected(low, high, people=100):
    facts = PublicFacts.of_size(people)
    mechanism = Mechanism.of(PUBLIC, people)
    return expect(ShareBounds(low, high), facts, PUBLIC.threshold, mechanism)


def test_what_most_people_have_is_there_and_what_few_have_is_not():
    assert expected(0.7, 0.9) is True
    assert expected(0.0, 0.05) is False
    assert expected(0.3, 0.35) is None
    assert expected(*UNKNOWN_BOUNDS) is None


UNKNOWN_BOUNDS = (UNKNOWN.low, UNKNOWN.high)


def test_at_a_small_node_nothing_can_be_a_yes():
    # ten people: noise of 3.2 people, and a yes needs 13
    assert expected(*UNKNOWN_BOUNDS, people=10) is False


def test_larger_nodes_know_more_for_sure():
    assert expected(0.2, 0.2, people=100) is None
    assert expected(0.2, 0.2, people=10_000) is None  # drift of frequencies, however many people
    assert expected(0.6, 0.6, people=10_000) is True


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.floats(0, 1), st.sampled_from([50, 100, 1_000, 20_000]))
def test_a_sure_yes_is_wrong_less_than_once_in_a_thousand_and_a_no_once_in_a_hundred(share, people):
    """Draw nodes whose frequency drifted from the public one, as Balding and Nichols describe.

    Rare alleles have a long tail: a few are common at one node, for example after a founder event.
    """
    found = expected(share, share, people)
    if found is None:
        return
    random = np.random.default_rng(1)
    drifted = np.full(20_000, share)
    if 0 < share < 1:
        drifted = random.beta(share * 99, (1 - share) * 99, 20_000)  # F_ST 0.01
    carriers = random.binomial(people, drifted)
    least = Mechanism.of(PUBLIC, people).least
    wrong = carriers < PUBLIC.threshold if found else carriers >= least
    assert wrong.mean() <= (0.001 if found else 0.01)


people = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(people)
def test_two_conditions_together_lie_within_the_bounds(conditions):
    one, other, both = (
        sum(map(test, conditions)) / len(conditions)
        for test in (lambda c: c[0], lambda c: c[1], all)
    )
    bounds = ShareBounds(one, one).both(ShareBounds(other, other))
    assert bounds.low - 1e-9 <= both <= bounds.high + 1e-9


def test_bounds_of_women_and_men_are_averaged_and_scaled():
    half = ShareBounds.mean(NOBODY, ShareBounds(0.4, 0.6))
    assert (half.low, half.high) == pytest.approx((0.2, 0.3))
    among = half.among(0.25)
    assert (among.low, among.high) == pytest.approx((0.05, 0.25))
    assert half.among(None).low == 0
