"""The order of a cohort's people: drawn, with families whole and the plan still about the same."""

import pandas as pd

from rehearsal.genomes.people import plan_cohort
from rehearsal.genomes.people_order import shuffled
from rehearsal.model import Country, Patient, PlantedVariant, Variant

FI = Country("FI", "Finland", 61.5, 25.0, 5.6, "Helsinki", 60.2, 24.9, "no")
A, B = (Variant("chr1", place, "A", "G") for place in (100, 200))


def cohort():
    planted = [PlantedVariant(one, "G", f"c.{one.start}A>G", "", "") for one in (A, B)]
    born, where = (1960, 1970), ("options", "--plant")
    carriers = [
        Patient("planted", str(k), "FI", "female", born, where, carries={A: 1, B: 1})
        for k in range(6)
    ]
    return plan_cohort([FI], {"FI": 100}, 0.3, planted, 1, carriers)


def test_the_plan_is_about_the_same_people_under_new_identifiers():
    before, after = cohort(), shuffled(cohort(), 1)
    assert after.people["id"].tolist() == before.people["id"].tolist()
    facts = ["sex", "birth_year", "family"]

    def carriers(one):
        carrying = one.planted[one.planted["kind"] == "carries"]
        people = one.people.set_index("id").loc[carrying["person"], facts]
        return sorted(people.astype(str).itertuples(index=False, name=None))

    assert carriers(before) == carriers(after)
    assert set(after.planted["person"]) != set(before.planted["person"])
    assert (after.people["birth_year"] != before.people["birth_year"]).any()


def test_families_stay_together_with_their_parents():
    before, after = cohort().people, shuffled(cohort(), 1).people

    def families(people):
        born = people.set_index("id")["birth_year"]
        child = people[people["mother"].notna()]
        columns = [born[child[one]] for one in ("id", "mother", "father")]
        return sorted(zip(child["family"], *columns, strict=True))

    assert families(before) == families(after)
    rows = pd.Series(after.index[after["family"].notna()])
    spans = rows.groupby(after["family"].dropna().to_numpy()).agg(["min", "max", "count"])
    assert (spans["max"] - spans["min"] + 1 == spans["count"]).all()


def test_two_variants_of_one_person_are_on_different_haplotypes():
    plan = cohort().planted.query("kind == 'carries'")
    assert plan.groupby("person")["haplotype"].apply(sorted).tolist() == [[0, 1]] * 6
