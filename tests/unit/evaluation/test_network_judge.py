"""Judging the network's aggregated answer."""

import copy
from dataclasses import replace

import pytest

from rehearsal.evaluation.network_judge import judge_network_answer, network_state
from rehearsal.model import Answer
from rehearsal.network.aggregate import aggregate_answers
from rehearsal.truth.expected_answers import ExpectedAnswer

from .beacon_answers import (
    ERROR,
    EXPECTED,
    NOTHING,
    answered,
    body,
    query,
    record,
)


def late(node: str) -> Answer:
    return Answer("q", node, "late", None, None, 10, 0, "no whole answer within 10 s")


def test_a_true_aggregated_answer_is_equal():
    expected = {"FI": EXPECTED, "EE": EXPECTED, "SE": NOTHING}
    answers = [
        answered(body("record", True, 1, [record("EE")]), "EE"),
        answered(body("record", True, 1, [record("FI")]), "FI"),
        answered(body("record", False, 0, []), "SE"),
    ]
    verdict = judge_network_answer(
        query("record"), expected, aggregate_answers(query("record"), answers)
    )
    assert verdict.equal, verdict
    assert verdict.observed == "yes, count 2, 6/12 alleles (4 hom, 2 het, 0 hemi)"


def test_an_aggregated_answer_without_a_node_is_not_equal_even_if_the_sums_are():
    expected = {"FI": EXPECTED, "SE": NOTHING}
    aggregated = aggregate_answers(query("count"), [answered(body("count", True, 1)), late("SE")])
    verdict = judge_network_answer(query("count"), expected, aggregated)
    assert not verdict.equal
    assert verdict.difference == "late: SE no whole answer within 10 s"
    assert verdict.observed == "yes, count 1 (1 of 2 nodes answered)"
    assert network_state(aggregated) == "late"


def test_a_wrong_node_makes_the_aggregated_answer_wrong():
    wrong = copy.deepcopy(record("FI"))
    wrong["frequencyInPopulations"][0]["frequencies"][0]["alleleCount"] = 4
    aggregated = aggregate_answers(query("record"), [answered(body("record", True, 1, [wrong]))])
    verdict = judge_network_answer(query("record"), {"FI": EXPECTED}, aggregated)
    assert "FI 4/6 alleles" in verdict.difference


def test_a_node_that_gives_no_count_is_named():
    aggregated = aggregate_answers(query("count"), [answered(body("boolean", True))])
    verdict = judge_network_answer(query("count"), {"FI": EXPECTED}, aggregated)
    assert "no count from FI" in verdict.difference


def test_an_ill_formed_query_must_be_refused_by_all():
    refusal = Answer("q", "FI", "refused", 400, ERROR, 0.01, 10, "HTTP 400")
    expected = dict.fromkeys(("FI", "SE"), ExpectedAnswer(False, 0, refused=True))
    both = [refusal, Answer("q", "SE", "refused", 400, ERROR, 0.01, 10, "HTTP 400")]
    aggregated = replace(
        aggregate_answers(query("count"), both), http_status=400, error=ERROR["error"]
    )
    assert judge_network_answer(query("count"), expected, aggregated).equal
    one = [refusal, answered(body("count", False, 0), "SE")]
    aggregated = replace(
        aggregate_answers(query("count"), one), http_status=400, error=ERROR["error"]
    )
    verdict = judge_network_answer(query("count"), expected, aggregated)
    assert verdict.verdict == "wrong"
    assert "SE" in verdict.difference
    down = [refusal, Answer("q", "SE", "failed", None, None, 0.01, 0, "no connection")]
    aggregated = replace(
        aggregate_answers(query("count"), down), http_status=400, error=ERROR["error"]
    )
    verdict = judge_network_answer(query("count"), expected, aggregated)
    assert verdict.verdict == "failed"
    assert "SE no connection" in verdict.difference


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (200, None, "the network said 200 instead of 400"),
        (502, {"errorCode": 502, "errorMessage": "none answered"}, "the network said 502"),
        (400, None, "the network: no Beacon error body"),
        (400, {"errorCode": 404, "errorMessage": "x"}, "the network: no Beacon error body"),
        (400, {"errorCode": 400, "errorMessage": ""}, "the network: an error without a reason"),
    ],
)
def test_the_network_itself_must_refuse_what_its_nodes_refuse(status, error, said):
    refusal = Answer("q", "FI", "refused", 400, ERROR, 0.01, 10, "HTTP 400")
    aggregated = replace(
        aggregate_answers(query("count"), [refusal]), http_status=status, error=error
    )
    expected = {"FI": ExpectedAnswer(False, 0, refused=True)}
    verdict = judge_network_answer(query("count"), expected, aggregated)
    assert not verdict.equal
    assert said in verdict.difference


@pytest.mark.parametrize(
    ("named", "limit", "said"),
    [
        ([("FI", "a"), ("FI", "b"), ("SE", "c")], 10, ""),
        ([("SE", "c"), ("FI", "b"), ("FI", "a")], 10, ""),
        ([("FI", "a"), ("FI", "b")], 10, "SE: missing individuals: 1 (c)"),
        ([("FI", "a"), ("FI", "b"), ("FI", "c")], 10, "FI: unexpected individuals: 1 (c)"),
        ([("FI", "a"), ("FI", "b"), ("SE", "c"), ("SE", "c")], 10, "individuals named twice"),
        ([("FI", "a"), ("SE", "c")], 1, ""),  # each node has a page of its own
        ([("FI", "a"), ("FI", "b"), ("SE", "c")], 1, "FI: 2 individuals on a page of 1"),
        ([], 10, "FI: missing individuals: 2"),
    ],
)
def test_the_people_that_the_network_names_are_judged(named, limit, said):
    asked = query("record", "individuals", limit)
    expected = {
        "FI": ExpectedAnswer(True, 2, individuals=("a", "b")),
        "SE": ExpectedAnswer(True, 1, individuals=("c",)),
    }
    answers = [answered(body("record", True, len(expected[n].individuals)), n) for n in expected]
    records = tuple((node, {"id": name}) for node, name in named)
    verdict = judge_network_answer(
        asked, expected, replace(aggregate_answers(asked, answers), records=records)
    )
    assert verdict.equal == (said == "")
    assert said in verdict.difference
