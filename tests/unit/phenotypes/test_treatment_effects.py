"""Treatments change what they treat, and the truth tells the value without them."""

import numpy as np
import pytest

from rehearsal.model import Patient
from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.phenotypes.trait_reader import read_traits

from .clinical_traits import CLINICAL, YEAR

LDL, SYSTOLIC, DIASTOLIC = "LOINC:22748-8", "LOINC:8480-6", "LOINC:8462-4"


@pytest.fixture
def effective(tmp_path):
    """Pill a lowers the level by 40 % and then by 0.1."""
    path = tmp_path / "traits.yaml"
    effects = "dose: 20, effects: {level: {percent: -40, amount: -0.1}}}"
    path.write_text(CLINICAL.replace("dose: 20}", effects))
    return read_traits(path)


def levels(result):
    return result.measurements.query("code == 'LOINC:1-1'").set_index("individual")["value"]


def test_only_people_under_treatment_have_another_value(simulate, old, clinical, effective):
    without, treated = simulate(old, traits=clinical), simulate(old, traits=effective)
    before, after = levels(without), levels(treated)
    taking = treated.treatments.query("code == 'ATC:A'").set_index("individual")
    now = taking.index[taking["end_age"].isna()].intersection(after.index)
    assert len(now) > 500 and taking["end_age"].notna().any()
    np.testing.assert_allclose(after[now], before[now] * 0.6 - 0.1, atol=0.00051)
    others = after.index.difference(now)
    assert after[others].equals(before[others])
    assert without.diseases.equals(treated.diseases)


def test_the_truth_has_the_untreated_value_beside_the_measured_one(
    simulate, old, clinical, effective
):
    before, result = levels(simulate(old, traits=clinical)), simulate(old, traits=effective)
    truth = result.untreated_values.set_index("individual")
    changed = before.index[before != levels(result)]
    assert truth.index.tolist() == changed.tolist()
    assert truth["untreated"].equals(before[changed].rename("untreated"))
    assert truth["measured"].equals(levels(result)[changed].rename("measured"))
    assert set(truth["unit"]) == {"mmol/L"}
    assert simulate(old, traits=clinical).untreated_values.empty


def test_statins_and_antihypertensives_of_the_shipped_file_work_as_in_trials(
    shipped, make_people, make_genetic_values, no_carriers
):
    people = make_people({"FI": 20_000}, birth_year=YEAR - 70)
    genetic = make_genetic_values(shipped, len(people))
    result = simulate_phenotypes(people, genetic, no_carriers, shipped, 1, YEAR)
    truth = result.untreated_values
    ldl = truth.query("code == @LDL")
    assert len(ldl) > 2000
    assert (ldl["measured"] / ldl["untreated"]).between(0.53, 0.58).all()
    for code, fall in ((SYSTOLIC, 9.1), (DIASTOLIC, 5.5)):
        pressure = truth[truth["code"] == code]
        assert len(pressure) > 3000
        assert (pressure["untreated"] - pressure["measured"]).between(fall - 1, fall + 1).all()
    mean = result.measurements.query("code == @LDL")["value"].mean()
    assert mean < 3.4  # untreated: 3.6 in women of 70


def test_a_value_that_a_story_gives_is_the_measured_one(
    shipped, make_people, make_genetic_values, no_carriers
):
    people = make_people({"FI": 50}, birth_year=YEAR - 70)
    where = ("story.yaml", "line 1: patients.anna")
    born = (YEAR - 70, YEAR - 70)
    told = {
        "diseases": {"hyperlipidaemia": (50, 50)},
        "measurements": {"ldl": (2.5, 2.5)},
        "treatments": ("statin",),
    }
    anna = Patient("story", "anna", "FI", "female", born, where, **told)
    ids = people.head(1).assign(story="story", handle="anna").rename(columns={"id": "individual"})
    genetic = make_genetic_values(shipped, len(people))
    result = simulate_phenotypes(
        people,
        genetic,
        no_carriers,
        shipped,
        1,
        YEAR,
        [anna],
        ids[["story", "handle", "individual"]],
    )
    mine = result.measurements.query("individual == 'FI-000000' and code == @LDL")
    assert mine["value"].tolist() == [2.5]
    assert "FI-000000" not in set(result.untreated_values["individual"])
