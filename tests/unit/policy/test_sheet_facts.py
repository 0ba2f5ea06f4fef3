"""Figures of sheets, counted a second time from the answer table."""

from collections import Counter

import pandas as pd

from rehearsal.evaluation.templates import KINDS
from rehearsal.model import Country
from rehearsal.policy.node_checks import CHECKS, OF_KINDS
from rehearsal.policy.sheet_facts import GROUPS, OtherAnswers, build_sheet_facts

from .conftest import NODES, made_answers

COUNTRIES = [Country(code, code, 50, 10, 1, code, 50, 10, "2018-04-10") for code in NODES]


def test_every_kind_of_query_is_in_one_group_and_is_evidence_of_one_check():
    assert Counter(kind for kinds in GROUPS.values() for kind in kinds) == Counter(KINDS)
    assert Counter(kind for name in OF_KINDS for kind in CHECKS[name].kinds) == Counter(KINDS)


def test_questions_answers_and_bytes_equal_a_second_count():
    answers = made_answers().assign(bytes=range(len(made_answers())))
    people = pd.DataFrame({"country": ["BE", "BE", "FI"]})
    facts = build_sheet_facts(COUNTRIES, people, answers, None, [], ["FI"], "BE", OtherAnswers())
    rows = [row for row in answers.to_dict("records") if row["node"] == "FI"]
    for what, state in (("questions", None), ("answered", "answered"), ("refused", "refused")):
        counted = sum(state is None or row["state"] == state for row in rows)
        assert sum(one[what] for one in facts["FI"]["asked"].values()) == counted
    assert facts["FI"]["left"]["query_bytes"] == sum(row["bytes"] for row in rows)
    assert facts["BE"]["left"]["query_bytes"] == 0  # the country that asks
    assert (facts["BE"]["people"], facts["FI"]["people"]) == (2, 1)
    assert (facts["BE"]["foreign"], facts["FI"]["foreign"]) == (False, True)
    assert facts["BE"]["from_capital"] is None  # no bench


def test_answers_in_stories_and_sums_of_analyses_left_the_country_that_asks_the_queries_too():
    def asked(by, **states):
        told = {code: {"state": state} for code, state in states.items()}
        return {"asker": {"country": by}, "countries": told}

    stories = [
        {"questions": [asked("FI", BE="answered", FI="answered"), asked("BE", BE="answered")]},
        {"questions": [asked("FI", BE="late"), asked("ES", BE="answered", FI="refused")]},
    ]
    people = pd.DataFrame({"country": ["BE", "FI"]})
    joined = {"gwas": ["BE", "FI"], "pca": ["BE"]}
    bytes_free = made_answers().assign(bytes=7)
    facts = build_sheet_facts(
        COUNTRIES, people, bytes_free, None, [], [], "BE", OtherAnswers(stories, joined)
    )
    joint = {"analyses": 2, "analysis_names": ["gwas", "pca"]}
    assert facts["BE"]["left"] == {"query_bytes": 0, "story_answers": 2, **joint}
    assert facts["FI"]["left"]["story_answers"] == 0 and facts["FI"]["left"]["analyses"] == 1
