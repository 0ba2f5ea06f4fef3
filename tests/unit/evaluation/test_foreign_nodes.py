"""A node of others in a country's place: its answers go through the judges of a run.

Each is judged on what it gives. The network is not blamed for what a node does not give.
"""

import asyncio
from dataclasses import replace

import pytest

from rehearsal.evaluation.partial_judge import judge_partial_answer
from rehearsal.evaluation.reply_judge import judge_reply
from rehearsal.evaluation.suite import beacon_request
from rehearsal.model import AlleleCounts, Answer, Query, Variant
from rehearsal.network.aggregate import aggregate_answers
from rehearsal.network.client import NetworkClient
from rehearsal.network.registry import NodeEntry
from rehearsal.network.service_client import NetworkReply
from rehearsal.network.variant_records import group_of
from rehearsal.truth.expected_answers import ExpectedAnswer

from ..foreign_beacon import FIELDS, STANDARD, Manners, content, foreign_beacon

PAGE = {"skip": 0, "limit": 10}
WHOLE = AlleleCounts(an=104, ac=37, hom=9, het=17, hemi=2)
COUNTS = {
    "": WHOLE,
    "_F": AlleleCounts(an=60, ac=20, hom=5, het=10, hemi=0),
    "_M": AlleleCounts(an=44, ac=17, hom=4, het=7, hemi=2),
}
SITE = Variant("chrX", 100, "A", "G")
PLACE = {"referenceName": "X", "start": [100], "referenceBases": "A", "alternateBases": "G"}
ALLELE = Query(
    "frequency", "allele_frequency", "g_variants", beacon_request({}, [], "record", PAGE)
)
ALLELE.request["query"]["requestParameters"] = PLACE
PEOPLE = Query("people", "individuals", "individuals", beacon_request({}, [], "record", PAGE))
NAMES = tuple(f"FI-{number}" for number in range(3))
RIGHT = {
    "frequency": ExpectedAnswer(True, 1, {SITE: COUNTS}, people=60),
    "people": ExpectedAnswer(True, 3, individuals=NAMES, people=60),
}


def rows(query, right=None, **manners):
    """Ask a Beacon with these manners as Finland; return the rows of its node and the network."""
    right = right or RIGHT[query.id]
    with foreign_beacon([(query, right)], **manners) as beacon:

        async def ask():
            async with NetworkClient([NodeEntry("FI", beacon.url)]) as client:
                return await client.ask(query, 5)

        answers = tuple(asyncio.run(ask()))
    reply = NetworkReply(answers, aggregate_answers(query, answers))
    return judge_reply(query, {"FI": right}, reply, ["FI"], 0)


def test_a_node_that_gives_everything_is_right_and_lacks_nothing():
    for query in (ALLELE, PEOPLE):
        for row in rows(query):
            assert (row["verdict"], row["missing"], row["reason"]) == ("right", "", "")


@pytest.mark.parametrize(
    ("manners", "missing"),
    [
        ({"fields": ("alleleFrequency",)}, "numbers of alleles, numbers by zygosity"),
        ({"populations": {"": "FI", "_M": "FI_M"}}, "frequencies of women"),
        ({"populations": {"_M": "M"}}, "frequencies of all people, frequencies of women"),
        ({"populations": {"": "Total", "_F": "F", "_M": "M"}}, ""),
        ({"populations": {"": "all", "_F": "female", "_M": "male"}}, ""),
        ({"populations": {}}, "frequencies"),
        ({"fields": (*STANDARD[:3], "genotypeHomozygous")}, "numbers by zygosity"),
        ({"key": "populations"}, "the key frequencies (they stand in populations)"),
        ({"granularity": "count"}, "records"),
        ({"granularity": "boolean"}, "count (numTotalResults), records"),
    ],
)
def test_what_a_node_does_not_give_is_missing_and_not_wrong(manners, missing):
    node, network = rows(ALLELE, **manners)
    assert (node["verdict"], node["missing"]) == ("incomplete" if missing else "right", missing)
    assert network["verdict"] == node["verdict"]
    assert network["missing"] == (f"FI: {missing}" if missing else "")
    assert node["equal"] and network["equal"]


def test_people_by_zygosity_may_be_counted_instead_of_alleles():
    by_people = [f"genotype{one}" for one in ("Homozygous", "Heterozygous", "Hemizygous")]
    node, _ = rows(ALLELE, fields=(*STANDARD[:3], *by_people))
    assert (node["verdict"], node["missing"]) == ("right", "")


@pytest.mark.parametrize(
    ("manners", "said"),
    [
        ({"missed": 1}, "FI alleleCount 36 instead of 37"),
        (
            {"missed": 1, "populations": {"_F": "F"}},
            "F (read as women) alleleCount 19 instead of 20",
        ),
        ({"shift": 1}, "101:A>G instead of 100:A>G"),
        ({"populations": {"": "M"}}, "M (read as men) alleleCount 37 instead of 17"),
    ],
)
def test_what_a_node_gives_wrongly_is_wrong(manners, said):
    node, network = rows(ALLELE, **manners)
    assert (node["verdict"], network["verdict"]) == ("wrong", "wrong")
    assert said in node["reason"]
    assert said in network["reason"]


def test_a_refusal_is_no_answer_of_the_node_and_none_of_the_network():
    node, network = rows(ALLELE, refuses=frozenset(["frequency"]))
    assert (node["verdict"], network["verdict"]) == ("refused", "refused")
    assert not node["equal"]
    assert "only for members" in network["reason"]


@pytest.mark.parametrize("manners", [{}, {"fields": ("alleleFrequency",)}, {"key": "frequency"}])
def test_an_open_node_may_give_records_to_the_public(manners):
    """Its protection is its own; what it says must be true."""
    node, network = rows(replace(ALLELE, tier="public"), **manners)
    assert (node["verdict"], network["verdict"]) == ("right", "right")


def test_each_dataset_may_have_pages_of_its_own():
    small = replace(PEOPLE, request=beacon_request({}, [], "record", {"skip": 0, "limit": 2}))
    node, network = rows(small, datasets=2)
    assert (node["verdict"], network["verdict"]) == ("right", "right")


def test_a_no_lacks_nothing():
    nobody = ExpectedAnswer(False, 0)
    for granularity in ("boolean", "count", "record"):
        node, network = rows(ALLELE, nobody, granularity=granularity)
        assert (node["verdict"], node["missing"]) == ("right", "")
        assert network["verdict"] == "right"


def test_datasets_that_are_counted_in_place_of_people_are_named():
    node, _ = rows(PEOPLE, datasets=1, counts_datasets=True)
    assert node["verdict"] == "wrong"
    assert node["reason"] == "count 1 instead of 3"


def test_frequencies_that_are_null_are_missing_and_judged_on_nothing(monkeypatch):
    monkeypatch.setitem(FIELDS, "alleleFrequency", lambda _: None)
    node, _ = rows(ALLELE, fields=("alleleFrequency",))
    assert (node["verdict"], node["missing"]) == ("incomplete", "frequencies")


def test_rounded_frequencies_are_wrong_with_the_digits_that_were_kept(monkeypatch):
    monkeypatch.setitem(FIELDS, "alleleFrequency", lambda one: round(one.ac / one.an, 3))
    node, _ = rows(ALLELE, fields=("alleleFrequency",))
    assert node["verdict"] == "wrong"
    assert "(rounded to 3 digits)" in node["reason"]


def test_a_name_that_tells_no_sex_is_said_to_be_read_as_all_people():
    node, _ = rows(ALLELE, populations={"_F": "Ladies"})
    assert "Ladies (read as all people) alleleCount" in node["reason"]


@pytest.mark.parametrize(
    ("women", "men"),
    [
        ("females", "males"),
        ("Finnish females", "Finnish males"),
        ("Finland (women)", "Finland (men)"),
        ("NFE_XX", "NFE_XY"),
    ],
)
def test_words_for_a_sex_are_read_in_names_of_any_form(women, men):
    node, _ = rows(ALLELE, populations={"": "women and men", "_F": women, "_M": men})
    assert (node["verdict"], node["missing"], node["reason"]) == ("right", "", "")


@pytest.mark.parametrize("name", ["FI", "Isle of Man", "women and men", "F1", "M0-team"])
def test_other_names_mean_all_people(name):
    assert group_of(name) == ""


def test_alleles_of_people_without_consent_are_named_as_the_cause():
    asked, true = replace(ALLELE, purpose="DUO:0000006"), RIGHT["frequency"]
    more = {group: replace(one, an=one.an + 20) for group, one in COUNTS.items()}
    body = content(asked, replace(true, alleles={SITE: more}), Manners())
    answer = Answer(asked.id, "FI", "answered", 200, body, 0.1, 100)
    (cause,) = judge_partial_answer(asked, {"FI": true}, "FI", answer).causes
    assert "consent does not cover it" in cause
