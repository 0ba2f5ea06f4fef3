"""Judging the answers to the protected tiers."""

from dataclasses import replace

import pandas as pd
import pytest

from rehearsal.evaluation.protected_judge import (
    PROMISED,
    judge_protected_answer,
    judge_protected_network_answer,
    public_checks,
)
from rehearsal.evaluation.suite import beacon_request
from rehearsal.model import AlleleCounts, Answer, Query, Variant
from rehearsal.network.aggregate import aggregate_answers
from rehearsal.node.privacy.protection import PUBLIC, REGISTERED
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


def test_the_promises_are_the_settings_of_the_nodes():
    for tier, protection in {"public": PUBLIC, "registered": REGISTERED}.items():
        promise = PROMISED[tier]
        kept = (protection.threshold, protection.rounding, protection.noise)
        assert (promise.threshold, promise.rounding, promise.noise) == kept


@pytest.mark.parametrize(
    ("people", "tier", "answer", "said"),
    [
        (48, "public", told(True, 50), ""),
        (48, "public", told(True, 40), "count 40 instead of 48 ± 7"),
        (48, "public", told(True, 60), "count 60 instead of at most 48"),
        (48, "public", told(True, 48), "count 48 is not rounded to 10"),
        (48, "registered", told(True, 45), ""),
        (48, "registered", told(True, 46), "count 46 is not rounded to 5"),
        (48, "public", told(False, 0), ""),  # the budget may be spent
        (48, "public", told(True, 0), "exists True with a count of 0"),
        (48, "public", told(True, granularity="boolean"), ""),
        (48, "public", told(True, 50, "record"), "granularity record"),
        (11, "public", told(True, 10), ""),
        (9, "public", told(True, 10), "an answer about 9 people, fewer than 10"),
        (9, "public", told(False, 0), ""),
        (0, "public", told(True, 10), "exists True instead of False"),
    ],
)
def test_counts_of_enough_people_are_rounded(people, tier, answer, said):
    verdict = judge_protected_answer(
        query("individuals", tier), ExpectedAnswer(people > 0, people), answer
    )
    assert verdict.equal is (said == "")
    assert said in verdict.difference


@pytest.mark.parametrize(
    ("people", "answer", "said"),
    [
        (30, told(True, 1), ""),
        (30, told(False, 0), ""),  # the budget may be spent
        (30, told(True, granularity="boolean"), ""),
        (9, told(True, granularity="boolean"), "an answer about 9 people"),
        (9, told(True, 1), "count 1 instead of at most 0 variants"),
        (30, told(True, 2), "count 2 instead of at most 1 variants"),
    ],
)
def test_an_allele_appears_if_enough_people_carry_it(people, answer, said):
    verdict = judge_protected_answer(
        query("g_variants", parameters=ALLELE), carried_by(people), answer
    )
    assert verdict.equal is (said == "")
    assert said in verdict.difference


def test_an_empty_answer_about_carriers_is_allowed():
    asked = query("individuals", parameters=ALLELE)
    assert judge_protected_answer(asked, ExpectedAnswer(True, 48), told(False, 0)).equal


def test_protected_tiers_get_no_records():
    answer = told(True, 1)
    answer.body["response"] = {"resultSets": [{"id": "GOE", "results": [{"id": "x"}]}]}
    verdict = judge_protected_answer(query("g_variants", parameters=ALLELE), carried_by(30), answer)
    assert "records for a tier" in verdict.difference


def test_a_foreign_node_may_protect_in_its_own_way_but_must_not_invent_people():
    asked, expected = query("individuals"), ExpectedAnswer(True, 48)
    assert judge_protected_answer(asked, expected, told(True, 48), is_foreign=True).equal
    assert judge_protected_answer(asked, expected, told(False, 0), is_foreign=True).equal
    assert not judge_protected_answer(asked, expected, told(True, 90), is_foreign=True).equal


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
    assert len(found) == 2
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
    assert checks(suite_rows("presence", False, False)) == {"people": True, "variants": True}
