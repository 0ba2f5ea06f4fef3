"""Families: trios, siblings, half-siblings, cousins; ages and sexes of parents."""

import pandas as pd

from rehearsal.genomes.pedigree import generations, parent_rows
from rehearsal.genomes.people import plan_people


def with_parents(people: pd.DataFrame) -> pd.DataFrame:
    """The children, with columns of their father (``_f``) and mother (``_m``) beside."""
    children = people[people["father"].notna()]
    return children.merge(people, left_on="father", right_on="id", suffixes=("", "_f")).merge(
        people, left_on="mother", right_on="id", suffixes=("", "_m")
    )


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
