"""How often what is asked."""

import pytest

from rehearsal.errors import InputError
from rehearsal.loadtest.load.sender import Call
from rehearsal.loadtest.load.workload import weights


def test_kinds_and_users_come_up_by_their_weights_however_many_queries_each_has():
    def call(kind, role):
        return Call("", "GET", {}, None, "q", kind, role, "FI")

    calls = [call("gene", "public")] * 3 + [call("count", "public"), call("count", "researcher")]
    chance = weights(calls, {"gene": 1, "count": 1}, {"public": 1, "researcher": 2})
    assert chance == pytest.approx([1 / 12, 1 / 12, 1 / 12, 1 / 4, 1 / 2])
    with pytest.raises(
        InputError, match=r"bench\.load: kinds: expected a weight above 0 for one of count"
    ):
        weights(calls, {"range": 1}, {"public": 1})
