"""Patients of stories become people of the cohort, with the records that the story gives them."""

from dataclasses import replace

import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.people import check_numbers, patient_ids, plan_people
from rehearsal.model import Consent, Patient, PatientSelection, Variant
from rehearsal.phenotypes.consent import ConsentShares, Record, draw_consent
from rehearsal.phenotypes.genetic_values import GeneticValues
from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.stories.patients import build_patients_table
from rehearsal.stories.story_reader import read_stories

NUMBERS = dict.fromkeys(("ES", "FI", "IE"), 40)
ON_X = Variant("chrX", 12_886_151, "A", "G")
WHERE = ("a.yaml", "line 1: patients.x")


def patient(handle, sex, born, **more):
    return Patient("s", handle, "ES", sex, (born, born), WHERE, **more)


@pytest.fixture
def cohort(fifth, references, three_countries, variants):
    (story,) = read_stories(fifth, references)
    people, plan = plan_people(three_countries, NUMBERS, 0.3, variants, 5, story.patients)
    return story, people, plan, patient_ids(story.patients, people)


def test_patients_are_the_last_people_of_a_country_and_count_in_its_total(cohort):
    _, people, _, ids = cohort
    assert people["country"].value_counts().to_dict() == NUMBERS
    who = ids.set_index("handle")["individual"]
    assert who["decoy-es-2"] == "ES-000040"
    # Anna, her mother, a father who is made up, two decoys
    assert (who["anna"], who["mother"], who["decoy-fi-1"]) == (
        "FI-000036",
        "FI-000037",
        "FI-000039",
    )
    person = people.set_index("id")
    anna = person.loc[who["anna"]]
    assert (anna["birth_year"], anna["sex"]) == (2019, "female")
    assert (anna["mother"], anna["father"]) == (who["mother"], "FI-000038")
    assert person.loc["FI-000038", "sex"] == "male"
    assert person.loc[who["decoy-fi-1"], "family"] is None or pd.isna(
        person.loc[who["decoy-fi-1"], "family"]
    )


def test_parents_transmit_the_copies_that_a_child_carries(cohort):
    _, _, plan, ids = cohort
    who = ids.set_index("handle")["individual"]
    rows = plan[(plan["gene"] == "PHGDH") & (plan["role"] == "story")]
    carries = rows[rows["kind"] == "carries"].set_index("person")["haplotype"]
    transmits = rows[rows["kind"] == "transmits"].set_index("person")
    assert set(carries.index) == {who["mother"], "FI-000038"}
    assert set(transmits["child"]) == {who["anna"]}
    assert transmits["haplotype"].to_dict() == carries.to_dict()
    lacking = plan[(plan["gene"] == "BRCA1") & (plan["kind"] == "lacks")]
    assert set(lacking["person"]) == {who["mother"], "FI-000038"}


def test_brothers_inherit_one_x_of_their_mother_and_their_sister_the_other(
    three_countries, variants
):
    family = [
        patient("a", "male", 1996, mother="m", carries={ON_X: 1}),
        patient("b", "male", 1993, mother="m", carries={ON_X: 1}),
        patient("c", "female", 1999, mother="m"),
        patient("m", "female", 1968),
    ]
    people, plan = plan_people(three_countries, NUMBERS, 0.3, variants, 5, family)
    who = patient_ids(family, people).set_index("handle")["individual"]
    rows = plan[(plan["role"] == "story") & (plan["kind"] != "lacks")]
    (carries,) = rows[rows["kind"] == "carries"].itertuples()
    assert carries.person == who["m"]
    given = rows[rows["kind"] == "transmits"].set_index("child")["haplotype"]
    assert given[who["a"]] == given[who["b"]] == carries.haplotype
    assert given[who["c"]] == 1 - carries.haplotype


@pytest.mark.parametrize(
    ("family", "complaint"),
    [
        ([patient("a", "male", 1996, carries={ON_X: 2})], "at most one copy"),
        (
            [
                patient("a", "male", 1996, mother="m", carries={ON_X: 1}),
                patient("m", "female", 1968, carries={ON_X: 0}),
            ],
            "parents who can transmit 1 copy",
        ),
        ([patient("a", "female", 1990, carries={ON_X: 1}, lacks=(ON_X,))], "found both"),
        ([patient(f"p{n}", "male", 1990) for n in range(41)], "at least 41 people in ES"),
    ],
)
def test_impossible_families_are_refused(three_countries, family, complaint):
    with pytest.raises(InputError, match=complaint):
        check_numbers(three_countries, NUMBERS, 0.3, [], family)


def test_a_patient_has_the_record_of_the_story(cohort, traits):
    story, people, _, ids = cohort
    traits = replace(
        traits,
        measurements=tuple(replace(one, genetics=None) for one in traits.measurements),
        diseases=tuple(replace(one, genetics=None) for one in traits.diseases),
    )
    effects = pd.DataFrame(columns=["trait", "contig", "start", "ref", "alt", "effect"])
    nothing = pd.DataFrame(index=people.index)
    carriers = pd.DataFrame({"gene": [], "individual": [], "copies": []})
    found = simulate_phenotypes(
        people, GeneticValues(effects, nothing), carriers, traits, 5, 2026, story.patients, ids
    )
    anna = ids.set_index("handle").loc["anna", "individual"]

    def of(table):
        return table[table["individual"] == anna]

    assert of(found.diseases)["mondo"].tolist() == ["MONDO:0011152"]
    assert of(found.features)["code"].tolist() == ["HP:0000252"]
    assert of(found.excluded_features)["code"].tolist() == ["HP:0001250"]
    assert of(found.candidate_genes)["gene"].tolist() == ["PHGDH", "PSAT1"]
    height = found.measurements[found.measurements["code"] == "LOINC:8302-2"]
    assert of(height)["value"].tolist() == [98.0]
    assert len(of(found.treatments)) == 0
    assert found.features["individual"].is_monotonic_increasing


def test_a_patient_has_the_consent_of_the_story(cohort):
    _, people, _, _ = cohort
    shares = ConsentShares((Record("open", 1.0, "basis", ("DUO:0000004",)),), 0.0)
    told = {"FI-000036": Consent("law", ("DUO:0000043",), withdrawn=True)}
    table = draw_consent(people, shares, 1, told).set_index("individual")
    assert table.loc["FI-000036"].tolist() == ["law", "DUO:0000043", True]
    assert table.loc["FI-000035"].tolist() == ["basis", "DUO:0000004", False]


def test_a_choice_is_the_first_person_who_fits(cohort, tmp_path):
    _, people, _, ids = cohort
    (tmp_path / "cohort").mkdir()
    people.to_parquet(tmp_path / "cohort/people.parquet")
    scores = pd.DataFrame({"individual": people["id"], "trait": "a", "score": range(len(people))})
    scores.to_parquet(tmp_path / "scores.parquet")
    rule = PatientSelection("s", "best", WHERE, "Best", "FI", "female", (20, 80), "scores.parquet")
    rule = PatientSelection(
        *(getattr(rule, n) for n in rule.__slots__[:8]), {"trait": "a"}, "score", True
    )
    table = build_patients_table(ids, [rule], tmp_path, 2026).set_index("handle")
    fits = people[(people["country"] == "FI") & (people["sex"] == "female")]
    fits = fits[(2026 - fits["birth_year"]).between(20, 80)]
    assert table.loc["best", "individual"] == fits["id"].iloc[-1]
    assert not table.loc["best", "is_planted"]
    nobody = PatientSelection("s", "none", WHERE, age=(140, 150))
    with pytest.raises(
        InputError, match=r"a\.yaml: line 1: patients\.x: expected at least one person"
    ):
        build_patients_table(ids, [nobody], tmp_path, 2026)
