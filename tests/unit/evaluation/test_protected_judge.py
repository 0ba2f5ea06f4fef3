"""Judging the answers to the protected tiers."""

from dataclasses import replace

import pandas as pd
import pytest

from rehearsal.evaluation.protected_judge import (
    PROMISED,
    is_answerable,
    judge_protected_answer,
    judge_protected_network_answer,
    public_checks,
)
from rehearsal.evaluation.suite import beacon_request
from rehearsal.model import AlleleCounts, Answer, Query, Variant
from rehearsal.network.aggregate import aggregate_answers
from rehearsal.node.privacy.mechanism import Mechanism
from rehearsal.node.privacy.protection import PUBLIC, REGISTERED
from rehearsal.node.privacy.public_facts import rounded_size
from rehearsal.truth.expected_answers import ExpectedAnswer

ALLELE = {"referenceName": "22", "start": [1], "referenceBases": "A", "alternateBases": "G"}


def query(entry_type: str, tier: str = "public", parameters=None) -> Query:
    request = beacon_request(parameters or {}, [], "count", {"skip": 0, "limit": 1})
    return Query("q", "count", entry_type, request, tier=tier)


def told(exists: bool, count: int | None = None, granularity="count", node="FI") -> Answer:
    summary = {"exists": exists} | ({} if count is None else {"numTotalResults": count})
    content = {"meta": {"returnedGranularity": granularity}, "responseSummary": summary}
    return Answer("q", node, "answered", 200, content, 0.01, 100)


def carried_by(people: int) -> ExpectedAnswer:
    counts = AlleleCounts(an=400, ac=people, hom=0, het=people, hemi=0)
    return ExpectedAnswer(True, 1, {Variant("chr22", 1, "A", "G"): {"": counts}})


def refused(message: str, status: int = 403) -> Answer:
    content = {"error": {"errorCode": status, "errorMessage": message}}
    return Answer("q", "FI", "refused", status, content, 0.01, 100, f"HTTP {status}: {message}")


def based_on(basis: str, answer: Answer) -> Answer:
    answer.body["info"] = {"privacy": {"GDI-FI-REHEARSAL-1": {"basis": basis}}}
    return answer


def test_the_promises_are_the_settings_of_the_nodes():
    for tier, protection in {"public": PUBLIC, "registered": REGISTERED}.items():
        promise = PROMISED[tier]
        kept = (protection.threshold, protection.rounding, protection.noise)
        assert (promise.threshold, promise.rounding, promise.noise) == kept
        for people in (5, 97, 36_004):
            mechanism = Mechanism.of(protection, rounded_size(people))
            assert promise.deviation(people) == pytest.approx(mechanism.deviation)
            assert promise.fewest(people) == mechanism.least - 6 * mechanism.deviation


@pytest.mark.parametrize(
    ("people", "tier", "answer", "said"),
    [
        (480, "public", told(True, 500), ""),
        (480, "public", told(True, 280), "count 280 instead of 480 ± 194.737"),
        (480, "public", told(True, 700), "count 700 instead of 480 ± 194.737"),
        (480, "public", told(True, 482), "count 482 is not rounded to 10"),
        (480, "registered", told(True, 475), ""),
        (480, "registered", told(True, 476), "count 476 is not rounded to 5"),
        (480, "registered", told(True, 545), "count 545 instead of 480 ± 59.421"),
        (480, "public", told(False, 0), ""),
        (480, "public", told(True, 0), "exists True with a count of 0"),
        (480, "public", told(True, granularity="boolean"), ""),
        (480, "public", told(True, 500, "record"), "granularity record"),
        (0, "public", told(True, 130), "exists True instead of False"),
        (9, "public", based_on("public facts", told(True)), "an answer about 9 people, fewer than"),
        (11, "public", based_on("public facts", told(True, granularity="boolean")), ""),
    ],
)
def test_counts_are_rounded_and_within_the_noise(people, tier, answer, said):
    """Of 1,000 people: noise of 31.6 people at the public tier, 9.5 at the registered one."""
    verdict = judge_protected_answer(
        query("individuals", tier), ExpectedAnswer(people > 0, people, people=1000), answer
    )
    assert verdict.equal is (said == "")
    assert said in verdict.difference


@pytest.mark.parametrize(
    ("answer", "equal"),
    [
        (refused("privacy budget: expected a question that it pays, found a spent budget"), True),
        (refused("privacy budget: expected a narrower range, found a wider one", 400), False),
        (refused("This request requires a token."), False),
    ],
)
def test_only_the_marked_refusal_of_a_spent_budget_is_right(answer, equal):
    assert judge_protected_answer(query("individuals"), ExpectedAnswer(True, 48), answer).equal is (
        equal
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (told(True, 1), ""),
        (told(False, 0), ""),  # too few people for the noise
        (told(True, granularity="boolean"), ""),
        (told(True, 2), "count 2 of variants instead of at most the one asked for"),
        (told(True, 0), "exists True with a count of 0"),
    ],
)
def test_an_allele_is_there_or_not(answer, said):
    verdict = judge_protected_answer(query("g_variants", parameters=ALLELE), carried_by(30), answer)
    assert verdict.equal is (said == "")
    assert said in verdict.difference


def test_a_network_of_nodes_that_all_refuse_refuses():
    answers = [refused("privacy budget: expected X, found a spent budget")]
    asked = query("individuals")
    joined = aggregate_answers(asked, answers)
    assert judge_protected_network_answer(
        asked, answers, replace(joined, http_status=403), []
    ).equal
    answered = replace(joined, exists=False, http_status=200)
    assert not judge_protected_network_answer(asked, answers, answered, []).equal


def test_protected_tiers_get_no_records():
    answer = told(True, 1)
    answer.body["response"] = {"resultSets": [{"id": "GOE", "results": [{"id": "x"}]}]}
    verdict = judge_protected_answer(query("g_variants", parameters=ALLELE), carried_by(30), answer)
    assert "records for a tier" in verdict.difference


def test_a_foreign_node_may_protect_in_its_own_way_but_must_not_invent_people():
    asked, expected = query("individuals"), ExpectedAnswer(True, 48, people=100)
    assert judge_protected_answer(asked, expected, told(True, 48), is_foreign=True).equal
    assert judge_protected_answer(asked, expected, told(False, 0), is_foreign=True).equal
    assert not judge_protected_answer(asked, expected, told(True, 120), is_foreign=True).equal


@pytest.mark.parametrize(("status", "verdict"), [(401, "incomplete"), (404, "refused")])
def test_a_foreign_node_need_not_be_open_to_the_public(status, verdict):
    asked, expected = query("individuals"), ExpectedAnswer(True, 48, people=100)
    answer = replace(refused("a token is required"), http_status=status)
    judged = judge_protected_answer(asked, expected, answer, is_foreign=True)
    assert judged.verdict == verdict
    assert judge_protected_answer(asked, expected, answer).verdict == "refused"


def test_the_network_gives_the_sum_of_its_nodes_answers():
    answers = [told(True, 50), told(True, 30, node="SE")]
    asked = query("individuals")
    joined = aggregate_answers(asked, answers)
    assert judge_protected_network_answer(asked, answers, joined, []).equal
    for other in ({"count": 81}, {"exists": False}, {"records": (("FI", {"id": "x"}),)}):
        assert not judge_protected_network_answer(
            asked, answers, replace(joined, **other), []
        ).equal
    verdict = judge_protected_network_answer(asked, answers, joined, ["SE"])
    assert verdict.difference == "wrong answer of SE"


def suite_rows(kind: str, told_yes: bool, answerable: bool, name: str = "q") -> list[dict]:
    row = {"query": name, "kind": kind, "tier": "public", "judged_on": "protected"}
    node = row | {"node": "FI", "exists": told_yes, "answerable": answerable}
    return [node, row | {"node": "network", "exists": told_yes, "answerable": None}]


def checks(*rows: list[dict]) -> dict[str, bool]:
    frame = pd.DataFrame([row for some in rows for row in some])
    frame = frame.astype({"exists": "boolean", "answerable": "boolean"})
    found = [one for one in public_checks(frame) if one["name"].startswith("public")]
    return {
        "people" if "about people" in one["name"] else "variants": one["passed"] for one in found
    }


def test_a_suite_without_any_public_answer_fails():
    people, silent = suite_rows("individuals", True, True), suite_rows("presence", False, True, "t")
    assert checks(people, silent) == {"people": True, "variants": False}
    one = suite_rows("presence", True, True, "r")
    assert checks(people, silent, one) == {"people": True, "variants": True}
    nobody = suite_rows("individuals", False, True, "s")
    assert checks(people, one, nobody) == {"people": True, "variants": True}
    assert checks(one, nobody) == {"people": False, "variants": True}


def test_a_question_about_too_few_people_needs_no_answer():
    assert checks(suite_rows("presence", False, False)) == {}


def test_a_node_with_fewer_people_than_the_promise_needs_no_answer():
    asked = query("individuals")
    assert is_answerable(asked, ExpectedAnswer(True, 90, people=100))
    assert not is_answerable(asked, ExpectedAnswer(True, 30, people=30))


def test_what_was_not_asked_is_not_said_to_have_passed():
    assert checks(suite_rows("presence", True, True)) == {"variants": True}
