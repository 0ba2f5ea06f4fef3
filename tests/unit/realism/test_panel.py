"""The people to measure: unrelated, evenly from all countries, and pairs by the pedigree."""

import numpy as np
import pandas as pd
import pytest

from rehearsal.realism.panel import KINSHIP, LARGEST_SHARE, LEAST_SHARE, choose_panel, related_pairs


def people_of(rows, country="IE"):
    """Make a table of people from rows (id, father, mother)."""
    table = pd.DataFrame(rows, columns=["id", "father", "mother"])
    return table.assign(country=country, population=country, inbreeding=0.0)


def crowd(**numbers):
    """Make unrelated people, by number per country."""
    parts = [
        people_of([(f"{code}{i}", None, None) for i in range(n)], code)
        for code, n in numbers.items()
    ]
    return pd.concat(parts, ignore_index=True)


FAMILY = people_of(
    [
        ("grandmother", None, None),
        ("grandfather", None, None),
        ("aunt", "grandfather", "grandmother"),
        ("father", "grandfather", "grandmother"),
        ("uncle", None, None),
        ("mother", None, None),
        ("other", None, None),
        ("cousin", "uncle", "aunt"),
        ("child", "father", "mother"),
        ("second", "father", "mother"),
        ("half", "father", "other"),
    ]
)


def test_migrants_are_not_measured():
    people = crowd(FI=30, IE=30)
    people.loc[people.index % 30 < 12, "population"] = "AFR"
    panel = choose_panel(people, 1)
    assert list(np.bincount(panel.country)) == [18, 18]
    assert (people["population"].iloc[panel.founders] != "AFR").all()


def test_children_of_relatives_are_in_no_pair_of_a_kind():
    inbred = FAMILY.assign(inbreeding=np.where(FAMILY["id"] == "child", 1 / 16, 0.0))
    child = FAMILY.index[FAMILY["id"] == "child"][0]
    pairs = related_pairs(inbred)
    assert child not in pairs[["first", "second"]].to_numpy()
    assert len(pairs) < len(related_pairs(FAMILY))


def pairs_of(kind):
    pairs = related_pairs(FAMILY)
    pairs = pairs[pairs["kind"] == kind]
    names = FAMILY["id"].to_numpy()
    rows = zip(pairs["first"], pairs["second"], strict=True)
    return {frozenset((names[a], names[b])) for a, b in rows}


def test_full_siblings_share_both_parents():
    assert pairs_of("full siblings") == {
        frozenset(("aunt", "father")),
        frozenset(("child", "second")),
    }


def test_half_siblings_share_exactly_one_parent():
    assert pairs_of("half-siblings") == {
        frozenset(("child", "half")),
        frozenset(("second", "half")),
    }


def test_first_cousins_are_children_of_full_siblings():
    expected = {frozenset(("cousin", name)) for name in ("child", "second", "half")}
    assert pairs_of("first cousins") == expected


def test_every_child_has_two_parents():
    assert len(pairs_of("parent and child")) == 2 * FAMILY["father"].notna().sum()


def test_members_are_founders_and_pairs_are_of_the_cohort(cohort):
    people, panel = cohort.people, cohort.panel
    assert people["father"].iloc[panel.members].isna().all()
    assert set(panel.pairs["kind"]) == set(KINSHIP)
    assert sorted(panel.founders) == list(np.flatnonzero(people["father"].isna()))


def test_countries_give_equal_numbers_up_to_a_limit():
    assert list(np.bincount(choose_panel(crowd(FI=25, IE=400), 1).country)) == [25, 25]
    assert list(np.bincount(choose_panel(crowd(FI=80, IE=400), 1).country)) == [LARGEST_SHARE] * 2


def test_a_tiny_country_does_not_shrink_the_others_below_a_floor():
    assert list(np.bincount(choose_panel(crowd(FI=2, IE=400), 1).country)) == [2, LEAST_SHARE]


def test_the_same_seed_chooses_the_same_people():
    people = crowd(FI=80, IE=400)
    one, same, other = (choose_panel(people, seed).members for seed in (1, 1, 2))
    assert list(one) == list(same)
    assert list(one) != list(other)


def test_unrelated_pairs_are_of_one_country(cohort):
    pairs = cohort.panel.pairs.query("kind == 'unrelated'")
    country = cohort.people["country"].to_numpy()
    assert len(pairs) > 10
    assert (country[pairs["first"]] == country[pairs["second"]]).all()


@pytest.mark.parametrize("people", [crowd(FI=1), crowd(FI=1, IE=1)])
def test_a_tiny_cohort_has_a_panel(people):
    panel = choose_panel(people, 1)
    assert len(panel.members) == len(people)
    assert panel.pairs.empty
