"""Who the people are, which families they form, and who is planned to carry what."""

import pandas as pd
import pytest

from rehearsal.genomes.pedigree import (
    PEOPLE_COLUMNS,
    PLAN_COLUMNS,
    generations,
    parent_rows,
    plan_people,
)
from rehearsal.model import InputError, PlantedVariant, Variant


def carried(contig: str, *carriers: tuple[str, str, int]) -> PlantedVariant:
    variant = Variant(contig, 1_000, "A", "G")
    return PlantedVariant(variant, "GENE", "name", "any", "rare", carriers=carriers)


def with_parents(people: pd.DataFrame) -> pd.DataFrame:
    """The children, with columns of their father (``_f``) and mother (``_m``) beside."""
    children = people[people["father"].notna()]
    return children.merge(people, left_on="father", right_on="id", suffixes=("", "_f")).merge(
        people, left_on="mother", right_on="id", suffixes=("", "_m")
    )


def test_countries_are_contiguous_in_order_with_running_ids(countries, cohort):
    people, plan = cohort
    assert tuple(people.columns) == PEOPLE_COLUMNS
    assert tuple(plan.columns) == PLAN_COLUMNS
    assert people["country"].tolist() == ["ES"] * 120 + ["FI"] * 120 + ["IE"] * 120
    assert people["id"].iloc[[0, 119, 120]].tolist() == ["ES-000001", "ES-000120", "FI-000001"]
    assert people["id"].is_unique


def test_the_share_of_people_in_families_is_as_asked(countries):
    for share in (0.0, 0.3, 0.5, 1.0):
        people, _ = plan_people(countries, {"ES": 1_000, "FI": 1_000}, share, [], seed=1)
        assert people["family"].notna().mean() == pytest.approx(share, abs=0.005)


def test_parents_are_of_the_right_sex_in_the_same_family_and_18_to_45_years_older(countries):
    people, _ = plan_people(countries, dict.fromkeys(("ES", "FI", "IE"), 3_000), 0.8, [], seed=2)
    children = with_parents(people)
    assert len(children) > 2_000
    assert (children["sex_f"] == "male").all() and (children["sex_m"] == "female").all()
    assert (children["family"] == children["family_f"]).all()
    assert (children["family"] == children["family_m"]).all()
    for parent in ("birth_year_f", "birth_year_m"):
        assert (children["birth_year"] - children[parent]).between(18, 45).all()


def test_birth_years_run_from_1935_to_2024_and_hold_adults_and_children(countries):
    people, _ = plan_people(countries, {"ES": 5_000}, 0.4, [], seed=3)
    assert people["birth_year"].min() == 1935
    assert people["birth_year"].max() == 2024
    assert 0.1 < (people["birth_year"] > 2006).mean() < 0.3


def test_families_are_trios_siblings_half_siblings_and_cousins(countries):
    people, _ = plan_people(countries, {"ES": 2_000}, 0.6, [], seed=4)
    children = with_parents(people)
    couples = children.groupby(["father", "mother"]).size()
    assert {1, 2, 3} <= set(couples)
    assert (children.groupby("father")["mother"].nunique() == 2).any()
    assert (children.groupby("mother")["father"].nunique() == 2).any()
    depth = generations(*parent_rows(people))
    assert sorted(set(depth)) == [0, 1, 2]
    grandchildren = children[children["father_f"].notna() | children["father_m"].notna()]
    assert len(grandchildren) == (depth == 2).sum() > 20


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


def test_same_seed_same_people(countries, planted, cohort):
    again = plan_people(countries, dict.fromkeys(("ES", "FI", "IE"), 120), 0.5, planted, seed=5)
    pd.testing.assert_frame_equal(cohort[0], again[0])
    pd.testing.assert_frame_equal(cohort[1], again[1])
    other = plan_people(countries, dict.fromkeys(("ES", "FI", "IE"), 120), 0.5, planted, seed=6)
    assert not cohort[0].equals(other[0])


def test_adding_a_country_changes_nobody_in_the_others(countries):
    numbers = {"ES": 50, "FI": 50, "IE": 50}
    all_three, _ = plan_people(countries, numbers, 0.5, [], seed=1)
    two, _ = plan_people(countries[1:], numbers, 0.5, [], seed=1)
    pd.testing.assert_frame_equal(all_three.iloc[50:].reset_index(drop=True), two)


def test_a_country_without_people_is_left_out(countries):
    people, _ = plan_people(countries, {"FI": 3}, 0, [], seed=1)
    assert people["country"].tolist() == ["FI"] * 3
    nobody, plan = plan_people(countries, {}, 0.3, [], seed=1)
    assert (len(nobody), len(plan)) == (0, 0)


@pytest.mark.parametrize(
    ("numbers", "share", "planted", "message"),
    [
        ({"ES": 4}, 0.3, [], "families asked for but too few founders: 0.3 of the 4 people in ES"),
        ({"ES": 9}, 1.5, [], "a number from 0 to 1"),
        ({"IE": 3}, 0, [carried("chr1", ("IE", "homozygous", 1))], "at least 4 people in IE"),
        ({"IE": 9}, 0, [carried("chr1", ("XX", "homozygous", 1))], "country of the cohort.*'XX'"),
        ({"IE": 9}, 0, [carried("chr1", ("IE", "cousins", 1))], "expected one of homozygous"),
        ({"IE": 9}, 0, [carried("chr1", ("IE", "brothers", 1))], "nobody can be brothers on chr1"),
        ({"IE": 9}, 0, [carried("chrX", ("IE", "homozygous", 1))], "homozygous on chrX"),
    ],
)
def test_plans_that_cannot_be_are_refused(countries, numbers, share, planted, message):
    with pytest.raises(InputError, match=message):
        plan_people(countries, numbers, share, planted, seed=1)


def table(*rows: tuple[str, str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "father", "mother"])


def test_generations_count_from_the_farthest_founder():
    people = table(
        ("grandchild", "father", "married-in"),
        ("father", "grandfather", "grandmother"),
        ("grandfather", None, None),
        ("grandmother", None, None),
        ("married-in", None, None),
    )
    father, mother = parent_rows(people)
    assert father.tolist() == [1, 2, -1, -1, -1]
    assert generations(father, mother).tolist() == [2, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("child", "nobody", "mum"), ("mum", None, None)], "ids of people in the column father"),
        ([("child", None, "mum"), ("mum", None, None)], "both parents or neither"),
        ([("a", "b", "c"), ("b", "a", "c"), ("c", None, None)], "no one as own ancestor"),
    ],
)
def test_a_pedigree_that_cannot_be_is_refused(rows, message):
    with pytest.raises(InputError, match=message):
        generations(*parent_rows(table(*rows)))
