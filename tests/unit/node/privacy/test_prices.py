"""Prices of answers."""

import math

import numpy as np
import pytest
from rehearsal.node.privacy.prices import information, power_bound, price, prices

from rehearsal.node.privacy.protection import PUBLIC, UNPROTECTED

from .conftest import PEOPLE


def test_information_of_two_people_is_that_of_two_coins():
    """Two people, no protection, half are carriers: absent 1 - 0.5², present certainly yes."""
    assert information(0.5, 2, UNPROTECTED, False) == pytest.approx(-math.log(0.75))


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, math.nan])
def test_information_requires_a_share(share):
    with pytest.raises(ValueError, match="share of carriers"):
        information(share, PEOPLE, PUBLIC, False)


def test_alleles_near_the_threshold_are_expensive_and_predictable_ones_free():
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
