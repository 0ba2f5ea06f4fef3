"""Causal sites, their allotment to blocks, and genetic values."""

import dataclasses

import msprime
import numpy as np
import pandas as pd
import pytest
import tskit
import tstrait
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.genomes.structural import SITE_SCHEMA
from rehearsal.model import Block
from rehearsal.phenotypes.genetic_values import (
    TargetValue,
    allot_causal_sites,
    block_genetic_values,
    causal_sites,
    genetic_values_of_block,
    join_blocks,
)
from rehearsal.phenotypes.standard_values import standardise
from rehearsal.phenotypes.trait_types import Disease, Genetics

BLOCK = Block("chr22", 0, 200_000)


@pytest.fixture(scope="module")
def ts():
    """Simulate 60 people at a rate at which many sites mutate more than once."""
    ancestry = msprime.sim_ancestry(
        60, population_size=1e4, sequence_length=BLOCK.end, recombination_rate=1e-8, random_seed=3
    )
    return msprime.sim_mutations(ancestry, rate=2e-7, model=msprime.HKY(4), random_seed=4)


def test_structural_variants_are_not_causal(ts):
    tables = ts.dump_tables()
    metadata = [{"end": int(place) + 80, "svlen": 79} for place in ts.sites_position]
    tables.sites.metadata_schema = SITE_SCHEMA
    tables.sites.packset_metadata([SITE_SCHEMA.validate_and_encode_row(row) for row in metadata])
    assert causal_sites(ts, 5, 0.05, seed=1).size == 5
    assert causal_sites(tables.tree_sequence(), 5, 0.05, seed=1).size == 0


@settings(deadline=None)  # other work on the machine is no failure
@given(
    st.lists(st.tuples(st.sampled_from(["chr1", "chr7", "chrX"]), st.integers(1, 10**7)),
             min_size=1, max_size=30),
    st.integers(0, 5000),
)  # fmt: skip
def test_allotted_sites_add_up_and_keep_to_the_share_of_length(lengths, number):
    starts = np.cumsum([0] + [length for _, length in lengths])
    blocks = [
        Block(contig, int(start), int(start) + length)
        for (contig, length), start in zip(lengths, starts, strict=False)
    ]
    allotted = allot_causal_sites(blocks, number)
    autosomal = [block for block in blocks if block.contig != "chrX"]
    total = sum(block.length for block in autosomal)
    assert all(allotted[block] == 0 for block in blocks if block.contig == "chrX")
    assert sum(allotted.values()) == (number if autosomal else 0)
    for block in autosomal:
        assert abs(allotted[block] - number * block.length / total) < 1
    assert allot_causal_sites(blocks[::-1], number) == allotted


def test_causal_sites_are_common_and_have_one_alternate_allele(ts):
    sites = causal_sites(ts, 100_000, minimum_frequency=0.1, seed=1)
    expected = [
        variant.site.id
        for variant in ts.variants()
        if len({mutation.derived_state for mutation in variant.site.mutations}) == 1
        and variant.site.ancestral_state
        not in {mutation.derived_state for mutation in variant.site.mutations}
        and 0.1 <= np.mean(variant.genotypes > 0) <= 0.9
    ]
    assert 20 < len(expected) < ts.num_sites / 2
    assert sites.tolist() == expected


def test_the_minimum_frequency_itself_is_included():
    tables = msprime.sim_ancestry(10, sequence_length=10, random_seed=1).dump_tables()
    site = tables.sites.add_row(5, "A")
    for node in (0, 1):  # 2 of 20 samples, by two mutations to the same allele
        tables.mutations.add_row(site, node, "G")
    ts = tables.tree_sequence()
    assert causal_sites(ts, 1, minimum_frequency=0.1, seed=1).tolist() == [0]
    assert causal_sites(ts, 1, minimum_frequency=0.11, seed=1).tolist() == []


def test_the_asked_number_is_drawn_by_the_seed(ts):
    first = causal_sites(ts, 20, 0.05, seed=1)
    assert len(set(first)) == 20
    assert first.tolist() == causal_sites(ts, 20, 0.05, seed=1).tolist()
    assert first.tolist() != causal_sites(ts, 20, 0.05, seed=2).tolist()


def test_no_sites_no_causal_sites():
    ts = msprime.sim_ancestry(5, sequence_length=100, random_seed=1)
    assert causal_sites(ts, 5, 0.01, seed=1).size == 0


def test_a_genetic_value_is_the_sum_of_effects_times_copies(ts, traits):
    effects, values = block_genetic_values(ts, BLOCK, traits.measurements[0], 15, seed=1)
    assert len(effects) == 15
    expected = np.zeros(ts.num_individuals)
    by_position = {int(variant.site.position): variant for variant in ts.variants(copy=True)}
    for row in effects.itertuples():
        variant = by_position[row.start]
        assert variant.alleles[:2] == (row.ref, row.alt)
        expected += row.effect * (variant.genotypes > 0).reshape(-1, 2).sum(axis=1)
    np.testing.assert_allclose(values, expected, atol=1e-12)


def test_genetic_values_are_those_of_tstrait(ts, traits):
    effects, values = block_genetic_values(ts, BLOCK, traits.measurements[0], 15, seed=1)
    site_of = {int(position): site for site, position in enumerate(ts.sites_position)}
    frame = pd.DataFrame(
        {
            "site_id": [site_of[start] for start in effects["start"]],
            "effect_size": effects["effect"],
            "causal_allele": effects["alt"],
            "trait_id": 0,
        }
    )
    expected = tstrait.genetic_value(ts, frame)["genetic_value"]
    np.testing.assert_allclose(values, expected, atol=1e-12)


def test_rarer_alleles_have_larger_effects_where_asked(ts, traits):
    trait = traits.measurements[0]
    steep = dataclasses.replace(trait.genetics, frequency_dependence=-1.0, minimum_frequency=0.01)
    flat, _ = block_genetic_values(ts, BLOCK, trait, 50, seed=1)
    scaled, _ = block_genetic_values(
        ts, BLOCK, dataclasses.replace(trait, genetics=steep), 50, seed=1
    )
    assert flat["start"].tolist() == scaled["start"].tolist()
    frequency = {
        int(variant.site.position): np.mean(variant.genotypes > 0) for variant in ts.variants()
    }
    p = scaled["start"].map(frequency)
    np.testing.assert_allclose(scaled["effect"] / flat["effect"], (2 * p * (1 - p)) ** -0.5)


def test_a_block_without_causal_sites_adds_nothing(ts, traits):
    effects, values = block_genetic_values(ts, BLOCK, traits.measurements[0], 0, seed=1)
    assert len(effects) == 0
    assert values.tolist() == [0.0] * ts.num_individuals


def all_in_the_blocks(traits):
    """The same traits as if all of their causal sites lay in the simulated blocks."""

    def kept(trait):
        if trait.genetics is None:
            return trait
        genetics = dataclasses.replace(trait.genetics, simulated_share=1.0)
        return dataclasses.replace(trait, genetics=genetics)

    return dataclasses.replace(
        traits,
        measurements=tuple(map(kept, traits.measurements)),
        diseases=tuple(map(kept, traits.diseases)),
    )


def test_blocks_join_to_their_sum_and_draw_different_sites(ts, traits):
    traits = all_in_the_blocks(traits)
    blocks = [BLOCK, Block("chr21", 0, 200_000), Block("chrX", 0, 200_000)]
    parts = [genetic_values_of_block(ts, block, traits, blocks, seed=1) for block in blocks]
    joined = join_blocks(parts, blocks)
    assert len(joined.effects) == 20  # ten sites of each of two traits
    assert parts[2].values.abs().to_numpy().sum() == 0
    np.testing.assert_allclose(joined.values, parts[0].values + parts[1].values)
    assert set(parts[0].effects["start"]) != set(parts[1].effects["start"])


def test_standardised_over_everybody_with_effects_on_the_same_scale(ts, traits):
    traits, blocks = all_in_the_blocks(traits), [BLOCK]
    raw = genetic_values_of_block(ts, BLOCK, traits, blocks, seed=1)
    standard = standardise(raw, traits, {})
    assert set(standard.values) == {"level", "common_disease"}
    for values in standard.values.values():
        np.testing.assert_allclose((values.mean(), values.std()), (0, 1), atol=1e-12)
    of_level = standard.effects.query("trait == 'level'")
    dosage = {
        int(variant.site.position): (variant.genotypes > 0).reshape(-1, 2).sum(axis=1)
        for variant in ts.variants()
    }
    score = sum(row.effect * dosage[row.start] for row in of_level.itertuples())
    difference = score - standard.values["level"]
    np.testing.assert_allclose(difference, difference[0])  # the same constant for everybody


def test_a_trait_without_any_causal_site_is_the_same_in_everybody(ts, traits, capsys):
    blocks = [Block("chrX", 0, 200_000)]
    raw = genetic_values_of_block(ts, blocks[0], traits, blocks, seed=1)
    standard = standardise(raw, traits, {})
    assert not standard.values["level"].any()
    assert standard.effects.empty
    assert "level: no causal site at which people differ" in capsys.readouterr().out


def test_individuals_need_not_own_neighbouring_nodes():
    """The order of individuals counts, not that of nodes."""
    tables = tskit.TableCollection(10)
    first, second = tables.individuals.add_row(), tables.individuals.add_row()
    for owner in (first, second, first, second):
        tables.nodes.add_row(tskit.NODE_IS_SAMPLE, 0, individual=owner)
    root = tables.nodes.add_row(0, 1)
    for child in range(4):
        tables.edges.add_row(0, 10, root, child)
    site = tables.sites.add_row(3, "A")
    tables.mutations.add_row(site, 0, "T")
    tables.mutations.add_row(site, 2, "T")
    tables.sort()
    ts = tables.tree_sequence()
    trait = _trait(minimum_frequency=0.1)
    effects, values = block_genetic_values(ts, Block("chr1", 0, 10), trait, 1, seed=1)
    np.testing.assert_allclose(values, [2 * effects["effect"][0], 0])


def test_parents_who_are_sampled_count_beside_their_children():
    """In families the parents are samples too, and internal nodes of the trees."""
    tables = tskit.TableCollection(10)
    parent, child = tables.individuals.add_row(), tables.individuals.add_row()
    for owner, time in ((parent, 1), (parent, 1), (child, 0), (child, 0)):
        tables.nodes.add_row(tskit.NODE_IS_SAMPLE, time, individual=owner)
    root = tables.nodes.add_row(0, 2)
    for above, below in ((root, 0), (root, 1), (0, 2), (root, 3)):
        tables.edges.add_row(0, 10, above, below)
    tables.sort()
    site = tables.sites.add_row(3, "A")
    tables.mutations.add_row(site, 0, "T")  # of the parent's first copy, handed down
    ts = tables.tree_sequence()
    assert causal_sites(ts, 1, minimum_frequency=0.5, seed=1).tolist() == [0]
    trait = _trait(minimum_frequency=0.5)
    effects, values = block_genetic_values(ts, Block("chr1", 0, 10), trait, 1, seed=1)
    np.testing.assert_allclose(values, np.repeat(effects["effect"][0], 2))


def _trait(minimum_frequency):
    genetics = Genetics(0.5, 1, minimum_frequency, 0.0)
    return Disease("d", "X:1", "D", "MONDO:0000003", "D", {}, genetics, {}, (), ())


@pytest.mark.parametrize("value", [2.4, -1.5])
def test_somebodys_value_is_brought_to_what_a_story_wants(traits, value):
    """This holds over blocks of different lengths, and only signs of effects change."""
    blocks = [Block("chr1", 0, 300_000), Block("chr2", 0, 100_000)]
    trees = {
        block: msprime.sim_mutations(
            msprime.sim_ancestry(
                150,
                population_size=1e4,
                sequence_length=block.end,
                recombination_rate=1e-7,
                random_seed=7 + number,
            ),
            rate=2e-7,
            random_seed=3,
        )
        for number, block in enumerate(blocks)
    }
    disease = traits.diseases[0]
    genetics = dataclasses.replace(disease.genetics, causal_sites=60, simulated_share=1.0)
    trait = dataclasses.replace(disease, genetics=genetics)
    traits = dataclasses.replace(traits, measurements=(), diseases=(trait,))

    def run(target):
        parts = [
            genetic_values_of_block(trees[block], block, traits, blocks, 1, target)
            for block in blocks
        ]
        return standardise(join_blocks(parts, blocks), traits, {})

    free, bound = run(None), run({trait.name: TargetValue(20, value)})
    reached = bound.values[trait.name][20]
    assert np.sign(value) * reached >= abs(value) - 0.4
    assert abs(reached) < 4
    scale = bound.effects["effect"].abs() / free.effects["effect"].abs()
    assert scale.std() < 1e-9  # sizes as drawn, up to the one factor of standardising
    assert (bound.effects["effect"] * free.effects["effect"] < 0).any()
