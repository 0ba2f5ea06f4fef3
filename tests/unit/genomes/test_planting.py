"""Planted variants: exactly the copies asked for, in exactly the people planned, Mendelian."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.genomes.people import plan_people
from rehearsal.genomes.planting import (
    CARRIER_COLUMNS,
    check_places,
    exact_sum,
    planted_carriers,
    planted_targets,
)
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.model import Block, InputError, PlantedVariant, Variant


def by_frequency(start: int, minimum: int = 0, contig: str = "chr22", **frequency: float):
    frequency = {("*" if code == "others" else code): f for code, f in frequency.items()}
    variant = Variant(contig, start, "A", "G")
    return PlantedVariant(variant, "GENE", f"v{start}", "dominant", "cancer", frequency, minimum)


def simulate(block, people, plan, planted, demography, seed=1, mutation_rate=1.29e-8):
    settings = SimulationSettings(demography, mutation_rate, kappa=4.0, seed=seed)
    recombination = uniform_map(block.contig, 1e-8)
    return simulate_block(block, people, plan, planted, settings, recombination)


@pytest.fixture(scope="module")
def autosome(cohort, planted, demography):
    return simulate(Block("chr22", 20_000_000, 20_100_000), *cohort, planted, demography)


@pytest.fixture(scope="module")
def x_block(cohort, planted, demography):
    return simulate(Block("chrX", 12_880_000, 12_910_000), *cohort, planted, demography)


@pytest.fixture(scope="module")
def carriers(autosome, x_block, cohort, planted):
    both = [planted_carriers(ts, cohort[0], planted) for ts in (autosome, x_block)]
    return pd.concat(both).set_index("gene")


def copies_by_country(carriers: pd.DataFrame, gene: str, people: pd.DataFrame) -> dict[str, int]:
    country = people.set_index("id")["country"]
    found = carriers.loc[[gene]] if gene in carriers.index else carriers.iloc[:0]
    sums = found.groupby(found["individual"].map(country))["copies"].sum()
    return {code: int(sums.get(code, 0)) for code in people["country"].unique()}


# --- targets --------------------------------------------------------------------------------


def people_of(women: int, men: int, codes=("ES", "FI", "IE")) -> pd.DataFrame:
    rows = [
        (code, sex)
        for code in codes
        for sex, n in (("female", women), ("male", men))
        for _ in range(n)
    ]
    return pd.DataFrame(rows, columns=["country", "sex"])


def test_a_target_is_frequency_times_chromosomes():
    planted = by_frequency(1, others=0.1, FI=0.25)
    assert planted_targets(planted, people_of(50, 50)) == {"ES": 20, "FI": 50, "IE": 20}


def test_on_x_men_count_once():
    planted = by_frequency(1, contig="chrX", others=0.1)
    assert planted_targets(planted, people_of(50, 50)) == {"ES": 15, "FI": 15, "IE": 15}


def test_the_total_is_right_where_each_share_is_below_one():
    codes = tuple(f"C{k:02d}" for k in range(28))
    targets = planted_targets(by_frequency(1, others=0.0005), people_of(50, 50, codes))
    assert sum(targets.values()) == 3
    assert max(targets.values()) == 1
    other = planted_targets(by_frequency(2, others=0.0005), people_of(50, 50, codes))
    assert targets != other


def test_every_country_gets_at_least_the_minimum():
    targets = planted_targets(by_frequency(1, 2, others=0.0, FI=0.5), people_of(5, 5))
    assert targets == {"ES": 2, "FI": 10, "IE": 2}


def test_countries_without_a_frequency_get_none():
    assert planted_targets(by_frequency(1, FI=0.5), people_of(5, 5))["ES"] == 0
    assert planted_targets(by_frequency(1), people_of(5, 5)) == {}


def test_more_carriers_than_people_are_refused():
    with pytest.raises(InputError, match=r"minimum_per_country of GENE v1 .*ES has only 4 people"):
        planted_targets(by_frequency(1, 5, others=0.1), people_of(2, 2))


@given(
    frequency=st.floats(0, 1), women=st.integers(0, 30), men=st.integers(1, 30), n=st.integers(1, 9)
)
def test_targets_never_leave_a_copy_out(frequency, women, men, n):
    codes = tuple(f"C{k}" for k in range(n))
    targets = planted_targets(by_frequency(1, others=frequency), people_of(women, men, codes))
    chromosomes = 2 * (women + men)
    assert abs(sum(targets.values()) - frequency * chromosomes * n) < 0.5 + 1e-6
    share = frequency * chromosomes
    assert all(abs(target - share) < 1 + 1e-6 for target in targets.values())


# --- exact sums -----------------------------------------------------------------------------


@given(st.lists(st.integers(1, 6), max_size=12), st.data())
def test_an_exact_sum_is_found_whenever_there_is_one(weights, data):
    chosen = data.draw(st.lists(st.booleans(), min_size=len(weights), max_size=len(weights)))
    total = sum(w for w, c in zip(weights, chosen, strict=True) if c)
    picked = exact_sum(np.array(weights, dtype=np.int64), total)
    assert len(set(picked)) == len(picked)
    assert sum(weights[k] for k in picked) == total


@pytest.mark.parametrize(("weights", "total"), [([], 1), ([2, 2, 4], 3), ([3, 5], 9)])
def test_an_impossible_sum_is_none(weights, total):
    assert exact_sum(np.array(weights, dtype=np.int64), total) is None


# --- in the tree sequence -------------------------------------------------------------------


@pytest.mark.parametrize("gene", ["DEL", "INS", "COMMON", "XFREQ"])
def test_every_country_has_exactly_the_copies_asked_for(carriers, cohort, planted, gene):
    (variant,) = [v for v in planted if v.gene == gene]
    found = copies_by_country(carriers, gene, cohort[0])
    assert found == planted_targets(variant, cohort[0])
    assert sum(found.values()) > 0


def test_the_minimum_counts_people_not_copies(carriers, cohort):
    country = carriers.loc["INS", "individual"].map(cohort[0].set_index("id")["country"])
    assert country.value_counts().to_dict() == {"ES": 3, "FI": 3, "IE": 3}


def test_a_common_variant_stands_on_few_haplotype_clades_not_on_single_people(autosome):
    site = autosome.site(position=20_060_000)
    (variant,) = autosome.variants(left=site.position, right=site.position + 1)
    assert len(site.mutations) < (variant.genotypes > 0).sum() / 2


def test_the_rare_case_has_two_copies_parents_one_and_the_sibling_less_than_two(carriers, cohort):
    people, plan = cohort
    rare = carriers.loc["RARE"].set_index("individual")["copies"]
    person = people.set_index("id")
    cases = plan[(plan["role"] == "homozygous") & (plan["kind"] == "transmits")]
    for _, rows in cases.groupby("case"):
        child, sibling = rows["child"].value_counts().index  # two forced gametes, then one
        assert rare[child] == 2
        assert rare[person.loc[child, "father"]] == rare[person.loc[child, "mother"]] == 1
        assert rare.get(sibling, 0) < 2
    assert rare.value_counts().get(2) == 2
    finns = [person_id for person_id in rare.index if person_id.startswith("FI")]
    assert [rare[f] for f in finns] == [1, 1]


def test_both_brothers_and_their_mother_carry_and_nobody_else_but_the_single_man(carriers, cohort):
    people, plan = cohort
    tlr7 = carriers.loc["TLR7"].set_index("individual")["copies"]
    mother = plan[(plan["role"] == "brothers") & (plan["kind"] == "carries")]["person"].item()
    sons = people[people["mother"] == mother]["id"]
    single = plan[plan["role"] == "hemizygous"]["person"].item()
    assert set(tlr7.index) == {mother, *sons, single}
    assert set(tlr7) == {1}


def test_a_somatic_variant_leaves_its_place_free(autosome):
    assert 20_080_000 not in autosome.sites_position


def test_no_simulated_site_stands_in_a_planted_deletion(autosome):
    inside = (autosome.sites_position >= 20_030_000) & (autosome.sites_position < 20_030_003)
    assert autosome.sites_position[inside].tolist() == [20_030_000]


def test_alleles_are_written_as_asked_with_their_anchor_base(autosome):
    deletion, insertion = (autosome.site(position=p) for p in (20_030_000, 20_050_000))
    assert (deletion.ancestral_state, deletion.alleles) == ("ACT", {"ACT", "A"})
    assert (insertion.ancestral_state, insertion.alleles) == ("T", {"T", "TG"})


@pytest.mark.parametrize("block", ["autosome", "x_block"])
def test_children_carry_only_what_their_parents_carry(request, block, carriers, cohort, planted):
    people = cohort[0].set_index("id")
    for gene in {v.gene for v in planted} & set(carriers.index):
        copies = carriers.loc[[gene]].set_index("individual")["copies"]
        for child in copies.index:
            parents = people.loc[child, ["father", "mother"]]
            if parents.notna().all():
                assert copies[child] <= (copies.reindex(parents).fillna(0) > 0).sum()


def test_carriers_have_a_row_a_person_with_the_variant(carriers):
    row = carriers.loc[["DEL"]].reset_index().iloc[0]
    assert set(CARRIER_COLUMNS) == set(row.index)
    allele = (row["contig"], row["start"], row["ref"], row["alt"])
    assert allele == ("chr22", 20_030_000, "ACT", "A")
    assert row["copies"] in (1, 2)


def test_carriers_of_a_variant_on_another_contig_are_not_looked_for(autosome, cohort):
    planted = by_frequency(20_060_000, contig="chr1", others=0.1)
    assert planted_carriers(autosome, cohort[0], [planted]).empty


@pytest.mark.parametrize("frequency", [0.002, 0.02, 0.2, 0.6, 0.97, 1.0])
def test_any_frequency_is_exact_also_where_everybody_is_family(countries, demography, frequency):
    people, plan = plan_people(countries, {"ES": 30, "FI": 31, "IE": 3}, 1.0, [], seed=3)
    planted = [by_frequency(1_000, others=frequency, FI=frequency / 2)]
    ts = simulate(Block("chr22", 0, 2_000), people, plan, planted, demography)
    found = planted_carriers(ts, people, planted).set_index("gene")
    assert copies_by_country(found, "GENE", people) == planted_targets(planted[0], people)


def test_copies_that_no_founders_can_give_are_refused(countries, demography):
    # Mother, father and two children: the mother's MT is in three people, the father's in one.
    rare = PlantedVariant(
        Variant("chr1", 5, "A", "G"), "R", "r", "rare", "rare", carriers=(("ES", "homozygous", 1),)
    )
    people, plan = plan_people(countries, {"ES": 4}, 1.0, [rare], seed=3)
    planted = [by_frequency(1_000, contig="chrM", others=0.5)]
    with pytest.raises(InputError, match=r"GENE v1000 .*cannot give exactly 2 copies"):
        simulate(Block("chrM", 0, 2_000), people, plan, planted, demography)


def test_planted_mutations_stand_on_founders_or_their_ancestors(autosome, cohort, planted):
    founder = np.append(cohort[0]["father"].isna().to_numpy(), True)  # no individual: an ancestor
    for variant in planted[:4]:
        site = autosome.site(position=variant.variant.start)
        nodes = [mutation.node for mutation in site.mutations]
        assert founder[autosome.nodes_individual[nodes]].all()


def test_a_plan_that_lacks_a_variants_carriers_is_refused(cohort, planted, demography):
    people, plan = cohort
    without = plan[plan["gene"] != "RARE"]
    with pytest.raises(InputError, match=r"planted\.parquet: .* carriers of RARE recessive"):
        simulate(Block("chr22", 20_065_000, 20_075_000), people, without, planted, demography)


def test_two_planted_variants_at_one_place_are_refused():
    def snv_at(start):
        return PlantedVariant(Variant("chr1", start, "T", "C"), "G", "snv", "any", "any")

    deletion = PlantedVariant(Variant("chr1", 10, "ACT", "A"), "G", "del", "any", "any")
    with pytest.raises(InputError, match=r"G snv .*a place of its own, not one of G del"):
        check_places([deletion, snv_at(12)])
    check_places([deletion, snv_at(13)])
