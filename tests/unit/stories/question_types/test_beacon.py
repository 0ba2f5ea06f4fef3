"""A question to Beacons, one of them a node of others that gives less than ours."""

import orjson
import pytest

from rehearsal.model import AlleleCounts, Answer, Variant
from rehearsal.network.aggregate import aggregate_answers
from rehearsal.network.service_client import NetworkReply
from rehearsal.stories.beacon_queries import question_query
from rehearsal.stories.question_types import beacon
from rehearsal.stories.story_reader import read_stories
from rehearsal.truth.expected_answers import ExpectedAnswer, expected_to_json

STORY = """
title: A variant
summary: Who has it?
asker: {name: A doctor, country: ES, role: clinician, tier: controlled, purpose: "DUO:0000043"}
questions:
  - id: who
    text: Who has it?
    kind: beacon
    find: variants
    variant: BRCA1 c.68_69del
    granularity: record
"""
COUNTS = AlleleCounts(an=104, ac=37, hom=9, het=19, hemi=0)


@pytest.fixture
def question(references, tmp_path):
    (tmp_path / "who.yaml").write_text(STORY)
    (story,) = read_stories(tmp_path, references)
    return story.questions[0]


def checks_of(question, entry):
    """Judge a reply in which only Finland, a foreign node, answers with one frequency."""
    place = question_query(question).request["query"]["requestParameters"]
    variant = Variant("chr17", place["start"][0], place["referenceBases"], place["alternateBases"])
    interval = {"start": {"value": variant.start}, "end": {"value": variant.start + 3}}
    record = {
        "variation": {
            "location": {"interval": interval},
            "referenceBases": variant.ref,
            "alternateBases": variant.alt,
        },
        "frequencyInPopulations": [{"frequencies": [{"population": "FI"} | entry]}],
    }
    body = {
        "meta": {"returnedGranularity": "record"},
        "responseSummary": {"exists": True, "numTotalResults": 1},
        "response": {"resultSets": [{"id": "D", "resultsCount": 1, "results": [record]}]},
    }
    query = question_query(question)
    answers = (Answer(query.id, "FI", "answered", 200, body, 0.1, 100),)
    reply = NetworkReply(answers, aggregate_answers(query, answers), frozenset(["FI"]))
    right = ExpectedAnswer(True, 1, {variant: dict.fromkeys(("", "_F", "_M"), COUNTS)})
    shown = beacon.summarise(question, reply).countries["FI"]["answer"]
    expected = orjson.loads(orjson.dumps({"FI": expected_to_json(right)}))
    return shown, beacon.judge(question, expected, reply)


def test_a_frequency_without_counts_is_no_error_of_the_question(question):
    shown, checks = checks_of(question, {"alleleFrequency": 37 / 104})
    assert shown == {"exists": True, "count": 1}
    assert [check.name for check in checks if not check.passed] == []


def test_a_wrong_frequency_is_found(question):
    _, checks = checks_of(question, {"alleleFrequency": 0.5})
    assert [check.name for check in checks if not check.passed] == [
        "the answer of each country equals the truth",
        "the answer of the network equals the truth",
    ]
