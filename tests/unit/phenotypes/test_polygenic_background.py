"""What a trait inherits from outside of the simulated blocks: its size, its heirs, its truth."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rehearsal.genomes.assembly import AUTOSOMES, CONTIG_LENGTHS
from rehearsal.genomes.cohort_mix import CohortMix
from rehearsal.genomes.people import plan_cohort
from rehearsal.model import Block, Country, Patient
from rehearsal.phenotypes.genetic_values import GeneticValues, autosomal_share, sites_in_blocks
from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.phenotypes.trait_types import Genetics

from .clinical_traits import YEAR

ROOT = Path(__file__).resolve().parents[3]
SHARE = 0.2  # of the autosomes, in the raw values of these tests


@pytest.fixture(scope="module")
def people():
    """6,000 people, nearly all in families, some of whose parents are first cousins."""
    countries = [Country(c, c, 50.0, 10.0, 5.0, c, 50.0, 10.0, "no") for c in ("ES", "FI")]
    mix = CohortMix(consanguineous={"*": 0.1})
    return plan_cohort(countries, dict.fromkeys(("ES", "FI"), 3000), 0.9, [], 5, mix=mix).people


@pytest.fixture
def raw(make_genetic_values, traits, people):
    return dataclasses.replace(make_genetic_values(traits, len(people)), autosomal_share=SHARE)


@pytest.fixture
def result(raw, people, no_carriers, traits):
    return simulate_phenotypes(people, raw, no_carriers, traits, 1, YEAR)


def of(result, trait):
    return result.genetic_values.query("trait == @trait").set_index("individual")


def test_the_share_of_the_autosomes_is_that_of_the_bases_outside_of_the_masks():
    masks = pd.read_csv(ROOT / "config/masks.tsv", sep="\t", comment="#")
    masked = masks[masks["contig"].isin(AUTOSOMES)]
    known = sum(CONTIG_LENGTHS[one] for one in AUTOSOMES) - (masked["end"] - masked["start"]).sum()
    blocks = [Block("chr22", 20_000_000, 25_000_000), Block("chrX", 0, 10_000_000)]
    assert autosomal_share(blocks) == 5_000_000 / known
    everything = [Block(name, 0, length) for name, length in CONTIG_LENGTHS.items()]
    assert autosomal_share(everything) == 1


@pytest.mark.parametrize(
    ("share", "megabases", "sites"), [(None, 5, 2), (None, 267, 100), (0.1, 5, 100), (1, 5, 1000)]
)
def test_the_blocks_have_their_share_of_the_causal_sites(share, megabases, sites):
    genetics = Genetics(0.5, 1000, 0.01, 0.0, simulated_share=share)
    blocks = [
        Block("chr1", 0, megabases * 1_000_000 * 4 // 5),
        Block("chr2", 0, megabases * 200_000),
    ]
    assert sites_in_blocks(genetics, blocks) == sites


def test_genetic_values_are_the_simulated_part_and_the_background(result, raw):
    for trait in ("level", "common_disease"):
        table = of(result, trait)
        assert table["genetic_value"].std(ddof=0) == pytest.approx(1)
        assert table["background"].var() == pytest.approx(1 - SHARE, abs=0.02)
        simulated = (table["genetic_value"] - table["background"]).to_numpy()
        assert np.corrcoef(simulated, raw.values[trait])[0, 1] == pytest.approx(1)
        assert simulated.var() == pytest.approx(SHARE, abs=0.02)


def test_the_heritability_counts_both_parts(result, people):
    level = result.measurements.query("code == 'LOINC:1-1'").set_index("individual")["value"]
    of_men = level[people.set_index("id")["sex"] == "male"]  # their mean is 3 at every age
    genetic = of(result, "level")["genetic_value"]
    share = np.corrcoef(genetic[of_men.index], of_men)[0, 1] ** 2
    assert share == pytest.approx(0.6, abs=0.04)
    liability = of(result, "common_disease")
    share = np.corrcoef(liability["genetic_value"], liability["liability"])[0, 1] ** 2
    assert share == pytest.approx(0.4, abs=0.04)


def test_relatives_share_the_background_as_their_kinship_says(result, people):
    background = of(result, "level")["background"]
    children = people.dropna(subset=["father", "mother"])

    def correlation(one, other):
        pair = background[one].to_numpy(), background[other].to_numpy()
        return np.corrcoef(*pair)[0, 1]

    for parent in ("father", "mother"):
        assert correlation(children["id"], children[parent]) == pytest.approx(0.5, abs=0.05)
    assert abs(correlation(children["father"], children["mother"])) < 0.06
    siblings = children.groupby(["father", "mother"])["id"].agg(["first", "last", "size"])
    siblings = siblings[siblings["size"] > 1]
    assert correlation(siblings["first"], siblings["last"]) == pytest.approx(0.5, abs=0.06)
    spread = background[people["id"]].groupby(people["father"].notna().to_numpy()).std()
    assert spread[True] == pytest.approx(spread[False], rel=0.05)


def test_effects_are_told_in_the_unit_of_the_trait_too(raw, people, no_carriers, traits):
    effects = pd.DataFrame(
        {
            "trait": ["level", "common_disease"],
            "contig": "chr1",
            "start": 1,
            "ref": "A",
            "alt": "G",
            "effect": 3.0,
            "frequency": 0.1,
        }
    )
    raw = GeneticValues(effects, raw.values, SHARE)
    result = simulate_phenotypes(people, raw, no_carriers, traits, 1, YEAR)
    told = result.effects.set_index("trait")
    assert told["unit"].to_dict() == {"level": "mmol/L", "common_disease": "liability"}
    # the level's sd is 0.5 at every age, and 0.6 of the variance is genetic
    factor = told["effect_in_unit"] / told["effect"]
    assert factor["level"] == pytest.approx(0.5 * 0.6**0.5)
    assert factor["common_disease"] == pytest.approx(0.4**0.5)
    # a copy's effect on the value is that on the raw sum, on the scale of the share
    spread = raw.values["level"].std(ddof=0)
    assert told.loc["level", "effect"] == pytest.approx(3 / spread * SHARE**0.5, rel=0.03)


def test_a_story_reaches_its_genetic_value_with_both_parts(raw, people, no_carriers, traits):
    where, born = ("story.yaml", "line 1: patients.anna"), (1980, 1980)
    wanted = {"level": 2.4}
    anna = Patient("s", "anna", "FI", "female", born, where, genetic_values=wanted)
    ids = pd.DataFrame({"story": ["s"], "handle": ["anna"], "individual": ["FI-000001"]})
    values = raw.values.copy()
    values.loc[people.index[people["id"] == "FI-000001"], "level"] = 3 + 2.4 * 7  # as drawn above
    raw = dataclasses.replace(raw, values=values)
    result = simulate_phenotypes(people, raw, no_carriers, traits, 1, YEAR, [anna], ids)
    assert of(result, "level").loc["FI-000001", "genetic_value"] > 2.4


def test_a_trait_needs_no_causal_site_where_the_rest_of_the_genome_has_them(
    raw, people, no_carriers, traits
):
    raw = dataclasses.replace(raw, values=raw.values * 0, autosomal_share=0.0)
    result = simulate_phenotypes(people, raw, no_carriers, traits, 1, YEAR)
    table = of(result, "level")
    assert table["genetic_value"].equals(table["background"].rename("genetic_value"))
    assert table["background"].std(ddof=0) == pytest.approx(1)


def test_the_genetic_value_of_one_person_is_the_background_as_it_was_drawn(
    raw, people, no_carriers, traits
):
    values = raw.values.iloc[:1]
    found = []
    for seed in range(200):
        alone = dataclasses.replace(raw, values=values)
        result = simulate_phenotypes(people.iloc[:1], alone, no_carriers, traits, seed, YEAR)
        found.append(of(result, "level")["genetic_value"].iloc[0])
        assert result.effects.empty
    assert np.std(found) == pytest.approx(1, abs=0.2)  # four standard errors
