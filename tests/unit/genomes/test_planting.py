"""Planted variants: exactly the copies asked for, in exactly the people planned, Mendelian."""

import numpy as np
import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.known_bases import with_planted
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.planted_carriers import CARRIER_COLUMNS, find_planted_carriers, with_genes
from rehearsal.genomes.planted_variants import check_places, planted_targets
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.model import Block, PlantedVariant, Variant
from tests.unit.genomes.gene_model import CONTIG, two_genes


def simulate(block, people, plan, planted, demography, seed=1, mutation_rate=1.29e-8):
    settings = SimulationSettings(demography, mutation_rate, kappa=4.0, seed=seed)
    recombination = uniform_map(block.contig, 1e-8)
    bases = draw_reference(block, seed, with_planted([], planted))
    return simulate_block(block, people, plan, planted, settings, recombination, bases)


@pytest.fixture(scope="module")
def autosome(cohort, planted, demography):
    return simulate(Block("chr22", 20_000_000, 20_100_000), *cohort, planted, demography)


@pytest.fixture(scope="module")
def x_block(cohort, planted, demography):
    return simulate(Block("chrX", 12_880_000, 12_910_000), *cohort, planted, demography)


@pytest.fixture(scope="module")
def carriers(autosome, x_block, cohort, planted):
    both = [find_planted_carriers(ts, cohort[0], planted) for ts in (autosome, x_block)]
    return pd.concat(both).set_index("gene")


def copies_by_country(carriers: pd.DataFrame, gene: str, people: pd.DataFrame) -> dict[str, int]:
    country = people.set_index("id")["country"]
    found = carriers.loc[[gene]] if gene in carriers.index else carriers.iloc[:0]
    sums = found.groupby(found["individual"].map(country))["copies"].sum()
    return {code: int(sums.get(code, 0)) for code in people["country"].unique()}


# --- targets --------------------------------------------------------------------------------


@pytest.mark.parametrize("gene", ["DEL", "INS", "COMMON", "XFREQ"])
def test_every_country_has_exactly_the_copies_asked_for(carriers, cohort, planted, gene):
    (variant,) = [v for v in planted if v.gene == gene]
    found = copies_by_country(carriers, gene, cohort[0])
    assert found == planted_targets(variant, cohort[0], seed=1)
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


def test_carriers_of_a_variant_on_another_contig_are_not_looked_for(
    autosome, cohort, planted_by_frequency
):
    planted = planted_by_frequency(20_060_000, contig="chr1", others=0.1)
    assert find_planted_carriers(autosome, cohort[0], [planted]).empty


@pytest.mark.parametrize("frequency", [0.002, 0.02, 0.2, 0.6, 0.97, 1.0])
def test_any_frequency_is_exact_also_where_everybody_is_family(
    countries, demography, frequency, planted_by_frequency
):
    people, plan = plan_people(countries, {"ES": 30, "FI": 31, "IE": 3}, 1.0, [], seed=3)
    planted = [planted_by_frequency(1_000, others=frequency, FI=frequency / 2)]
    ts = simulate(Block("chr22", 0, 2_000), people, plan, planted, demography)
    found = find_planted_carriers(ts, people, planted).set_index("gene")
    assert copies_by_country(found, "GENE", people) == planted_targets(planted[0], people, seed=1)


def test_copies_that_no_founders_can_give_are_refused(countries, demography, planted_by_frequency):
    # Mother, father and two children: the mother's MT is in three people, the father's in one.
    rare = PlantedVariant(
        Variant("chr1", 5, "A", "G"), "R", "r", "rare", "rare", carriers=(("ES", "homozygous", 1),)
    )
    people, plan = plan_people(countries, {"ES": 4}, 1.0, [rare], seed=3)
    planted = [planted_by_frequency(1_000, contig="chrM", others=0.5)]
    with pytest.raises(InputError, match=r"GENE v1000 .*add up to exactly 2 copies, found no"):
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
    with pytest.raises(InputError, match=r"planted\.parquet: .* of RARE recessive.*, found none"):
        simulate(Block("chr22", 20_065_000, 20_075_000), people, without, planted, demography)


def test_two_planted_variants_at_one_place_are_refused():
    def snv_at(start):
        return PlantedVariant(Variant("chr1", start, "T", "C"), "G", "snv", "any", "any")

    deletion = PlantedVariant(Variant("chr1", 10, "ACT", "A"), "G", "del", "any", "any")
    with pytest.raises(InputError, match=r"G snv .*bases that no other.*, found bases of G del"):
        check_places([deletion, snv_at(12)])
    check_places([deletion, snv_at(13)])


def test_the_gene_in_which_a_variant_lies_is_named():
    rows = [("", "p", CONTIG, 150), ("", "intron", CONTIG, 1_250), ("", "outside", CONTIG, 900)]
    rows += [("", "elsewhere", "chr1", 150), ("GIVEN", "v", CONTIG, 150)]
    told = with_genes(pd.DataFrame(rows, columns=CARRIER_COLUMNS[:4]), two_genes())
    assert told["gene"].tolist() == ["A", "B", "", "", "GIVEN"]
