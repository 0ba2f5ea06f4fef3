"""A part of a small cohort: its people and its alleles."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.evaluation.suite import beacon_request
from rehearsal.model import AlleleCounts, Block, PlantedVariant, Query, Variant
from rehearsal.truth.allele_counts import count_alleles
from rehearsal.truth.pooled_sites import pooled_sites
from rehearsal.truth.query_answers import TruthCalculator
from rehearsal.truth.sources import TruthSources
from rehearsal.truth.subcohort import Subcohort, select_subcohort

from ..small_cohort import DISEASES, FEATURES, GENES, MEASUREMENTS, PEOPLE

DELETION = PlantedVariant(
    Variant("chr22", 110, "ACT", "A"), "CECR", "del", "dominant", "cancer", {"*": 0.1}
)
CARRIERS = pd.DataFrame({"gene": ["CECR", "BRCA9"], "name": "del", "individual": PEOPLE["id"][3:]})
PATIENTS = pd.DataFrame({"story": ["cancer", "rare"], "individual": PEOPLE["id"][[0, 4]]})


@dataclass
class Asked:
    """The settings of an export, all at their defaults."""

    name: str = "one"
    countries: tuple = ("FI", "EE")
    people: object = "all"
    story: str | None = None
    limit: int | None = None
    variants: tuple | None = None
    planted: tuple = ()
    regions: tuple | None = None


def subcohort(**asked) -> Subcohort:
    return select_subcohort(Asked(**asked), PEOPLE, CARRIERS, PATIENTS)


def names(some: Subcohort) -> list[str]:
    return PEOPLE["id"][some.people].tolist()


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ({}, PEOPLE["id"].tolist()),
        ({"countries": ("FI",)}, ["FI-000001", "FI-000002"]),
        ({"limit": 1}, ["FI-000001", "EE-000001"]),
        ({"people": ("EE-000003", "FI-000002")}, ["FI-000002", "EE-000003"]),
        ({"people": ("EE-000003", "EE-000002"), "limit": 1}, ["EE-000002"]),
        ({"people": "carriers", "planted": (DELETION,)}, ["EE-000002"]),
        ({"people": "patients"}, ["FI-000001", "EE-000003"]),
        ({"people": "patients", "story": "rare"}, ["EE-000003"]),
    ],
)
def test_who_is_in_a_subcohort(asked, there):
    assert names(subcohort(**asked)) == there


def test_an_empty_subcohort_is_refused():
    line = "exports: one: expected at least one person, found no one who fits its settings"
    with pytest.raises(InputError, match=line):
        subcohort(countries=("FI",), people="carriers", planted=(DELETION,))


def test_alleles_are_selected_by_their_start():
    some = subcohort(regions=(Block("chr22", 100, 110), Block("chrX", 0, 500)))
    assert some.contains_alleles("chr22", np.array([99, 100, 109, 110])).tolist() == [0, 1, 1, 0]
    assert some.contains_alleles(["chr22", "chrX"], [300, 300]).tolist() == [False, True]
    planted = subcohort(variants=(DELETION.variant,))
    assert planted.contains_alleles("chr22", np.array([109, 110, 111])).tolist() == [
        False,
        True,
        False,
    ]
    assert not planted.contains_alleles("chr21", 110)
    assert not subcohort(variants=()).contains_alleles("chr22", 110)


def truth_of(trees, some: Subcohort) -> TruthCalculator:
    sources = TruthSources(trees, PEOPLE, DISEASES, FEATURES, MEASUREMENTS, GENES)
    return TruthCalculator(sources, subcohort=some)


def wide(entry_type: str, granularity: str) -> Query:
    place = {"referenceName": "22", "start": [0], "end": [1000]}
    request = beacon_request(place, [], granularity, {"skip": 0, "limit": 10})
    return Query("q", "range", entry_type, request)


def test_people_outside_the_subcohort_are_not_counted(trees):
    answers = truth_of(trees, subcohort(people=("FI-000001", "EE-000001"))).compute_answer(
        wide("g_variants", "record")
    )
    assert {variant.start for variant in answers["EE"].alleles} == {100, 900}
    everybody = answers["EE"].alleles[Variant("chr22", 100, "A", "G")][""]
    assert everybody == AlleleCounts(an=2, ac=1, hom=0, het=1, hemi=0)  # Bea, once


def test_a_country_without_people_in_the_subcohort_has_no_answer(trees):
    answers = truth_of(trees, subcohort(countries=("EE",))).compute_answer(
        wide("individuals", "record")
    )
    assert list(answers) == ["EE"]
    assert answers["EE"].individuals == ("EE-000001", "EE-000002", "EE-000003")


def test_alleles_that_begin_outside_the_subcohort_do_not_exist(trees):
    """The deletion at 110 reaches into the region but begins before it."""
    some = subcohort(regions=(Block("chr22", 111, 130),))
    answers = truth_of(trees, some).compute_answer(wide("g_variants", "record"))
    assert {variant.start for variant in answers["EE"].alleles} == {120}
    carriers = truth_of(trees, some).compute_answer(wide("individuals", "count"))
    assert {code: one.count for code, one in carriers.items()} == {"FI": 0, "EE": 1}  # Bo


def test_allele_counts_and_sites_are_those_of_the_subcohort(trees):
    some = subcohort(countries=("FI",), regions=(Block("chr22", 0, 1000),))
    counts = count_alleles(trees, PEOPLE, some).by_country()
    assert counts.values.tolist() == [
        ["chr22", 100, "A", "G", "FI", "female", 2, 2, 1, 0, 0],
        ["chr22", 100, "A", "G", "FI", "male", 2, 1, 0, 1, 0],
        ["chr22", 900, "T", "C", "FI", "female", 2, 2, 1, 0, 0],
        ["chr22", 900, "T", "C", "FI", "male", 2, 2, 1, 0, 0],
    ]
    assert pooled_sites(trees, some).values.tolist() == [
        ["chr22", 100, "A", "G", 101, 0, 3, 4],
        ["chr22", 900, "T", "C", 901, 0, 4, 4],
    ]
