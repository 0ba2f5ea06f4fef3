"""Judging answers: equal, or a word about every difference."""

import copy
from dataclasses import replace

import pytest

from rehearsal.evaluation.judge import judge, judge_network, network_state
from rehearsal.evaluation.suite import beacon_request
from rehearsal.model import AlleleCounts, Answer, Query, Variant
from rehearsal.network.aggregate import aggregate_answers
from rehearsal.truth.expected_answers import ExpectedAnswer

VARIANT = Variant("chr22", 100, "A", "G")
EXPECTED = ExpectedAnswer(
    True,
    1,
    {
        VARIANT: {
            "": AlleleCounts(an=6, ac=3, hom=1, het=1, hemi=0),
            "_F": AlleleCounts(an=4, ac=2, hom=1, het=0, hemi=0),
            "_M": AlleleCounts(an=2, ac=1, hom=0, het=1, hemi=0),
        }
    },
)
NOTHING = ExpectedAnswer(False, 0)


def query(granularity: str, entry_type: str = "g_variants", limit: int = 10) -> Query:
    request = beacon_request({}, [], granularity, {"skip": 0, "limit": limit})
    return Query("q", "count", entry_type, request)


def body(granularity: str, exists: bool, count: int | None = None, results=None) -> dict:
    content = {"meta": {"returnedGranularity": granularity}, "responseSummary": {"exists": exists}}
    if count is not None:
        content["responseSummary"]["numTotalResults"] = count
    if results is not None:
        sets = [{"id": "GOE", "exists": exists, "resultsCount": count, "results": results}]
        content["response"] = {"resultSets": sets}
    return content


def answered(content: dict, node: str = "FI") -> Answer:
    return Answer("q", node, "answered", 200, content, 0.01, 100)


def population(name: str, ac: int, an: int, hom: int, het: int) -> dict:
    return {
        "population": name,
        "alleleFrequency": ac / an,
        "alleleCount": ac,
        "alleleNumber": an,
        "alleleCountHomozygous": hom,
        "alleleCountHeterozygous": het,
        "alleleCountHemizygous": 0,
    }


def record(node: str = "FI") -> dict:
    return {
        "variation": {
            "location": {"interval": {"start": {"value": 100}, "end": {"value": 101}}},
            "referenceBases": "A",
            "alternateBases": "G",
        },
        "frequencyInPopulations": [
            {
                "frequencies": [
                    population(node, 3, 6, 2, 1),  # one homozygous person: two alleles
                    population(f"{node}_F", 2, 4, 2, 0),
                    population(f"{node}_M", 1, 2, 0, 1),
                ]
            }
        ],
    }


def test_a_true_look_up_is_equal_and_told_in_words():
    verdict = judge(query("record"), EXPECTED, answered(body("record", True, 1, [record()])))
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
        (changed(alleleCount="3"), "records that cannot be read"),
        (without_men(), "FI_M nothing instead of 1/2 alleles"),
        (elsewhere(), "100:A>G missing; 101:A>G too many"),
        ({}, "100:A>G missing"),
    ],
)
def test_any_wrong_count_is_found(wrong: dict, said: str):
    verdict = judge(query("record"), EXPECTED, answered(body("record", True, 1, [wrong])))
    assert not verdict.equal
    assert said in verdict.difference


@pytest.mark.parametrize(
    ("granularity", "content", "said"),
    [
        ("boolean", body("boolean", False), "exists False instead of True"),
        ("boolean", body("boolean", True, 1), "a count (1) though only presence was asked for"),
        ("boolean", body("count", True), "granularity count instead of boolean"),
        ("count", body("count", True), "count None instead of 1"),
        ("count", body("count", True, 2), "count 2 instead of 1"),
        ("count", {"responseSummary": {"exists": True, "numTotalResults": 1}}, "granularity None"),
        ("record", body("record", True, 1), "result sets of [] instead of 1"),
    ],
)
def test_any_wrong_summary_is_found(granularity: str, content: dict, said: str):
    verdict = judge(query(granularity), EXPECTED, answered(content))
    assert not verdict.equal
    assert said in verdict.difference


def test_true_presence_and_count_are_equal():
    assert judge(query("boolean"), EXPECTED, answered(body("boolean", True))).equal
    assert judge(query("count"), EXPECTED, answered(body("count", True, 1))).equal
    assert judge(query("count"), NOTHING, answered(body("count", False, 0))).equal
    assert judge(query("record"), NOTHING, answered(body("record", False, 0, []))).equal


def test_datasets_may_hold_the_same_variants_but_not_more_or_fewer():
    content = body("record", True, 1, [record()])
    content["response"]["resultSets"].append({"id": "GDI", "resultsCount": 1, "results": []})
    assert judge(query("record"), EXPECTED, answered(content)).equal
    for wrong in (0, 2):
        for one in content["response"]["resultSets"]:
            one["resultsCount"] = wrong
        assert "result sets of" in judge(query("record"), EXPECTED, answered(content)).difference


def test_a_group_without_a_called_allele_has_no_frequency():
    nobody = AlleleCounts(0, 0, 0, 0, 0)
    men_only = {"": AlleleCounts(2, 1, 0, 1, 0), "_F": nobody, "_M": AlleleCounts(2, 1, 0, 1, 0)}
    only = record()
    only["frequencyInPopulations"][0]["frequencies"] = [
        population("FI", 1, 2, 0, 1),
        population("FI_M", 1, 2, 0, 1),
    ]
    expected = ExpectedAnswer(True, 1, {VARIANT: men_only})
    assert judge(query("record"), expected, answered(body("record", True, 1, [only]))).equal


@pytest.mark.parametrize("state", ["late", "failed", "refused"])
def test_no_answer_is_never_equal_not_even_to_nothing(state: str):
    verdict = judge(query("count"), NOTHING, Answer("q", "FI", state, None, None, 10, 0, "why"))
    assert not verdict.equal
    assert verdict.difference == f"{state}: why"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "b", "c"], ""),
        (["c", "b", "a"], ""),
        (["a", "b"], "1 individuals missing (c)"),
        (["a", "b", "x"], "1 individuals too many (x)"),
        (["a", "b", "c", "c"], "individuals named twice"),
    ],
)
def test_records_of_individuals(names: list[str], said: str):
    expected = ExpectedAnswer(True, 3, individuals=("a", "b", "c"))
    content = body("record", True, 3, [{"id": name} for name in names])
    verdict = judge(query("record", "individuals"), expected, answered(content))
    assert verdict.equal == (said == "")
    assert said in verdict.difference


def test_a_page_of_individuals_is_whole_when_it_is_full():
    expected = ExpectedAnswer(True, 3, individuals=("a", "b", "c"))
    content = body("record", True, 3, [{"id": "b"}, {"id": "c"}])
    assert judge(query("record", "individuals", limit=2), expected, answered(content)).equal


ERROR = {"error": {"errorCode": 400, "errorMessage": "start is negative"}}


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
def test_an_ill_formed_query_wants_400_with_a_reason(state, status, content, equal):
    answer = Answer("q", "FI", state, status, content, 0.01, 10, "x")
    verdict = judge(query("count"), ExpectedAnswer(False, 0, refused=True), answer)
    assert verdict.equal == equal
    assert bool(verdict.difference) != equal


def late(node: str) -> Answer:
    return Answer("q", node, "late", None, None, 10, 0, "no whole answer within 10 s")


def test_a_true_joined_answer_is_equal():
    expected = {"FI": EXPECTED, "EE": EXPECTED, "SE": NOTHING}
    answers = [
        answered(body("record", True, 1, [record("EE")]), "EE"),
        answered(body("record", True, 1, [record("FI")]), "FI"),
        answered(body("record", False, 0, []), "SE"),
    ]
    verdict = judge_network(query("record"), expected, aggregate_answers(query("record"), answers))
    assert verdict.equal, verdict
    assert verdict.observed == "yes, count 2, 6/12 alleles (4 hom, 2 het, 0 hemi)"


def test_a_joined_answer_without_a_node_is_not_equal_even_when_the_sums_are():
    expected = {"FI": EXPECTED, "SE": NOTHING}
    joined = aggregate_answers(query("count"), [answered(body("count", True, 1)), late("SE")])
    verdict = judge_network(query("count"), expected, joined)
    assert not verdict.equal
    assert verdict.difference == "late: SE no whole answer within 10 s"
    assert verdict.observed == "yes, count 1 (1 of 2 nodes answered)"
    assert network_state(joined) == "late"


def test_a_wrong_node_makes_the_joined_answer_wrong():
    wrong = copy.deepcopy(record("FI"))
    wrong["frequencyInPopulations"][0]["frequencies"][0]["alleleCount"] = 4
    joined = aggregate_answers(query("record"), [answered(body("record", True, 1, [wrong]))])
    verdict = judge_network(query("record"), {"FI": EXPECTED}, joined)
    assert "FI 4/6 alleles" in verdict.difference


def test_a_count_that_a_node_kept_to_itself_is_named():
    joined = aggregate_answers(query("count"), [answered(body("boolean", True))])
    verdict = judge_network(query("count"), {"FI": EXPECTED}, joined)
    assert "no count from FI" in verdict.difference


def test_an_ill_formed_query_must_be_refused_by_all():
    refusal = Answer("q", "FI", "refused", 400, ERROR, 0.01, 10, "HTTP 400")
    expected = dict.fromkeys(("FI", "SE"), ExpectedAnswer(False, 0, refused=True))
    both = [refusal, Answer("q", "SE", "refused", 400, ERROR, 0.01, 10, "HTTP 400")]
    joined = replace(aggregate_answers(query("count"), both), http_status=400, error=ERROR["error"])
    assert judge_network(query("count"), expected, joined).equal
    one = [refusal, answered(body("count", False, 0), "SE")]
    joined = replace(aggregate_answers(query("count"), one), http_status=400, error=ERROR["error"])
    verdict = judge_network(query("count"), expected, joined)
    assert not verdict.equal
    assert "SE" in verdict.difference


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
    joined = replace(aggregate_answers(query("count"), [refusal]), http_status=status, error=error)
    expected = {"FI": ExpectedAnswer(False, 0, refused=True)}
    verdict = judge_network(query("count"), expected, joined)
    assert not verdict.equal
    assert said in verdict.difference


@pytest.mark.parametrize(
    ("named", "limit", "said"),
    [
        ([("FI", "a"), ("FI", "b"), ("SE", "c")], 10, ""),
        ([("SE", "c"), ("FI", "b"), ("FI", "a")], 10, ""),
        ([("FI", "b"), ("FI", "a")], 2, ""),
        ([("FI", "a"), ("FI", "b")], 10, "1 individuals missing (SE/c)"),
        ([("FI", "a"), ("FI", "b"), ("FI", "c")], 10, "1 individuals too many (FI/c)"),
        ([("FI", "a"), ("FI", "b"), ("SE", "c"), ("SE", "c")], 10, "individuals named twice"),
        ([("FI", "a"), ("FI", "b"), ("SE", "c")], 2, "3 individuals on a page of 2"),
        ([], 10, "3 individuals missing"),
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
    verdict = judge_network(
        asked, expected, replace(aggregate_answers(asked, answers), records=records)
    )
    assert verdict.equal == (said == "")
    assert said in verdict.difference
