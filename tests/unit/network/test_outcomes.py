"""Outcomes of a query to all nodes: each node's state, and the error when all failed."""

from itertools import permutations

import pytest

from rehearsal.model import Answer
from rehearsal.network.outcomes import common_failure, node_states

from .node_answers import failed, late, refused


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        # all have the same status
        ([refused("AT", 400), refused("FI", 400)], 400),
        ([refused("AT", 401), refused("FI", 401)], 401),
        ([refused("AT", 403), refused("FI", 403)], 403),
        # the most frequent status of those that refuse
        ([refused("AT", 404), refused("FI", 400), refused("SE", 404)], 404),
        ([refused("AT", 403), refused("FI", 400), refused("SE", 403)], 403),
        # equally frequent: the lower status
        ([refused("AT", 400), refused("FI", 403)], 400),
        ([refused("AT", 401), refused("FI", 403)], 401),
        ([refused("AT", 403), refused("FI", 404)], 403),
        # a refusal is an answer to the caller; late or broken nodes do not matter
        ([refused("AT", 403), late("FI"), late("SE")], 403),
        ([refused("AT", 400), failed("FI")], 400),
        ([late("AT"), late("FI")], 504),
        ([late("AT"), failed("FI")], 504),
        ([failed("AT"), failed("FI", None)], 502),
        ([], 503),
    ],
)
def test_the_status_is_decided_by_what_the_nodes_said_in_whatever_order(answers, status):
    for order in permutations(answers):
        assert common_failure(order).status == status


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (
            [refused("AT", 403), refused("FI", 400, "bad start"), refused("SE", 400, "bad start")],
            "3 of 3 nodes refused: HTTP 400: bad start",
        ),
        ([refused("AT", 403, "no visa"), late("FI")], "1 of 2 nodes refused: HTTP 403: no visa"),
        ([late("AT"), failed("FI")], "none of 2 nodes answered in time"),
        ([failed("AT")], "none of 1 nodes answered"),
        ([], "the registry has no node"),
    ],
)
def test_the_reason_is_that_of_a_node_that_said_so(answers, reason):
    assert common_failure(answers).reason == reason


def test_an_answer_that_cannot_be_used_is_none():
    answered = Answer("q", "AT", "answered", 200, {"response": None}, 0.01, 9)
    assert common_failure([answered]).status == 502


def test_every_node_stands_there_with_its_state_and_why():
    states = node_states([refused("AT", 403), late("FI")])
    assert states == {
        "nodes": [
            {
                "node": "AT",
                "state": "refused",
                "httpStatus": 403,
                "latencyMs": 10.0,
                "reason": "HTTP 403: no",
            },
            {
                "node": "FI",
                "state": "late",
                "httpStatus": None,
                "latencyMs": 10000.0,
                "reason": "no whole answer within 10 s",
            },
        ],
        "states": {"refused": 1, "late": 1},
        "complete": False,
    }
