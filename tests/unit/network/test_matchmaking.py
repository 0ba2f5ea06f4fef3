"""The network's ranking, merged from the nodes' rankings."""

import pytest

from rehearsal.model import Answer
from rehearsal.network.beacon_response import Conditions, Part
from rehearsal.network.matchmaking import aggregate_matches


def result(score, token):
    return {"score": {"patient": score}, "patient": {"id": token}}


def answered(node, *results, **more):
    body = {"results": list(results), "_hpo": "2025-11-24"} | more
    return Answer("q", node, "answered", 200, body, 0.01, 100)


def not_answered(node, state="late", status=None):
    return Answer("q", node, state, status, None, 10.0, 0, "no whole answer")


def joined(*answers):
    return aggregate_matches([Part(one, None) for one in answers], Conditions(10))


def test_results_go_by_score_then_node_then_the_nodes_own_order():
    status, body = joined(
        answered("ES", result(0.9, "a"), result(0.5, "c"), result(0.5, "b")),
        answered("FI", result(1.0, "d"), result(0.5, "e")),
    )
    assert status == 200
    assert [(one["_node"], one["patient"]["id"]) for one in body["results"]] == [
        ("FI", "d"),
        ("ES", "a"),
        ("ES", "c"),
        ("ES", "b"),
        ("FI", "e"),
    ]
    assert body["info"]["complete"]


def test_every_node_stands_there_with_its_state_and_how_many_it_told_of():
    _, body = joined(
        answered("AT"),
        answered("ES", result(0.9, "a")),
        not_answered("FI"),
        not_answered("SE", "failed"),
        not_answered("PL", "refused", 403),
    )
    told = {one["node"]: (one["state"], one.get("count")) for one in body["info"]["nodes"]}
    assert told == {
        "AT": ("answered", 0),
        "ES": ("answered", 1),
        "FI": ("late", None),
        "SE": ("failed", None),
        "PL": ("refused", None),
    }
    assert not body["info"]["complete"]


@pytest.mark.parametrize(
    "body",
    [
        {"results": None},
        {"results": [1]},
        {"results": [{"patient": {}}]},
        {"results": [{"patient": {}, "score": {"patient": 1.5}}]},
        {"results": [{"patient": {}, "score": {"patient": True}}]},
        {"results": [{"patient": {}, "score": {"patient": float("nan")}}]},
        {"results": [{"patient": [], "score": {"patient": 1}}]},
        {"_notes": [1]},
    ],
)
def test_an_answer_that_is_no_ranking_is_a_failure_of_its_node(body):
    _, told = joined(answered("AT", **body), answered("ES", result(0.9, "a")))
    at, es = told["info"]["nodes"]
    assert (at["state"], es["state"]) == ("failed", "answered")
    assert "without matches" in at["reason"]
    assert len(told["results"]) == 1


def test_when_nobody_answers_it_is_an_error_with_every_node():
    status, body = joined(not_answered("AT", "refused", 403), not_answered("ES", "refused", 403))
    assert status == 403
    assert len(body["info"]["nodes"]) == 2
    assert joined(not_answered("AT"))[0] == 504


def test_notes_of_nodes_are_told_once():
    note = "patient.genomicFeatures[0].variant: of 'GRCh37', not GRCh38"
    _, body = joined(answered("AT", _notes=[note]), answered("ES", _notes=[note]))
    assert body["_notes"] == [note]
    assert body["_hpo"] == {"AT": "2025-11-24", "ES": "2025-11-24"}
