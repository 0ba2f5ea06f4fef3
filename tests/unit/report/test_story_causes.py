"""Failed checks of stories by cause."""

import pytest

from rehearsal.report.failures import other_failures
from rehearsal.report.story_causes import name_story_causes

DOWN = {"state": "failed", "reason": "circuit open: no connection (Connection refused)"}
UP = {"state": "answered"}
REFUSED = "FI did not answer: no connection (Connection refused)"
SAME = "the answer of each country equals the truth"
ALL = "every country answered"


def question(name, countries, *checks):
    """A question with its checks: name, expected, observed; it passed if the latter are equal."""
    told = [
        {"name": check, "expected": right, "observed": found, "passed": right == found}
        for check, right, found in checks
    ]
    return {"id": name, "countries": countries, "checks": told}


def stories(**questions):
    return [
        {
            "name": name,
            "questions": asked,
            "checks": [
                {**check, "name": f"{one['id']}: {check['name']}"}
                for one in asked
                for check in one["checks"]
            ],
        }
        for name, asked in questions.items()
    ]


def lines(**questions):
    """What a run says of its stories."""
    named = name_story_causes(stories(**questions))
    told = {
        name: {"checks": checks, "passed": all(check["passed"] for check in checks)}
        for name, checks in named.items()
    }
    well = {"queries": 1, "causes": []}
    return other_failures(
        {"federation": well, "qs02": {"passed": True}, "stories": told}
        | {"analyses": {}, "realism": [], "privacy": {}, "checks": []}
    )


def without_finland(name, *checks):
    return question(name, {"ES": UP, "FI": DOWN}, (ALL, ["ES", "FI"], ["ES"]), *checks)


def test_a_node_that_is_down_is_one_line_for_all_questions():
    sums = ("the answer of the network equals the truth", "yes, count 3", "yes, count 2")
    by_country = (SAME, {"ES": "yes", "FI": "yes"}, {"ES": "yes", "FI": "failed"})
    assert lines(
        cancer=[without_finland("who", by_country, sums), without_finland("where", sums)],
        rare=[without_finland("alike")],
    ) == [f"{REFUSED} (3 questions of stories)"]


def test_a_wrong_answer_of_another_node_is_told_beside_it():
    by_country = (SAME, {"ES": "count 3", "FI": "count 1"}, {"ES": "count 2", "FI": "failed"})
    assert lines(cancer=[without_finland("who", by_country)]) == [
        f"{REFUSED} (story cancer: who)",
        "ES gave a wrong answer: count 2 instead of count 3 (story cancer: who)",
    ]


def test_every_silent_node_is_a_cause():
    both = question("who", {"ES": DOWN, "FI": DOWN}, (ALL, ["ES", "FI"], []))
    assert len(lines(cancer=[both])) == 2


def test_queries_of_a_comparison_name_their_country():
    """Keys of its checks are a query and a country."""
    countries = {"ES": UP, "FI": UP}
    counts = ("counts of a country that differ from the truth", {"all FI": 9}, {"all FI": 8})
    late = (f"{ALL} every query", "2 countries", {"treated FI": "late"})
    assert lines(cancer=[question("drug", countries, counts)]) == [
        "FI gave a wrong answer: 8 instead of 9 (story cancer: drug)"
    ]
    assert lines(cancer=[question("drug", countries, late)]) == ["FI was late (story cancer: drug)"]


@pytest.mark.parametrize(
    "check",
    [
        ("identifiers of patients in alerts", [], ["mild"]),
        ("further alerts when the same patients are admitted again", 0, 1),
    ],
)
def test_what_must_not_be_there_is_not_blamed_on_a_silent_node(check):
    name, right, found = check
    assert lines(rare=[without_finland("alike", check)]) == [
        f"{REFUSED} (story rare: alike)",
        f"story rare: alike: {name}: expected {right}, observed {found}",
    ]


def test_a_right_refusal_is_no_cause():
    refused = {"state": "refused", "reason": "HTTP 403"}
    one = question(
        "match", {"ES": refused, "FI": UP}, ("every country refuses", ["ES", "FI"], ["ES"])
    )
    assert lines(rare=[one]) == [
        "story rare: match: every country refuses: expected ['ES', 'FI'], observed ['ES']"
    ]
