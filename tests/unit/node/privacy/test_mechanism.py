"""Noise, its price and the power that it leaves to an attacker."""

import math

import numpy as np
import pytest
from scipy import stats

from rehearsal.node.privacy.mechanism import Mechanism, draw_noise, power_bound
from rehearsal.node.privacy.protection import PUBLIC, REGISTERED, UNPROTECTED

from .conftest import SECRET


@pytest.mark.parametrize("people", [10, 100, 1_000, 36_000])
def test_the_noise_grows_with_the_square_root_of_the_people(people):
    mechanism = Mechanism.of(PUBLIC, people)
    assert mechanism.deviation == pytest.approx(math.sqrt(people))
    assert Mechanism.of(REGISTERED, people).deviation < mechanism.deviation


def test_the_price_is_the_relative_entropy_of_two_neighbouring_normal_distributions():
    mechanism = Mechanism.of(PUBLIC, 100)
    x = np.linspace(-150, 150, 300_001)
    p, q = stats.norm.pdf(x, 1, mechanism.deviation), stats.norm.pdf(x, 0, mechanism.deviation)
    integrated = np.trapezoid(p * np.log(p / q), x)
    assert mechanism.price == pytest.approx(integrated, rel=1e-6)


def test_the_noise_is_normal_and_fixed_for_a_question():
    drawn = [draw_noise(SECRET, i.to_bytes(4, "big"), 10.0) for i in range(20_000)]
    assert drawn[7] == draw_noise(SECRET, (7).to_bytes(4, "big"), 10.0)
    jittered = np.array(drawn) + np.random.default_rng(1).uniform(-0.5, 0.5, len(drawn))
    assert stats.kstest(jittered, stats.norm(0, math.hypot(10, 12**-0.5)).cdf).pvalue > 0.001


def test_another_secret_gives_other_noise():
    questions = [i.to_bytes(4, "big") for i in range(100)]
    one, other = ([draw_noise(key, q, 10.0) for q in questions] for key in (SECRET, bytes(32)))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.4


def test_nobody_looks_like_enough_people():
    for people in (10, 100, 10_000):
        mechanism = Mechanism.of(PUBLIC, people)
        assert stats.norm.sf(mechanism.least / mechanism.deviation) < 1e-4
        assert not mechanism.is_enough(mechanism.least - 1)
        assert mechanism.is_enough(mechanism.least)


@pytest.mark.parametrize(("noisy", "shown"), [(44, 40), (45, 50), (54, 50), (3, 10), (-8, 10)])
def test_counts_are_multiples_of_the_step_and_never_0(noisy, shown):
    assert Mechanism.of(PUBLIC, 100).rounded(noisy) == shown


def test_without_protection_there_is_no_noise():
    mechanism = Mechanism.of(UNPROTECTED, 100)
    assert (mechanism.deviation, mechanism.price, mechanism.least) == (0, 0, 1)
    assert draw_noise(SECRET, b"q", 0.0) == 0
    assert mechanism.rounded(17) == 17


@pytest.mark.parametrize("power", [0.06, 0.10, 0.5, 0.99])
def test_the_power_bound_inverts_the_relative_entropy(power):
    nats = stats.entropy([power, 1 - power], [0.05, 0.95])
    assert power_bound(nats) == pytest.approx(power, abs=1e-9)


def test_the_best_test_on_a_spent_public_budget_is_weaker_than_the_bound():
    # the Neyman-Pearson test of two normal distributions, both known
    distance = math.sqrt(2 * PUBLIC.budget)
    best = stats.norm.sf(stats.norm.isf(0.05) - distance)
    assert best <= power_bound(PUBLIC.budget) <= 0.10
