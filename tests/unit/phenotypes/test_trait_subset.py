"""Some of the traits can be had without the others."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.planted_carriers import CARRIER_COLUMNS
from rehearsal.phenotypes.genetic_values import EFFECT_TYPES, GeneticValues
from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.phenotypes.trait_subset import select_traits

TRAITS = read_traits(Path(__file__).resolve().parents[3] / "config/traits.yaml")
NAMES = [trait.name for trait in (*TRAITS.measurable, *TRAITS.diseases)]
PEOPLE = pd.DataFrame(
    {
        "id": [f"FI-{n:06d}" for n in range(40)],
        "country": "FI",
        "sex": ["female", "male"] * 20,
        "birth_year": range(1940, 1980),
    }
)


@pytest.mark.parametrize("name", NAMES)
def test_every_trait_can_be_had_alone_with_its_causes(name):
    traits = select_traits(TRAITS, [name])
    random = np.random.default_rng(1)
    values = {one.name: random.normal(size=len(PEOPLE)) for one in traits.polygenic}
    genetic = GeneticValues(
        pd.DataFrame({key: [] for key in EFFECT_TYPES}).astype(EFFECT_TYPES),
        pd.DataFrame(values, index=PEOPLE.index),
    )
    carriers = pd.DataFrame(columns=list(CARRIER_COLUMNS))
    found = simulate_phenotypes(PEOPLE, genetic, carriers, traits, 1)
    codes = {one.code for one in (*traits.measurable, *traits.diseases)}
    assert {*found.measurements["code"], *found.diseases["code"]} <= codes
    in_all = (one for one in traits.measurable if not getattr(one, "only_with", None))
    measured = {one.code for one in in_all if one.name == name}
    assert measured <= set(found.measurements["code"])


def test_a_trait_without_causes_comes_alone():
    assert [one.name for one in select_traits(TRAITS, ["height"]).measurable] == ["height"]


def test_an_unknown_trait_is_one_line():
    with pytest.raises(
        InputError, match=r"traits: expected some of height, bmi, ldl, .* found 'luck'"
    ):
        select_traits(TRAITS, ["luck"])
