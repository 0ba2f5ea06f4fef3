"""Outcomes with and without a treatment, from counts of people alone."""

import pytest

from rehearsal.model import Answer
from rehearsal.network.aggregate import aggregate_answers
from rehearsal.network.service_client import NetworkReply
from rehearsal.stories.beacon_queries import comparison_queries
from rehearsal.stories.question_types import comparison
from rehearsal.stories.question_types.comparison import Table, wilson
from rehearsal.stories.story_reader import read_stories

COUNTRIES = ("ES", "FI")
STORY = """
title: A comparison
summary: Does it help?
asker: {name: A doctor, country: FI, role: clinician, tier: controlled, purpose: "DUO:0000043"}
questions:
  - id: help
    text: Does it help?
    kind: comparison
    filters: ["NCIT:C16576"]
    treated: ["ATC:L01"]
    outcome: ["ICD10:C79"]
    without: [BRCA1 c.68_69del]
    strata:
      young: {text: the young, expected: benefit, filters: [{id: age, operator: "<=", value: 50}]}
"""
# of each country: people, treated, with the outcome, both; and carriers among them
COUNTS = {"all": 104, "treated": 51, "outcome": 26, "treated-outcome": 3}
CARRIERS = {"all/1": 4, "treated/1": 1, "outcome/1": 1, "treated-outcome/1": 0}


@pytest.fixture
def question(references, tmp_path):
    (tmp_path / "help.yaml").write_text(STORY)
    (story,) = read_stories(tmp_path, references)
    return story.questions[0]


def replies(question, counts, states=None):
    """Answers of a network of two countries with the same counts; ``boolean``: without counts."""
    found = {}
    for part, query in comparison_queries(question).items():
        answers = []
        for country in COUNTRIES:
            state = (states or {}).get(country, "answered")
            number = counts[part.removeprefix("young/")]
            summary = {"exists": number > 0, "numTotalResults": number}
            if state == "boolean":
                state = "answered"
                del summary["numTotalResults"]
            body = {"responseSummary": summary} if state == "answered" else None
            answers.append(Answer(query.id, country, state, 200, body, 0.1, 100))
        found[part] = query, NetworkReply(tuple(answers), aggregate_answers(query, answers))
    return found


def truth(counts):
    return {f"young/{part}": dict.fromkeys(COUNTRIES, n) for part, n in counts.items()}


def failed(checks):
    return {check.name for check in checks if not check.passed}


def test_the_table_is_made_of_sums_without_carriers(question):
    came = replies(question, COUNTS | CARRIERS)
    assert failed(comparison.judge(question, truth(COUNTS | CARRIERS), came)) == set()
    shown = comparison.summarise(question, came).details["strata"]["young"]
    assert (shown["treated"], shown["treated_outcome"]) == (100, 6)
    assert (shown["others"], shown["others_outcome"]) == (100, 44)
    assert shown["finding"] == "benefit"


def test_no_difference_where_one_is_expected_fails(question):
    same = COUNTS | CARRIERS | {"outcome": 10, "treated-outcome": 5}
    found = comparison.judge(question, truth(same), replies(question, same))
    assert failed(found) == {"young: effect of the treatment"}


def test_a_wrong_count_fails_in_the_country_and_in_the_sum(question):
    right = COUNTS | CARRIERS
    wrong = replies(question, right | {"outcome": 25})
    assert failed(comparison.judge(question, truth(right), wrong)) == {
        "counts of a country that differ from the truth",
        "the counts of the network equal the truth",
    }


def test_a_country_that_does_not_answer_fails(question):
    came = replies(question, COUNTS | CARRIERS, {"ES": "failed"})
    found = comparison.judge(question, truth(COUNTS | CARRIERS), came)
    assert "every country answered every query" in failed(found)
    assert comparison.summarise(question, came).countries["ES"]["state"] == "failed"


def test_a_foreign_node_need_not_count(question):
    came = replies(question, COUNTS | CARRIERS, {"ES": "boolean"})
    checks = comparison.judge(question, truth(COUNTS | CARRIERS), came, ["ES"])
    assert failed(checks) == set()
    assert not any("effect of the treatment" in check.name for check in checks)
    found = comparison.judge(question, truth(COUNTS | CARRIERS), came)
    assert "counts of a country that differ from the truth" in failed(found)


def test_the_intervals_are_wilsons_and_newcombes():
    """Newcombe 1998, example a of Table II: 56/70 and 48/80, 95 % interval 0.0524 to 0.3339."""
    before, comparison.Z = comparison.Z, 1.959964
    try:
        assert wilson(56, 70) == pytest.approx((0.6918, 0.8770), abs=2e-4)
        estimate, low, high = Table(70, 56, 80, 48).difference()
    finally:
        comparison.Z = before
    assert (estimate, low, high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


@pytest.mark.parametrize(
    ("table", "finding"),
    [
        (Table(84, 4, 84, 38), "benefit"),
        (Table(84, 38, 84, 4), "harm"),
        (Table(84, 7, 84, 6), "none"),
        (Table(0, 0, 84, 6), "none"),
    ],
)
def test_the_finding_follows_from_the_interval(table, finding):
    assert table.finding() == finding
