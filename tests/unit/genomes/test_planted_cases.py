"""People and families who must carry a planted variant."""

from rehearsal.genomes.people import plan_people
from rehearsal.model import PlantedVariant, Variant


def carried(contig: str, *carriers: tuple[str, str, int]) -> PlantedVariant:
    variant = Variant(contig, 1_000, "A", "G")
    return PlantedVariant(variant, "GENE", "name", "any", "rare", carriers=carriers)


def test_a_homozygous_case_is_a_child_whose_parents_both_carry(cohort):
    people, plan = cohort
    person = people.set_index("id")
    irish = plan[(plan["role"] == "homozygous") & plan["person"].str.startswith("IE")]
    transmits = irish[irish["kind"] == "transmits"]
    child = transmits["child"].iloc[0]
    assert 2008 <= person.loc[child, "birth_year"] < 2020
    parents = {person.loc[child, "father"], person.loc[child, "mother"]}
    carriers = irish[irish["kind"] == "carries"].set_index("person")["haplotype"]
    assert set(carriers.index) == parents
    to_child = transmits[transmits["child"] == child].set_index("person")["haplotype"]
    assert to_child.to_dict() == carriers.to_dict()
    siblings = person[(person["father"] == person.loc[child, "father"]) & (person.index != child)]
    assert len(siblings) == 1
    to_sibling = transmits[transmits["child"] == siblings.index[0]]
    mother = person.loc[child, "mother"]
    assert to_sibling["person"].tolist() == [mother]
    assert to_sibling["haplotype"].tolist() == [1 - carriers[mother]]


def test_the_brothers_are_sons_of_one_mother(cohort):
    people, plan = cohort
    rows = plan[(plan["role"] == "brothers") & (plan["kind"] == "transmits")]
    brothers = people[people["id"].isin(rows["child"])]
    elder, younger = sorted(brothers["birth_year"])
    assert 1 <= younger - elder <= 4
    assert set(brothers["sex"]) == {"male"}
    assert set(brothers["mother"]) == set(rows["person"])


def test_hemizygous_and_heterozygous_cases_are_unrelated_people(cohort):
    people, plan = cohort
    rows = plan[plan["role"].isin(["hemizygous", "heterozygous"])]
    cases = people[people["id"].isin(rows["person"])]
    assert len(cases) == 3
    assert cases["family"].isna().all()
    hemizygous = rows[rows["role"] == "hemizygous"]
    assert set(people.set_index("id").loc[hemizygous["person"], "sex"]) == {"male"}
    assert set(hemizygous["haplotype"]) == {0}


def test_a_heterozygous_carrier_on_x_is_a_woman(countries):
    planted = [carried("chrX", ("FI", "heterozygous", 5))]
    people, plan = plan_people(countries, {"FI": 20}, 0, planted, seed=1)
    assert set(people.set_index("id").loc[plan["person"], "sex"]) == {"female"}


def test_planted_families_are_made_even_when_no_other_families_are_asked_for(countries):
    people, _ = plan_people(
        countries, {"IE": 10}, 0, [carried("chr1", ("IE", "homozygous", 1))], seed=1
    )
    assert people["family"].notna().sum() == 4
