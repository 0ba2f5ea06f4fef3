"""Migrants, other ancestries and related parents are there in the configured shares."""

import numpy as np
import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.cohort_mix import CohortMix
from rehearsal.genomes.families import CONSANGUINEOUS_FAMILY, draw_families
from rehearsal.genomes.gene_drop import draw_gametes
from rehearsal.genomes.pedigree import Pedigree
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import uniform_map

MIX = CohortMix({"*": 0.2, "IE": 0.0}, {"*": 0.1, "FI": 0.0}, {"*": {"AFR": 0.05}, "ES": {}})
CODES = ("ES", "FI", "IE")


@pytest.fixture(scope="module")
def people(countries) -> pd.DataFrame:
    return plan_people(countries, dict.fromkeys(CODES, 4_000), 0.5, [], seed=3, mix=MIX)[0]


def test_populations_have_their_shares_among_people_without_family(people):
    assert people["country"].tolist() == [code for code in CODES for _ in range(4_000)]
    assert (people["population"] == people["country"])[people["family"].notna()].all()
    free = people[people["family"].isna()]
    shares = pd.crosstab(free["country"], free["population"], normalize="index")
    assert shares.loc["ES", "ES"] == pytest.approx(0.9, abs=0.02)
    assert shares.loc["FI", "FI"] == pytest.approx(0.95, abs=0.02)
    assert shares.loc["IE", "AFR"] == pytest.approx(0.05, abs=0.02)
    assert shares.loc["ES", "AFR"] == shares.loc["FI", "IE"] == 0
    assert shares.loc["IE", "ES"] == pytest.approx(0.05, abs=0.02)  # half of the migrants


def test_children_of_first_cousins_are_inbred_and_no_one_else_is(people):
    inbred = people[people["inbreeding"] > 0]
    assert set(inbred["inbreeding"]) == {1 / 16}
    assert set(inbred["country"]) == {"ES", "FI"}
    families = people[people["country"] == "ES"].groupby("family")
    assert (families["inbreeding"].max() > 0).mean() == pytest.approx(0.2, abs=0.04)
    assert set(people[people["family"].isin(inbred["family"])].groupby("family").size()) == {
        CONSANGUINEOUS_FAMILY
    }


def test_cousins_are_parents_at_a_possible_age():
    (families, *_) = draw_families(2_000, np.random.default_rng(1), consanguineous=1.0)
    born, parents = families.birth_year, families.parents
    assert families.people == 2_000 // CONSANGUINEOUS_FAMILY * CONSANGUINEOUS_FAMILY
    for member in np.flatnonzero(parents[:, 0] >= 0):
        age = born[:, [member]] - born[:, parents[member]]
        assert (age >= 18).all()
        sexes = families.sex[:, parents[member]]
        assert (sexes.sum(axis=1) == 1).all()


def test_a_sixteenth_of_an_inbred_genome_is_the_same_twice(countries):
    mix = CohortMix(consanguineous={"*": 1.0})
    people, _ = plan_people(countries, {"ES": 2_700}, 1.0, [], seed=1, mix=mix)
    pedigree = Pedigree.of(people)
    gametes = draw_gametes(pedigree, "chr22", uniform_map("chr22", 1.1e-8), seed=2)
    holder = {}  # the founder's haplotype that each haplotype is a copy of, at one position
    strand = gametes.strand_at(30_000_000)
    for g in np.argsort(pedigree.generation[gametes.child], kind="stable"):
        source = (gametes.parent[g], strand[g])
        holder[gametes.child[g], gametes.slot[g]] = holder.get(source, source)
    rows = np.flatnonzero(people["inbreeding"] > 0)
    same = np.mean([holder[row, 0] == holder[row, 1] for row in rows])
    assert len(rows) == 300
    assert 0.02 < same < 0.105  # 1/16, within three standard errors


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        (CohortMix({}, {"*": 0.7}, {"FI": {"AFR": 0.4}}), "FI that add up to at most 1, found 1.1"),
        (CohortMix({"XX": 0.1}), "cohort.consanguineous: expected a country of this run"),
    ],
)
def test_impossible_shares_are_one_line(countries, mix, message):
    with pytest.raises(InputError, match=message) as caught:
        mix.check(countries)
    assert "\n" not in str(caught.value)


def test_nobody_may_be_of_the_countrys_own_population(countries):
    """0.91 and three times 0.03 add up to a little more than 1 in binary."""
    mix = CohortMix({}, {"*": 0.91}, {"*": {"AFR": 0.03, "EAS": 0.03, "SAS": 0.03}})
    mix.check(countries)
    rng = np.random.default_rng(1)
    spain = next(one for one in countries if one.code == "ES")
    assert "ES" not in mix.draw_populations(spain, countries, 500, rng)
