"""The rules of a protection."""

import math

import pytest
from rehearsal.node.privacy.prices import power_bound

from rehearsal.errors import InputError
from rehearsal.node.privacy.protection import PUBLIC, Protection


def test_the_default_is_the_strict_one():
    assert Protection() == PUBLIC
    assert PUBLIC.budgeted and PUBLIC.threshold >= 10 and PUBLIC.rounding >= 10
    # one budget for yes-or-no answers and one for counts
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
def test_invalid_protections_are_refused(wrong):
    with pytest.raises(InputError, match=f"privacy: {list(wrong)[-1]}"):
        Protection(**wrong)
