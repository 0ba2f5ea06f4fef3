"""Who the people are, and who is planned to carry what."""

import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.people_table import PEOPLE_COLUMNS
from rehearsal.genomes.planting_plan import PLAN_COLUMNS
from rehearsal.model import PlantedVariant, Variant


def carried(contig: str, *carriers: tuple[str, str, int]) -> PlantedVariant:
    variant = Variant(contig, 1_000, "A", "G")
    return PlantedVariant(variant, "GENE", "name", "any", "rare", carriers=carriers)


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


def test_a_country_that_is_too_small_for_a_family_has_none(countries):
    people, _ = plan_people(countries, {"ES": 4}, 0.3, [], seed=1)
    assert people["country"].tolist() == ["ES"] * 4
    assert people["family"].isna().all()


@pytest.mark.parametrize(
    ("numbers", "share", "planted", "message"),
    [
        ({"ES": 9}, 1.5, [], "cohort.family_share: expected a number from 0 to 1, found 1.5"),
        ({"IE": 3}, 0, [carried("chr1", ("IE", "homozygous", 1))], "at least 4 people in IE.*3"),
        ({"IE": 9}, 0, [carried("chr1", ("XX", "homozygous", 1))], "country of the cohort.*'XX'"),
        ({"IE": 9}, 0, [carried("chr1", ("IE", "cousins", 1))], "one of homozygous.*'cousins'"),
        ({"IE": 9}, 0, [carried("chr1", ("IE", "brothers", 1))], "on chr1, found 'brothers'"),
        ({"IE": 9}, 0, [carried("chrX", ("IE", "homozygous", 1))], "on chrX, found 'homozygous'"),
    ],
)
def test_impossible_plans_are_refused(countries, numbers, share, planted, message):
    with pytest.raises(InputError, match=message):
        plan_people(countries, numbers, share, planted, seed=1)
