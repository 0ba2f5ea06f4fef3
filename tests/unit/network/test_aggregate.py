"""Aggregation of the nodes' answers."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.model import Answer, Query
from rehearsal.network.aggregate import aggregate_answers, count_of, group_totals
from rehearsal.network.variant_records import AlleleTally, record_frequencies

QUERY = Query("q", "count", "g_variants", {})


def answered(node: str, exists: bool, count: int | None = None, sets=None) -> Answer:
    summary = {"exists": exists} | ({} if count is None else {"numTotalResults": count})
    body = {"responseSummary": summary} | ({"response": {"resultSets": sets}} if sets else {})
    return Answer("q", node, "answered", 200, body, 0.01, 100)


def failed(node: str, state: str = "late") -> Answer:
    return Answer("q", node, state, None, None, 10.0, 0, "no whole answer within 10 s")


def variant(node: str, start: int, ac: int, hom: int, an: int = 200) -> dict:
    tally = {
        "alleleCount": ac,
        "alleleNumber": an,
        "alleleCountHomozygous": hom,
        "alleleCountHeterozygous": ac - hom,
        "alleleCountHemizygous": 0,
    }
    return {
        "variation": {
            "location": {"interval": {"start": {"value": start}, "end": {"value": start + 1}}},
            "referenceBases": "A",
            "alternateBases": "G",
        },
        "frequencyInPopulations": [{"frequencies": [{"population": node} | tally]}],
    }


@settings(deadline=None)  # a busy machine is not a failure
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=28), st.randoms())
def test_counts_are_added_whatever_the_order(counts: list[int], shuffle: random.Random):
    answers = [answered(f"{number:02}", count > 0, count) for number, count in enumerate(counts)]
    expected = aggregate_answers(QUERY, answers)
    assert expected.count == sum(counts)
    assert expected.exists is any(counts)
    shuffle.shuffle(answers)
    assert aggregate_answers(QUERY, answers) == expected


def test_a_yes_without_a_count_is_a_hit_and_is_named():
    joined = aggregate_answers(
        QUERY, [answered("AT", True), answered("BE", True, 3), answered("FI", False, 0)]
    )
    assert joined.exists is True
    assert joined.count == 3
    assert joined.uncounted == ("AT",)


def test_the_count_of_the_only_result_set_stands_for_a_missing_total():
    one, other = {"id": "A", "exists": True, "resultsCount": 2}, {"id": "B", "resultsCount": 2}
    assert count_of(answered("AT", True, sets=[one, {**other, "exists": False}])) == 2
    assert count_of(answered("AT", True, sets=[one, other])) is None  # may be the same two
    assert count_of(answered("AT", True, 3, sets=[one])) == 3
    assert count_of(answered("AT", True, sets=[{"id": "A"}])) is None


def test_nodes_that_did_not_answer_stay_in_the_answer():
    joined = aggregate_answers(
        QUERY, [failed("AT"), answered("BE", False, 0), failed("CY", "failed")]
    )
    assert joined.states == {"AT": "late", "BE": "answered", "CY": "failed"}
    assert set(joined.reasons) == {"AT", "CY"}
    assert joined.exists is False
    assert not joined.complete


def test_nobody_answering_is_neither_yes_nor_no():
    assert aggregate_answers(QUERY, [failed("AT")]).exists is None


def test_allele_counts_are_merged_by_variant_and_population():
    answers = [
        answered("FI", True, 2, [{"id": "GOE-FI", "results": [variant("FI", 7, 5, 2)]}]),
        answered("EE", True, 2, [{"id": "GOE-EE", "results": [variant("EE", 7, 3, 0)]}]),
        answered("GB", True, 2, [{"id": "X", "results": [variant("EE", 7, 1, 0, 50)]}]),
    ]
    joined = aggregate_answers(QUERY, answers)
    assert joined.frequencies == {
        (7, "A", "G", 0, 0): {
            "FI": AlleleTally(5, 200, 2, 3, 0),
            "EE": AlleleTally(4, 250, 0, 4, 0),
        }
    }


def deletion(node: str, length: int) -> dict:
    record = variant(node, 7, 5, 2)
    record["variation"] |= {"alternateBases": ".", "symbolicAllele": "<DEL>", "length": length}
    record["variation"]["location"]["interval"]["end"]["value"] = 8 + length
    return record


def test_deletions_of_different_length_at_one_start_are_not_added_up():
    answers = [
        answered("FI", True, 1, [{"id": "GOE-FI", "results": [deletion("FI", 100)]}]),
        answered("EE", True, 1, [{"id": "GOE-EE", "results": [deletion("EE", 100)]}]),
        answered("SE", True, 1, [{"id": "GOE-SE", "results": [deletion("SE", 300)]}]),
    ]
    joined = aggregate_answers(QUERY, answers)
    assert {key: set(populations) for key, populations in joined.frequencies.items()} == {
        (7, "A", "<DEL>", 108, 100): {"FI", "EE"},
        (7, "A", "<DEL>", 308, 300): {"SE"},
    }


def test_groups_add_up_over_countries():
    tally = AlleleTally(3, 10, 2, 1, 0)
    totals = group_totals({"FI": tally, "FI_M": tally, "SE": tally, "SE_F": tally})
    assert totals == {"": tally + tally, "_M": tally, "_F": tally}
    assert totals[""].frequency == 6 / 20


def test_a_half_allele_is_no_count():
    record = variant("FI", 7, 5, 2)
    record["frequencyInPopulations"][0]["frequencies"][0]["alleleCount"] = 4.5
    with pytest.raises(ValueError, match=r"expected a whole number, found 4\.5"):
        record_frequencies(record)
    joined = aggregate_answers(
        QUERY, [answered("FI", True, 1, [{"id": "GOE-FI", "results": [record]}])]
    )
    assert "4.5" in joined.reasons["FI"]


def test_records_are_in_order_of_country_and_dataset():
    sets = [
        {"id": "Z", "results": [{"n": 3}]},
        {"id": "A", "results": [{"n": 1}, {"n": 2}]},
    ]
    joined = aggregate_answers(
        QUERY, [answered("SE", True, 3, sets), answered("FI", True, 3, sets)]
    )
    assert [(node, record["n"]) for node, record in joined.records] == [
        *(("FI", 1), ("FI", 2), ("FI", 3)),
        *(("SE", 1), ("SE", 2), ("SE", 3)),
    ]


def test_two_answers_of_one_node_are_not_joined():
    with pytest.raises(ValueError, match="expected one answer per node"):
        aggregate_answers(QUERY, [answered("FI", True), answered("FI", True)])
