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
    return asked(references, tmp_path, STORY)


def asked(references, folder, text):
    (folder / "who.yaml").write_text(text)
    (story,) = read_stories(folder, references)
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
    reply = NetworkReply(answers, aggregate_answers(query, answers))
    right = ExpectedAnswer(True, 1, {variant: dict.fromkeys(("", "_F", "_M"), COUNTS)})
    shown = beacon.summarise(question, reply).countries["FI"]["answer"]
    expected = orjson.loads(orjson.dumps({"FI": expected_to_json(right)}))
    return shown, beacon.judge(question, expected, reply, ["FI"])


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


def test_a_foreign_node_need_not_have_the_dataset_or_counts(references, tmp_path):
    """Then the story expects no sum."""
    text = STORY.replace("record", "count\n    dataset: tumours\n    expected: {count: 4}")
    question = asked(references, tmp_path, text)
    query = question_query(question)
    yes = {"responseSummary": {"exists": True}}
    counted = {"responseSummary": {"exists": True, "numTotalResults": 2}}
    counted["meta"] = {"returnedGranularity": "count"}
    error = {"error": {"errorCode": 404, "errorMessage": "no such dataset"}}
    answers = (
        Answer(query.id, "ES", "refused", 404, error, 0.1, 100, "HTTP 404"),
        Answer(query.id, "FI", "answered", 200, counted, 0.1, 100),
        Answer(query.id, "SE", "answered", 200, yes, 0.1, 100),
    )
    reply = NetworkReply(answers, aggregate_answers(query, answers))
    right = orjson.loads(orjson.dumps(expected_to_json(ExpectedAnswer(True, 2))))
    truth = dict.fromkeys(("ES", "FI", "SE"), right)
    checks = beacon.judge(question, truth, reply, ["ES", "SE"])
    assert [check.name for check in checks if not check.passed] == []
    assert checks[0].observed == ["ES"]
    ours = {check.name for check in beacon.judge(question, truth, reply) if not check.passed}
    assert {"every country answered", "number of matches"} <= ours
