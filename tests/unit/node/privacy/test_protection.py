"""The rules of a protection."""

import math

import pytest

from rehearsal.errors import InputError
from rehearsal.node.privacy.mechanism import power_bound
from rehearsal.node.privacy.protection import PUBLIC, REGISTERED, Protection


def test_the_default_is_the_strict_one():
    assert Protection() == PUBLIC
    assert PUBLIC.budget < REGISTERED.budget
    assert PUBLIC.noise > REGISTERED.noise


def test_the_public_budget_keeps_the_power_of_any_test_under_a_tenth():
    assert power_bound(PUBLIC.budget) <= 0.10


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0},
        {"rounding": 0},
        {"noise": -1},
        {"noise": math.inf},
        {"noise": 0},  # and a budget: each answer would cost infinitely many nats
        {"budget": -1.0},
        {"budget": math.nan},
        {"caller_share": 0.0},
        {"caller_share": 1.5},
    ],
)
def test_invalid_protections_are_refused(wrong):
    with pytest.raises(InputError, match=f"privacy: {list(wrong)[-1]}"):
        Protection(**wrong)
