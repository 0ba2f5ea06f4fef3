"""Judging a node's answer: it is equal, or every difference is named."""

import pytest

from rehearsal.evaluation.exact_judge import judge_answer
from rehearsal.model import AlleleCounts, Answer
from rehearsal.truth.expected_answers import ExpectedAnswer

from .beacon_answers import (
    ERROR,
    EXPECTED,
    NOTHING,
    VARIANT,
    answered,
    body,
    population,
    query,
    record,
)


def test_a_true_frequency_is_equal_and_described_in_words():
    verdict = judge_answer(query("record"), EXPECTED, answered(body("record", True, 1, [record()])))
    assert verdict.equal
    assert verdict.difference == ""
    assert verdict.expected == verdict.observed
    assert verdict.observed == "yes, count 1, 3/6 alleles (2 hom, 1 het, 0 hemi)"


def changed(**counts) -> dict:
    other = record()
    other["frequencyInPopulations"][0]["frequencies"][0] |= counts
    return other


def without_men() -> dict:
    other = record()
    other["frequencyInPopulations"][0]["frequencies"].pop()
    return other


def elsewhere() -> dict:
    other = record()
    other["variation"]["location"]["interval"]["start"]["value"] = 101
    return other


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (changed(alleleCount=2), "FI 2/6 alleles"),
        (changed(alleleNumber=5), "FI 3/5 alleles"),
        (changed(alleleCountHomozygous=1), "1 hom, 1 het"),
        (changed(alleleCountHemizygous=1), "1 hemi"),
        (changed(alleleFrequency=0.51), "FI frequency 0.51 for 0.5"),
        (changed(alleleCount="3"), "unreadable records"),
        (without_men(), "FI_M nothing instead of 1/2 alleles"),
        (elsewhere(), "100:A>G missing; 101:A>G unexpected"),
        ({}, "100:A>G missing"),
    ],
)
def test_any_wrong_count_is_found(wrong: dict, said: str):
    verdict = judge_answer(query("record"), EXPECTED, answered(body("record", True, 1, [wrong])))
    assert not verdict.equal
    assert said in verdict.difference


@pytest.mark.parametrize(
    ("granularity", "content", "said"),
    [
        ("boolean", body("boolean", False), "exists False instead of True"),
        ("boolean", body("boolean", True, 1), "a count (1) although only presence was asked for"),
        ("boolean", body("count", True), "granularity count instead of boolean"),
        ("count", body("count", True), "count None instead of 1"),
        ("count", body("count", True, 2), "count 2 instead of 1"),
        ("count", {"responseSummary": {"exists": True, "numTotalResults": 1}}, "granularity None"),
        ("record", body("record", True, 1), "result sets of [] instead of 1"),
    ],
)
def test_any_wrong_summary_is_found(granularity: str, content: dict, said: str):
    verdict = judge_answer(query(granularity), EXPECTED, answered(content))
    assert not verdict.equal
    assert said in verdict.difference


def test_true_presence_and_count_are_equal():
    assert judge_answer(query("boolean"), EXPECTED, answered(body("boolean", True))).equal
    assert judge_answer(query("count"), EXPECTED, answered(body("count", True, 1))).equal
    assert judge_answer(query("count"), NOTHING, answered(body("count", False, 0))).equal
    assert judge_answer(query("record"), NOTHING, answered(body("record", False, 0, []))).equal


def test_datasets_may_hold_the_same_variants_but_not_more_or_fewer():
    content = body("record", True, 1, [record()])
    content["response"]["resultSets"].append({"id": "GDI", "resultsCount": 1, "results": []})
    assert judge_answer(query("record"), EXPECTED, answered(content)).equal
    for wrong in (0, 2):
        for one in content["response"]["resultSets"]:
            one["resultsCount"] = wrong
        assert (
            "result sets of"
            in judge_answer(query("record"), EXPECTED, answered(content)).difference
        )


def test_a_group_without_a_called_allele_has_no_frequency():
    nobody = AlleleCounts(0, 0, 0, 0, 0)
    men_only = {"": AlleleCounts(2, 1, 0, 1, 0), "_F": nobody, "_M": AlleleCounts(2, 1, 0, 1, 0)}
    only = record()
    only["frequencyInPopulations"][0]["frequencies"] = [
        population("FI", 1, 2, 0, 1),
        population("FI_M", 1, 2, 0, 1),
    ]
    expected = ExpectedAnswer(True, 1, {VARIANT: men_only})
    assert judge_answer(query("record"), expected, answered(body("record", True, 1, [only]))).equal


@pytest.mark.parametrize("state", ["late", "failed", "refused"])
def test_a_missing_answer_is_never_equal_not_even_to_nothing(state: str):
    verdict = judge_answer(
        query("count"), NOTHING, Answer("q", "FI", state, None, None, 10, 0, "why")
    )
    assert not verdict.equal
    assert verdict.difference == f"{state}: why"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "b", "c"], ""),
        (["c", "b", "a"], ""),
        (["a", "b"], "missing individuals: 1 (c)"),
        (["a", "b", "x"], "unexpected individuals: 1 (x)"),
        (["a", "b", "c", "c"], "individuals named twice"),
    ],
)
def test_records_of_individuals(names: list[str], said: str):
    expected = ExpectedAnswer(True, 3, individuals=("a", "b", "c"))
    content = body("record", True, 3, [{"id": name} for name in names])
    verdict = judge_answer(query("record", "individuals"), expected, answered(content))
    assert verdict.equal == (said == "")
    assert said in verdict.difference


def test_a_full_page_of_individuals_is_complete():
    expected = ExpectedAnswer(True, 3, individuals=("a", "b", "c"))
    content = body("record", True, 3, [{"id": "b"}, {"id": "c"}])
    assert judge_answer(query("record", "individuals", limit=2), expected, answered(content)).equal


@pytest.mark.parametrize(
    ("state", "status", "content", "equal"),
    [
        ("refused", 400, ERROR, True),
        ("refused", 404, ERROR, False),
        ("refused", 400, None, False),
        ("refused", 400, {"error": {"errorCode": 400, "errorMessage": " "}}, False),
        ("failed", 500, ERROR, False),
        ("answered", 200, body("count", False, 0), False),
        ("late", None, None, False),
    ],
)
def test_an_ill_formed_query_needs_400_with_a_reason(state, status, content, equal):
    answer = Answer("q", "FI", state, status, content, 0.01, 10, "x")
    verdict = judge_answer(query("count"), ExpectedAnswer(False, 0, refused=True), answer)
    assert verdict.equal == equal
    assert bool(verdict.difference) != equal


@pytest.mark.parametrize("state", ["late", "failed"])
def test_a_node_that_does_not_reply_to_an_ill_formed_query_has_not_answered_wrongly(state):
    answer = Answer("q", "FI", state, None, None, 0.01, 0, "no connection")
    judged = judge_answer(query("count"), ExpectedAnswer(False, 0, refused=True), answer)
    assert judged.verdict == state
    assert "no connection" in judged.difference
