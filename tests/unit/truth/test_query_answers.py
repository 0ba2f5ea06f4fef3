"""The truth, on a cohort small enough to count by hand (conftest.py) and against brute force."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.evaluation.suite import beacon_request
from rehearsal.model import AlleleCounts, Query, Variant
from rehearsal.truth.expected_answers import (
    ExpectedAnswer,
    read_expected_answers,
    write_expected_answers,
)
from rehearsal.truth.query_answers import TruthCalculator
from rehearsal.truth.sources import TruthSources

from ..small_cohort import DISEASES, FEATURES, GENES, MEASUREMENTS, PEOPLE
from .simulated_block import brute_force

BREAST_CANCER, BREAST_CARCINOMA, CANCER, HEART = (
    f"MONDO:000{number}" for number in ("7254", "4989", "4992", "5010")
)


def variants(parameters: dict, granularity: str = "count", kind: str = "count") -> Query:
    request = beacon_request(parameters, [], granularity, {"skip": 0, "limit": 10})
    return Query("q", kind, "g_variants", request)


def people(parameters: dict, *filters: str, granularity: str = "count") -> Query:
    terms = [{"id": term} for term in filters]
    request = beacon_request(parameters, terms, granularity, {"skip": 0, "limit": 10})
    return Query("q", "individuals", "individuals", request)


def allele(contig: str, start: int, ref: str, alt: str) -> dict:
    return {
        "assemblyId": "GRCh38",
        "referenceName": contig,
        "start": [start],
        "referenceBases": ref,
        "alternateBases": alt,
    }


def span(start: int, end: int) -> dict:
    return {"referenceName": "22", "start": [start], "end": [end]}


def counts(answers: dict[str, ExpectedAnswer]) -> dict[str, int]:
    return {country: answer.count for country, answer in answers.items()}


@pytest.mark.parametrize("kind", ["count", "record"])
def test_all_countries_together_are_answered_for_as_one_country_with_all_people(kind, trees, truth):
    queries = [variants(span(90, 950), kind), people(span(90, 950), granularity=kind)]
    queries += [people({}, "NCIT:C20197", granularity=kind), variants(span(101, 105), kind)]
    queries = [replace(query, id=str(number)) for number, query in enumerate(queries)]
    queries += [replace(queries[0], id="summary", tier="registered")]
    in_one = PEOPLE.assign(country="EU")
    as_one = TruthSources(trees, in_one, DISEASES, FEATURES, MEASUREMENTS, GENES)
    expected = TruthCalculator(as_one).compute_answers(queries)
    found = truth.compute_answers(queries, together="EU")
    assert {name: answers["EU"] for name, answers in found.items()} == {
        name: answers["EU"] for name, answers in expected.items()
    }
    assert all(set(answers) == {"FI", "EE", "EU"} for answers in found.values())


def test_allele_counts_by_country_and_sex(truth: TruthCalculator):
    answers = truth.compute_answer(variants(allele("22", 100, "A", "G"), "record"))
    assert answers["FI"].alleles == {
        Variant("chr22", 100, "A", "G"): {
            "": AlleleCounts(an=4, ac=3, hom=1, het=1, hemi=0),
            "_F": AlleleCounts(an=2, ac=2, hom=1, het=0, hemi=0),
            "_M": AlleleCounts(an=2, ac=1, hom=0, het=1, hemi=0),
        }
    }
    assert answers["EE"].alleles[Variant("chr22", 100, "A", "G")][""] == AlleleCounts(6, 1, 0, 1, 0)


def test_men_are_hemizygous_on_x(truth: TruthCalculator):
    answers = truth.compute_answer(variants(allele("X", 300, "G", "T"), "record"))
    finns, estonians = (
        answers[code].alleles[Variant("chrX", 300, "G", "T")] for code in ("FI", "EE")
    )
    assert finns == {
        "": AlleleCounts(an=3, ac=1, hom=0, het=0, hemi=1),
        "_F": AlleleCounts(an=2, ac=0, hom=0, het=0, hemi=0),
        "_M": AlleleCounts(an=1, ac=1, hom=0, het=0, hemi=1),
    }
    assert estonians[""] == AlleleCounts(an=4, ac=3, hom=1, het=0, hemi=1)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (allele("22", 110, "ACT", "A"), {"FI": 0, "EE": 1}),
        (allele("22", 110, "A", "C"), {"FI": 0, "EE": 0}),  # another allele at this position
        (allele("22", 111, "C", "G"), {"FI": 0, "EE": 0}),  # inside the deletion
        (allele("21", 100, "A", "G"), {"FI": 0, "EE": 0}),  # a contig that is not simulated
        (allele("chr22", 100, "A", "G"), {"FI": 1, "EE": 1}),
        (span(0, 1000), {"FI": 2, "EE": 5}),
        (span(100, 101), {"FI": 1, "EE": 1}),
        (span(101, 110), {"FI": 0, "EE": 0}),  # half-open: 110 is outside
        (span(112, 113), {"FI": 0, "EE": 1}),  # the deletion's last base
        (span(113, 120), {"FI": 0, "EE": 0}),
        (span(120, 121), {"FI": 0, "EE": 2}),  # two alternate alleles are two variants
        ({"geneId": "CECR"}, {"FI": 1, "EE": 4}),
        ({"geneId": "NONE"}, {"FI": 0, "EE": 0}),
    ],
)
def test_variants_by_place(truth: TruthCalculator, parameters: dict, expected: dict[str, int]):
    answers = truth.compute_answer(variants(parameters))
    assert counts(answers) == expected
    assert {code: answer.exists for code, answer in answers.items()} == {
        code: count > 0 for code, count in expected.items()
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (people({}), {"FI": 2, "EE": 3}),
        (people({}, "NCIT:C16576"), {"FI": 1, "EE": 1}),
        (people({}, "ICD10:I25.1"), {"FI": 2, "EE": 0}),
        (people({}, "ICD10:I25"), {"FI": 2, "EE": 0}),  # the category above
        (people({}, "ICD10:I2"), {"FI": 0, "EE": 0}),  # not a category
        (people({}, "MONDO:0007254"), {"FI": 0, "EE": 1}),
        (people({}, "ICD10:I25.1", "HP:0001677"), {"FI": 1, "EE": 0}),
        (people({}, "ICD10:I25.1", "HP:0001677", "NCIT:C16576"), {"FI": 0, "EE": 0}),
        (people({}, "LOINC:1"), {"FI": 0, "EE": 1}),
        (people(allele("22", 100, "A", "G")), {"FI": 2, "EE": 1}),
        (people(allele("22", 100, "A", "G"), "NCIT:C20197"), {"FI": 1, "EE": 0}),
        (people(span(110, 121)), {"FI": 0, "EE": 2}),  # each person counts once
        (people(allele("X", 300, "G", "T"), "NCIT:C20197"), {"FI": 1, "EE": 1}),
    ],
)
def test_people_by_filters_and_variants(
    truth: TruthCalculator, query: Query, expected: dict[str, int]
):
    assert counts(truth.compute_answer(query)) == expected


def test_records_of_individuals_are_named(truth: TruthCalculator):
    answers = truth.compute_answer(people(allele("22", 100, "A", "G"), granularity="record"))
    assert answers["FI"].individuals == ("FI-000001", "FI-000002")
    assert answers["EE"].individuals == ("EE-000001",)


def test_ill_formed_queries_must_be_refused(truth: TruthCalculator):
    answers = truth.compute_answer(variants({"start": [-1]}, kind="ill_formed"))
    assert all(answer.refused for answer in answers.values())


@pytest.mark.parametrize(
    "query",
    [
        variants({"referenceName": "22", "start": [1, 2], "end": [3, 4], "mateName": "21"}),
        variants(span(1, 2) | {"variantType": "BND"}),
        variants({}),
        Query("q", "count", "g_variants", people(allele("22", 1, "A", "C"), "HP:1").request),
    ],
)
def test_a_query_that_the_truth_does_not_know_is_never_guessed(
    truth: TruthCalculator, query: Query
):
    parameters = "requestParameters: expected (an allele, a range or a gene|one of CNV)"
    line = f"q: ({parameters}|filters: expected none)"
    with pytest.raises(ValueError, match=line):
        truth.compute_answer(query)


def test_counts_agree_with_brute_force(simulated):
    block, path = simulated
    rng = np.random.default_rng(5)
    table = pd.DataFrame(
        {
            "id": [f"P{number}" for number in range(30)],
            "country": ["FI"] * 12 + ["EE"] * 18,
            "sex": rng.choice(["female", "male"], 30),
        }
    )
    nobody = pd.DataFrame(columns=["individual", "code", "mondo"])
    truth = TruthCalculator(TruthSources({block: path}, table, nobody, nobody, nobody))
    answers = truth.compute_answer(variants(span(50, 250), "record"))
    true = {key: copies for key, copies in brute_force(path).items() if 50 <= key[0] < 250}
    for country, groups in table.groupby("country").groups.items():
        mine = {key: copies[groups] for key, copies in true.items() if copies[groups].any()}
        assert answers[country].count == len(mine)
        for variant, said in answers[country].alleles.items():
            copies = mine[(variant.start, variant.alt)]
            men = (table["sex"][groups] == "male").to_numpy()
            for group, chosen in (("", men | True), ("_M", men), ("_F", ~men)):
                part = copies[chosen]
                homozygous, heterozygous = (part == 2).sum(), (part == 1).sum()
                assert said[group] == AlleleCounts(
                    2 * len(part), part.sum(), homozygous, heterozygous, 0
                )


def test_people_that_do_not_fit_the_trees_are_refused(trees):
    nobody = pd.DataFrame(columns=["individual", "code", "mondo"])
    few = pd.DataFrame({"id": ["a"], "country": ["FI"], "sex": ["male"]})
    line = "people: expected 5 rows, one per individual of the trees, found 1 rows"
    with pytest.raises(ValueError, match=line):
        TruthCalculator(TruthSources(trees, few, nobody, nobody, nobody)).compute_answer(
            variants(span(0, 1000))
        )


def test_the_truth_survives_its_file(truth: TruthCalculator, tmp_path: Path):
    expected = truth.compute_answers(
        [
            variants(span(100, 130), "record"),
            Query("p", "individuals", "individuals", people({}, granularity="record").request),
            Query("i", "ill_formed", "g_variants", {}),
        ]
    )
    write_expected_answers(expected, tmp_path / "answers.json")
    assert read_expected_answers(tmp_path / "answers.json") == expected
    (tmp_path / "answers.json").write_text('{"q": {"FI": 3}}')
    line = (
        r"expected right answers in JSON, found other content \(an entry that is not an answer\)$"
    )
    with pytest.raises(InputError, match=line):
        read_expected_answers(tmp_path / "answers.json")


# --- consent ---

HEALTH, CARE = "DUO:0000006", "DUO:0000043"
# Anna permits all, Aldo health research, Bea non-profit research, Ben withdrew, Bo clinical care
CONSENT = pd.DataFrame(
    [
        ("FI-000001", "consent", "DUO:0000004", False),
        ("FI-000002", "consent", "DUO:0000006, DUO:0000043", False),
        ("EE-000001", "consent", "DUO:0000042, DUO:0000045", False),
        ("EE-000002", "consent", "DUO:0000004", True),
        ("EE-000003", "consent", "DUO:0000043", False),
    ],
    columns=["individual", "basis", "uses", "withdrawn"],
)


@pytest.fixture(scope="module")
def consenting(trees):
    return TruthCalculator(
        TruthSources(trees, PEOPLE, DISEASES, FEATURES, MEASUREMENTS, GENES, CONSENT)
    )


@pytest.mark.parametrize(
    ("purpose", "there"),
    [
        (HEALTH, {"FI-000001", "FI-000002"}),
        (CARE, {"FI-000001", "FI-000002", "EE-000003"}),
        ("DUO:0000042", {"FI-000001"}),
        (None, {"FI-000001"}),
    ],
)
def test_people_who_do_not_permit_the_purpose_are_left_out(consenting, purpose, there):
    request = beacon_request({}, [], "record", {"skip": 0, "limit": 10})
    answers = consenting.compute_answer(
        Query("q", "individuals", "individuals", request, purpose=purpose)
    )
    assert {name for answer in answers.values() for name in answer.individuals} == there


def test_alleles_of_people_who_do_not_permit_the_purpose_are_not_counted(consenting):
    parameters = {"referenceName": "22", "start": [100]}
    parameters |= {"referenceBases": "A", "alternateBases": "G"}
    request = beacon_request(parameters, [], "record", {"skip": 0, "limit": 10})
    asked = Query("q", "allele_frequency", "g_variants", request, purpose=None)
    answers = consenting.compute_answer(asked)
    (groups,) = answers["FI"].alleles.values()
    assert groups[""] == AlleleCounts(an=2, ac=2, hom=1, het=0, hemi=0)  # Anna, twice
    assert not answers["EE"].exists


def test_a_purpose_that_the_truth_does_not_know_raises(consenting):
    request = beacon_request({}, [], "count", {"skip": 0, "limit": 10})
    with pytest.raises(ValueError, match=r"purpose: expected one of DUO:0000042, .*, found 'DUO:"):
        consenting.compute_answer(
            Query("q", "count", "individuals", request, purpose="DUO:0000006, X")
        )


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("HP:0001677", {"FI": 1, "EE": 1}),  # coronary atherosclerosis, their own term
        ("HP:0006704", {"FI": 1, "EE": 1}),  # its parent: abnormal coronary artery morphology
        ("HP:0001626", {"FI": 1, "EE": 1}),  # far above: the cardiovascular system
        ("HP:0004761", {"FI": 0, "EE": 0}),  # below it
        ("HP:0000707", {"FI": 0, "EE": 0}),  # another branch: the nervous system
        ("HP:9999999", {"FI": 0, "EE": 0}),  # not a term
    ],
)
def test_people_with_a_term_match_more_general_terms(truth: TruthCalculator, term, expected):
    assert counts(truth.compute_answer(people({}, term))) == expected
    women = truth.compute_answer(people({}, term, "NCIT:C16576"))
    assert counts(women) == {"FI": 0, "EE": expected["EE"]}


@pytest.mark.parametrize(
    ("disease", "permitting"),
    [
        (BREAST_CANCER, ["cancer", "breast cancer", "health"]),
        (BREAST_CARCINOMA, ["cancer", "breast cancer", "carcinoma", "health"]),
        (CANCER, ["cancer", "health"]),
        (HEART, ["health"]),
    ],
)
def test_a_permission_for_a_disease_covers_its_subtypes(disease, permitting):
    uses = {
        "cancer": f"DUO:0000007 {CANCER}",
        "breast cancer": f"DUO:0000007 {BREAST_CANCER}",
        "carcinoma": f"DUO:0000007 {BREAST_CARCINOMA}",
        "health": "DUO:0000006",
        "care": "DUO:0000043",
    }
    table = pd.DataFrame({"id": list(uses), "country": "FI", "sex": "female"})
    consent = pd.DataFrame({"individual": list(uses), "uses": list(uses.values())})
    nobody = pd.DataFrame(columns=["individual", "code", "mondo"])
    truth = TruthCalculator(
        TruthSources({}, table, nobody, nobody, nobody, consent=consent.assign(withdrawn=False))
    )
    among = truth.people_permitting(f"DUO:0000007 {disease}")
    assert list(table["id"][among]) == permitting
