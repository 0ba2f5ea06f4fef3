"""The network's Beacon response, built from the nodes' answers."""

import pytest

from rehearsal.model import Answer
from rehearsal.network.beacon_response import (
    Conditions,
    Part,
    aggregate_entries,
    aggregate_terms,
    shown_of,
)
from rehearsal.node.beacon.request import BeaconRequest

from .node_answers import answered, late, refused


def part(answer: Answer, entry_type: str = "g_variants") -> Part:
    return Part(answer, f"org.{answer.node}", shown_of(answer, entry_type))


def joined(answers, wanted="count", entry_type="g_variants", conditions=None):
    parts = [part(answer, entry_type) for answer in answers]
    return aggregate_entries(
        entry_type, BeaconRequest(), wanted, parts, conditions or Conditions(10)
    )


def test_totals_are_added_and_everybody_is_named():
    status, body = joined([answered("AT", True, 2), answered("FI", True, 3), late("SE")])
    assert status == 200
    assert body["responseSummary"] == {"exists": True, "numTotalResults": 5}
    assert [(one["node"], one["state"]) for one in body["info"]["nodes"]] == [
        ("AT", "answered"),
        ("FI", "answered"),
        ("SE", "late"),
    ]
    assert body["info"]["states"] == {"answered": 2, "late": 1}
    assert body["info"]["complete"] is False


def test_the_answer_is_as_fine_as_the_finest_part_but_never_finer_than_asked():
    _, body = joined([answered("AT", True), answered("FI", True, 3)], "record")
    assert body["meta"]["returnedGranularity"] == "count"
    assert body["info"]["uncounted"] == ["AT"]
    _, body = joined([answered("FI", True, 3)], "boolean")
    assert body["responseSummary"] == {"exists": True}


def test_a_yes_whose_number_nobody_told_has_no_total():
    sets = [{"id": "D", "setType": "dataset", "exists": True, "results": [{}]}]
    _, body = joined([answered("AT", True, sets=sets), answered("FI", True)], "count")
    assert body["responseSummary"] == {"exists": True}
    assert body["info"]["uncounted"] == ["AT", "FI"]
    _, body = joined([answered("AT", True), answered("FI", False, 0)], "count")
    assert body["responseSummary"] == {"exists": True}


def test_ids_stay_unique_when_two_nodes_use_the_same():
    sets = [{"id": "D", "setType": "dataset", "exists": True, "resultsCount": 1, "results": []}]
    _, body = joined([answered("AT", True, 1, sets), answered("FI", True, 1, sets)], "record")
    shown = body["response"]["resultSets"]
    assert [one["id"] for one in shown] == ["D", "FI:D"]
    assert [one["info"]["node"] for one in shown] == ["AT", "FI"]


def test_what_a_foreign_node_leaves_out_is_filled_in():
    sets = [{"id": "D", "results": [{"id": 1}, "nonsense"]}, {"results": []}, "nonsense"]
    (one,) = shown_of(answered("XX", True, 1, sets), "g_variants")
    assert one == {"id": "D", "setType": "dataset", "exists": True, "results": [{"id": 1}]}


@pytest.mark.parametrize(
    ("answers", "status", "message"),
    [
        ([refused("AT", 400, "bad"), refused("FI", 400, "bad")], 400, "2 of 2 nodes refused: HTTP"),
        ([refused("AT", 404), refused("FI", 400), refused("SE", 404)], 404, "3 of 3"),
        ([refused("AT", 403), late("FI")], 403, "1 of 2"),
        ([late("AT"), late("FI")], 504, "none of 2 nodes answered in time"),
        ([Answer("q", "AT", "failed", 500, None, 0.1, 0, "HTTP 500")], 502, "none of 1"),
        ([], 503, "no node"),
    ],
)
def test_without_any_answer_it_is_an_error_with_a_reason(answers, status, message):
    said, body = joined(answers)
    assert said == status == body["error"]["errorCode"]
    assert message in body["error"]["errorMessage"]
    assert len(body["info"]["nodes"]) == len(answers)


def test_terms_are_a_union():
    def offer(node, *terms):
        return part(answered(node, True, filteringTerms=list(terms)))

    female = {"id": "NCIT:C16576", "type": "ontology", "scopes": ["individual"]}
    body = aggregate_terms(
        [
            offer("AT", female, {"id": "age", "type": "alphanumeric"}),
            offer("FI", {**female, "scopes": ["run"]}, {"no": "id"}, "nonsense"),
            part(late("SE")),
        ],
        Conditions(10),
    )
    assert body["response"]["filteringTerms"] == [
        {"id": "NCIT:C16576", "type": "ontology", "scopes": ["individual", "run"]},
        {"id": "age", "type": "alphanumeric"},
    ]
