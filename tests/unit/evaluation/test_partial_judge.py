"""Answers of foreign Beacons: what they give must be right, and what they leave out is noted."""

import pytest

from rehearsal.evaluation.partial_judge import judge_partial_answer
from rehearsal.evaluation.suite import beacon_request
from rehearsal.model import AlleleCounts, Answer, Query, Variant
from rehearsal.truth.expected_answers import ExpectedAnswer

SITE = Variant("chr22", 20_000_000, "A", "G")
PAGE = {"skip": 0, "limit": 10}
QUERY = Query("one", "range", "g_variants", beacon_request({}, [], "record", PAGE))
FI = {
    "": AlleleCounts(an=8, ac=3, hom=1, het=1, hemi=0),
    "_F": AlleleCounts(an=4, ac=2, hom=1, het=0, hemi=0),
    "_M": AlleleCounts(an=4, ac=1, hom=0, het=1, hemi=0),
}
EXPECTED = {
    "FI": ExpectedAnswer(True, 1, {SITE: FI}),
    "pooled": ExpectedAnswer(True, 1, {SITE: {g: one + one for g, one in FI.items()}}),
}


def record(*entries, start=SITE.start):
    interval = {"start": {"value": start}, "end": {"value": start + 1}}
    variation = {"referenceBases": "A", "alternateBases": "G", "location": {"interval": interval}}
    return {"variation": variation, "frequencyInPopulations": [{"frequencies": list(entries)}]}


def entry(population, count, number):
    return {"population": population, "alleleCount": count, "alleleNumber": number}


def verdict(place, granularity, *records, count=1, expected=EXPECTED):
    body = {
        "meta": {"returnedGranularity": granularity},
        "responseSummary": {"exists": True},
    }
    if granularity != "boolean":
        body["responseSummary"]["numTotalResults"] = count
    if granularity == "record":
        body["response"] = {"resultSets": [{"id": "X", "results": list(records)}]}
    return judge_partial_answer(
        QUERY, expected, place, Answer("one", place, "answered", 200, body, 0.0, 0)
    )


@pytest.mark.parametrize(
    ("granularity", "records", "judged_on"),
    [
        ("boolean", [], "presence"),
        ("count", [], "count"),
        ("record", [record()], "variants"),
        ("record", [record(entry("anything", 3, 8))], "frequencies"),
        ("record", [record(entry("FI", 3, 8), entry("x_F", 2, 4), entry("FI_M", 1, 4))], None),
        ("record", [record({"population": "x", "alleleFrequency": 0.375})], "frequencies"),
    ],
)
def test_a_partial_answer_without_errors_is_right(granularity, records, judged_on):
    found = verdict("FI", granularity, *records)
    assert found.judgement.equal, found.judgement.difference
    assert found.judged_on == (judged_on or "frequencies")


def test_a_symbolic_allele_may_be_a_dot_as_the_schema_has_it():
    deletion = Variant("chr22", SITE.start, "A", "<DEL>")
    expected = {"FI": ExpectedAnswer(True, 1, {deletion: FI})}
    given = record(entry("FI", 3, 8))
    given["variation"]["alternateBases"] = "."
    found = verdict("FI", "record", given, expected=expected)
    assert found.judgement.equal, found.judgement.difference
    given["variation"]["referenceBases"] = "C"
    assert not verdict("FI", "record", given, expected=expected).judgement.equal


@pytest.mark.parametrize("interval", [{"start": 20_000_000}, {"start": {"value": 20_000_000}}])
def test_an_allele_of_vrs_is_found_by_its_place_and_bases(interval):
    given = record(entry("FI", 3, 8))
    location = {"type": "SequenceLocation", "interval": interval | {"end": 20_000_001}}
    given["variation"] = {"type": "Allele", "location": location, "state": {"sequence": "G"}}
    assert verdict("FI", "record", given).judged_on == "frequencies"
    assert verdict("FI", "record", given).judgement.equal
    given["variation"]["state"]["sequence"] = "C"
    assert not verdict("FI", "record", given).judgement.equal


def test_a_pooled_service_may_give_each_country_separately():
    found = verdict("pooled", "record", record(entry("FI", 3, 8), entry("all", 6, 16)))
    assert found.judgement.equal, found.judgement.difference


@pytest.mark.parametrize(
    ("records", "count", "words"),
    [
        ([record()], 2, "count 2 instead of 1"),
        ([record(start=20_000_001)], 1, "20000001:A>G instead of 20000000:A>G"),
        ([record(start=20_000_002)], 1, "20000000:A>G missing"),
        ([record(start=20_000_002)], 1, "20000002:A>G unexpected"),
        ([record(entry("FI", 2, 8))], 1, "FI alleleCount 2 instead of 3"),
        ([record(entry("FI_F", 3, 8))], 1, "FI_F alleleCount 3 instead of 2"),
        ([record({"population": "x", "alleleFrequency": 0.4})], 1, "frequency 0.4 instead"),
        ([record({"alleleCount": 3})], 1, "unreadable records"),
    ],
)
def test_every_wrong_part_of_an_answer_is_named(records, count, words):
    found = verdict("FI", "record", *records, count=count)
    assert not found.judgement.equal
    assert words in found.judgement.difference


def test_a_refusal_is_not_a_right_answer():
    refused = Answer("one", "FI", "refused", 404, {}, 0.0, 0, "HTTP 404: no such thing")
    found = judge_partial_answer(QUERY, EXPECTED, "FI", refused)
    assert (found.judgement.equal, found.judged_on) == (False, "")
    assert "HTTP 404" in found.judgement.difference
