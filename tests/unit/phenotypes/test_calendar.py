"""Calendar years and people: no disease before its first year, no drug before it was sold."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.phenotypes.subjects import subjects
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.phenotypes.treatments import draw_course

from .clinical_traits import CLINICAL, YEAR, N, error

COVID = ["ICD10:U07.1", "ICD10:B34.2"]
# the years in which drugs came to Europe, for those that are easy to look up
SOLD_SINCE = {"simvastatin": 1988, "empagliflozin": 2014, "vemurafenib": 2012, "nivolumab": 2015}
ANASTROZOLE, TAMOXIFEN = "ATC:L02BG03", "ATC:L02BA01"


@pytest.fixture(scope="module")
def everybody():
    """People of every age and both sexes."""
    draw = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "id": pd.array([f"FI-{i:06d}" for i in range(N)], dtype="str"),
            "country": "FI",
            "sex": draw.choice(["female", "male"], N),
            "birth_year": draw.integers(1930, YEAR + 1, N),
        }
    )


@pytest.fixture
def ill(shipped, make_genetic_values, no_carriers, everybody):
    """The records of these people when everybody falls ill as in traits.yaml."""
    genetic = make_genetic_values(shipped, N)
    return simulate_phenotypes(everybody, genetic, no_carriers, shipped, 1, YEAR)


def with_birth_year(table, people):
    born = people.set_index("id")["birth_year"]
    return table.assign(born=born[table["individual"]].to_numpy())


def test_nobody_has_covid_before_2020_and_as_many_have_had_it_as_configured(ill, everybody):
    had = with_birth_year(ill.diseases.query("code in @COVID"), everybody)
    years = had["born"] + had["age_of_onset"]
    assert years.between(2020, YEAR).all()
    assert years.nunique() >= 6
    of_80 = everybody.query("birth_year.between(1941, 1951)")["id"]
    mild = had.query("code == 'ICD10:B34.2' and individual in @of_80")
    # 0.08 by 20 and 0.12 by 85, linear: 0.117 by 80
    assert len(mild) / len(of_80) == pytest.approx(0.117, abs=error(0.117, len(of_80)))


def test_children_born_since_the_first_year_can_have_had_the_disease(ill, everybody):
    had = with_birth_year(ill.diseases.query("code in @COVID"), everybody)
    assert (had["born"] > 2020).any()


def test_nobody_gets_a_drug_before_it_was_sold(ill, everybody):
    given = with_birth_year(ill.treatments, everybody)
    first = (given["born"] + given["start_age"]).groupby(given["label"]).min()
    for drug, year in SOLD_SINCE.items():
        assert year <= first[drug] <= year + 8, drug


def test_anastrozole_is_for_women_after_menopause_and_others_get_the_other_drug(ill, everybody):
    sex = everybody.set_index("id")["sex"]
    given = ill.treatments.query("code in [@ANASTROZOLE, @TAMOXIFEN]")
    given = given.assign(sex=sex[given["individual"]].to_numpy())
    anastrozole = given.query("code == @ANASTROZOLE")
    assert set(anastrozole["sex"]) == {"female"}
    assert anastrozole["start_age"].min() >= 50
    young = given.query("start_age < 50")
    assert set(young["code"]) == {TAMOXIFEN}
    older = given.query("sex == 'female' and start_age > 55")
    share = (older["code"] == ANASTROZOLE).mean()
    assert share == pytest.approx(0.5, abs=error(0.5, len(older)))


def traits_with(tmp_path, *changes):
    text = CLINICAL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "traits.yaml"
    path.write_text(text)
    return read_traits(path)


def test_a_lasting_treatment_waits_for_its_first_drug_and_a_course_is_not_given(
    simulate, old, tmp_path
):
    traits = traits_with(
        tmp_path,
        ("share: 0.75, dose: 20}", "share: 0.75, dose: 20, market_year: 2016}"),
        ("        share: 0.25\n", "        share: 0.25\n        market_year: 2006\n"),
        ("label: c, share: 1}", "label: c, share: 1, market_year: 2006}"),
    )
    given = simulate(old, traits=traits).treatments
    year = YEAR - 80 + given["start_age"]
    pills, course = given["code"].isin(["ATC:A", "ATC:B"]), given["code"] == "ATC:C"
    assert year[pills].min() == 2006
    waited = year[pills] == 2006
    assert waited.mean() > 0.3  # everybody who fell ill in the 40 years before
    assert set(given.loc[pills, "code"][waited]) == {"ATC:B"}
    late = given.loc[pills & (year >= 2016), "code"]
    assert (late == "ATC:A").mean() == pytest.approx(0.75, abs=error(0.75, len(late)))
    assert (year[course] == 2006).mean() < 0.1


def test_a_drug_may_be_for_one_disease_of_a_treatment_only(simulate, old, tmp_path):
    other = (
        '  lungs:\n    {code: "ICD10:B00", label: Lungs, mondo: MONDO:0000002,'
        " cumulative_risk: {20: 0, 80: 0.5}}\ntreatments:"
    )
    traits = traits_with(
        tmp_path,
        ("treatments:", other),
        ("for: [heart]", "for: [heart, lungs]"),
        ("share: 0.75, dose: 20}", "share: 0.75, dose: 20, eligible: {for: [lungs]}}"),
    )
    given = simulate(old, traits=traits).treatments.query("code in ['ATC:A', 'ATC:B']")
    assert set(given.loc[given["code"] == "ATC:A", "indication"]) == {"ICD10:B00"}
    assert set(given.loc[given["indication"] == "ICD10:A00", "code"]) == {"ATC:B"}


def test_a_story_that_demands_a_drug_which_nobody_may_have_is_an_error(clinical, old):
    cohort = subjects(old.head(3), YEAR)
    onsets = {"heart": np.array([50.0, 50.0, np.inf])}
    (pills, _) = clinical.treatments
    future = [replace(drug, market_year=2050) for drug in pills.drugs]
    pills = replace(pills, drugs=tuple(future))
    with pytest.raises(InputError, match=r"FI-000001: treatments\.pills: expected a drug for"):
        draw_course(pills, onsets, {}, cohort, 1, {1: True})


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("mondo_label: heart disease", "first_year: soon",
         "diseases.heart.first_year: expected a whole number from 1800 to 2100, found 'soon'"),
        ("dose: 20}", "dose: 20, market_year: 20026}",
         "treatments.pills.drugs[0].market_year: expected a whole number from 1800 to 2100"),
        ("dose: 20}", "dose: 20, eligible: {sex: women}}",
         "drugs[0].eligible.sex: expected one of female, male, found 'women'"),
        ("dose: 20}", "dose: 20, eligible: {age: [60, 50]}}",
         "drugs[0].eligible.age: expected a number or [lowest, highest]"),
        ("dose: 20}", "dose: 20, eligible: {for: [lungs]}}",
         "drugs[0].eligible.for: expected the name of a disease that the treatment is for (heart)"),
        ("dose: 20}", "dose: 20, eligible: {menopause: yes}}",
         "drugs[0].eligible.menopause: expected one of the keys sex, age, for"),
        ("dose: 20}", "dose: 20, effects: {depth: {amount: 1}}}",
         "drugs[0].effects: expected the name of a measurement of everybody (level,"),
        ("dose: 20}", "dose: 20, effects: {level: {}}}",
         "drugs[0].effects.level: expected the key percent or amount, found neither"),
    ],
)  # fmt: skip
def test_years_and_people_are_checked(tmp_path, old, new, complaint):
    with pytest.raises(InputError) as caught:
        traits_with(tmp_path, (old, new))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
