"""One block of the genome: layout, diversity, inheritance, reproducible bytes."""

import msprime
import numpy as np
import pytest
import tskit

from rehearsal.errors import InputError
from rehearsal.files import content_digest
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.known_bases import with_planted
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.simulate import (
    SimulationSettings,
    index_edges,
    scale_sizes,
    simulate_block,
    write_trees,
)
from rehearsal.genomes.variant_classes import VariantClasses
from rehearsal.model import Block


@pytest.fixture(scope="module")
def simulate(cohort, demography):
    def run(
        contig,
        start=20_000_000,
        length=50_000,
        planted=(),
        seed=1,
        people=None,
        recombination=None,
        **changes,
    ):
        block = Block(contig, start, start + length)
        who = cohort[0] if people is None else people
        rates = {"mutation_rate": 1.29e-8, "kappa": 4.0}
        settings = SimulationSettings(demography, seed=seed, **(rates | changes))
        along = uniform_map(contig, 1e-8) if recombination is None else recombination
        bases = draw_reference(block, seed, with_planted([], planted))
        return simulate_block(block, who, cohort[1], planted, settings, along, bases)

    return run


def nodes_of(ts: tskit.TreeSequence, row: int) -> list[int]:
    return sorted(ts.individual(row).nodes.tolist())


def test_individual_i_is_row_i_and_population_names_are_country_codes(simulate, cohort):
    ts, people = simulate("chr22"), cohort[0]
    assert ts.num_individuals == len(people)
    population = ts.nodes_population[ts.samples()]
    names = [ts.population(p).metadata["name"] for p in population]
    assert names == np.repeat(people["country"].to_numpy(), 2).tolist()
    assert ts.nodes_individual[ts.samples()].tolist() == np.repeat(range(len(people)), 2).tolist()


def test_coordinates_are_those_of_the_contig_and_nothing_stands_outside_the_block(simulate):
    ts = simulate("chr22")
    assert ts.sequence_length == CONTIG_LENGTHS["chr22"]
    assert ts.edges_left.min() == 20_000_000 and ts.edges_right.max() == 20_050_000
    assert ((ts.sites_position >= 20_000_000) & (ts.sites_position < 20_050_000)).all()
    assert (ts.sites_position == np.floor(ts.sites_position)).all()
    assert ts.num_sites > 100
    own = {key: ts.metadata[key] for key in ("contig", "start", "end")}
    assert own == {"contig": "chr22", "start": 20_000_000, "end": 20_050_000}


def test_users_of_tskit_see_that_genomes_are_synthetic_and_who_the_people_are(simulate, cohort):
    ts, people = simulate("chr22"), cohort[0]
    assert ts.metadata["synthetic"] is True and "SYNTHETIC" in ts.metadata["description"]
    assert ts.metadata["assembly"] == "synthetic-GRCh38"
    assert ts.metadata_schema.schema["properties"]["synthetic"]["type"] == "boolean"
    shown = [individual.metadata for individual in ts.individuals()]
    assert shown == people[["id", "country", "sex"]].to_dict("records")
    assert set(ts.tables.individuals.metadata_schema.schema["properties"]) == set(shown[0])


def test_there_is_one_root_everywhere_in_the_block(simulate):
    ts = simulate("chr22")
    inside = [t.num_roots for t in ts.trees() if 20_000_000 <= t.interval.left < 20_050_000]
    assert len(inside) > 40
    assert set(inside) == {1}


def test_every_site_has_two_alleles_or_more_among_the_samples(simulate):
    ts = simulate("chr22", mutation_rate=3e-6, length=3_000)
    assert ts.num_mutations > 1.2 * ts.num_sites
    for variant in ts.variants():
        assert len(np.unique(variant.genotypes)) > 1
        assert len(set(variant.alleles)) == len(variant.alleles)


def test_a_mutation_above_the_common_ancestor_of_all_samples_makes_no_site(simulate):
    """Where crossovers have moved, a root may have one child only."""
    ts = simulate("chr22", mutation_rate=2e-6, recombination=uniform_map("chr22", 3e-7))
    alone = [t for t in ts.trees() if t.num_edges and t.num_children(t.root) == 1]
    assert len(alone) > 3
    assert min(len(np.unique(variant.genotypes)) for variant in ts.variants()) > 1


def test_the_index_of_edges_is_that_of_tskit():
    ts = msprime.sim_ancestry(
        20, population_size=1_000, sequence_length=10_000, recombination_rate=1e-6, random_seed=1
    )
    tables = ts.dump_tables()
    tables.sort()
    tables.build_index()
    expected = tables.indexes
    tables.drop_index()
    index_edges(tables)
    for name in ("edge_insertion_order", "edge_removal_order"):
        assert (getattr(tables.indexes, name) == getattr(expected, name)).all()


def test_transitions_are_about_twice_as_many_as_transversions(simulate):
    ts = simulate("chr22", length=400_000, classes=VariantClasses(cpg_factor=1))
    changes = [s.alleles for s in ts.sites() if s.alleles < set("ACGT") and len(s.alleles) == 2]
    transitions = sum(alleles in ({"A", "G"}, {"C", "T"}) for alleles in changes)
    assert 1.8 < transitions / (len(changes) - transitions) < 2.3


@pytest.mark.parametrize(
    ("contig", "women", "men"), [("chr22", 2, 2), ("chrX", 2, 1), ("chrY", 0, 1), ("chrM", 1, 1)]
)
def test_people_have_as_many_nodes_as_copies_on_every_contig(simulate, cohort, contig, women, men):
    ts = simulate(contig, start=0, length=10_000)
    copies = np.bincount(ts.nodes_individual[ts.samples()], minlength=len(cohort[0]))
    assert copies.tolist() == np.where(cohort[0]["sex"] == "female", women, men).tolist()


def inherited(ts: tskit.TreeSequence, child: int, parent: int) -> bool:
    """Whether the child's node descends from one of the parent's everywhere in the block."""
    ancestors = {}
    for tree in ts.trees():
        if tree.parent(child) != tskit.NULL:
            ancestors[tree.interval.left] = ts.node(tree.parent(child)).individual == parent
    return bool(ancestors) and all(ancestors.values())


def test_the_first_node_comes_from_the_mother_the_second_from_the_father(simulate, cohort):
    people = cohort[0]
    rows = {person: row for row, person in enumerate(people["id"])}
    children = people[people["father"].notna()].head(30)
    autosome, x, y, mt = (
        simulate(c, start=0, length=9_000) for c in ("chr22", "chrX", "chrY", "chrM")
    )
    for row, child in zip(children.index, children.itertuples(), strict=True):
        mother, father = rows[child.mother], rows[child.father]
        first, second = nodes_of(autosome, row)
        assert inherited(autosome, first, mother) and inherited(autosome, second, father)
        assert inherited(mt, *nodes_of(mt, row), mother)
        assert inherited(x, nodes_of(x, row)[0], mother)
        if child.sex == "male":
            assert len(nodes_of(x, row)) == 1
            assert inherited(y, *nodes_of(y, row), father)
        else:
            assert inherited(x, nodes_of(x, row)[1], father)


def test_x_has_three_quarters_of_the_diversity_of_an_autosome(demography, countries):
    people, plan = plan_people(countries, dict.fromkeys(("ES", "FI", "IE"), 20), 0, [], seed=1)
    diversity = {}
    for contig in ("chr22", "chrX", "chrM"):
        start, length = (0, 16_000) if contig == "chrM" else (20_000_000, 1_000_000)
        rate = 1.29e-8 if contig != "chrM" else 1e-7
        block = Block(contig, start, start + length)
        ts = simulate_block(
            *(block, people, plan, []),
            SimulationSettings(demography, rate, kappa=4.0, seed=2),
            uniform_map(contig, 4e-8),
            draw_reference(block, 2),
        )
        windows = [0, start, start + length, ts.sequence_length] if start else None
        pi = (
            ts.diversity(windows=windows, mode="branch")
            if windows
            else ts.diversity(windows=[0, length, ts.sequence_length], mode="branch")
        )
        diversity[contig] = pi[1] if start else pi[0]
    assert diversity["chrX"] / diversity["chr22"] == pytest.approx(0.75, rel=0.08)
    # Expected coalescence time of an autosome: 2 N generations, 4 N on two branches.
    assert diversity["chr22"] == pytest.approx(4 * 10_000, rel=0.15)


def test_sizes_are_scaled_in_every_epoch():
    model = msprime.Demography()
    model.add_population(name="A", initial_size=100, growth_rate=0.1)
    model.add_population_parameters_change(time=5, population="A", initial_size=40, growth_rate=0)
    model.add_population_parameters_change(time=9, population="A", growth_rate=0.2)
    scaled = scale_sizes(model, 0.75)
    assert scaled.populations[0].initial_size == 75
    assert [event.initial_size for event in scaled.events] == [30, None]
    assert model.populations[0].initial_size == 100


def test_relatives_share_across_the_border_of_two_blocks(simulate, cohort, planted):
    """This includes relatives whose gametes were chosen for a variant in one of the blocks."""
    people = cohort[0]
    starts = (20_040_000, 20_090_000)
    assert any(starts[0] <= v.variant.start < starts[1] and v.carriers for v in planted)
    left, right = (simulate("chr22", start=start, planted=planted) for start in starts)
    before, after = left.at(20_089_999), right.at(20_090_000)
    children = np.repeat(people["father"].notna().to_numpy(), 2)
    for node in np.flatnonzero(children):
        assert before.parent(node) == after.parent(node)


def test_same_seed_same_bytes(simulate, tmp_path, planted):
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        start = 20_000_000
        write_trees(simulate("chr22", start, 100_000, planted, seed), tmp_path / f"{name}.trees")
    digest = {n: content_digest(tmp_path / f"{n}.trees") for n in ("one", "again", "other")}
    assert digest["one"] == digest["again"] != digest["other"]
    ts = tskit.load(tmp_path / "one.trees")
    assert ts.num_provenances == 0
    assert set(ts.file_uuid) == {"0", "-"}


def test_a_demography_that_lacks_a_country_is_refused(simulate, cohort):
    people = cohort[0].replace({"population": {"FI": "XX"}})
    with pytest.raises(InputError, match=r"^demography: XX: expected a deme .*, found none$"):
        simulate("chr22", people=people)


def test_a_contig_that_nobody_has_is_refused(countries, demography):
    people, plan = plan_people(countries, {"FI": 30}, 0, [], seed=1)
    women = people[people["sex"] == "female"].reset_index(drop=True)
    with pytest.raises(InputError, match="contigs that people in the cohort have, found chrY"):
        simulate_block(
            *(Block("chrY", 0, 1_000), women, plan, []),
            SimulationSettings(demography, mutation_rate=1e-8, kappa=4.0, seed=1),
            uniform_map("chrY", 0),
            "A" * 1_000,
        )


def test_a_map_that_ends_before_the_block_is_refused(simulate):
    with pytest.raises(InputError, match="a map that covers the block chr22:20000000-20050000"):
        simulate("chr22", recombination=msprime.RateMap.uniform(20_040_000, 1e-8))


def test_a_cohort_without_families_is_founders_only(countries, demography):
    people, plan = plan_people(countries, {"FI": 10}, 0, [], seed=1)
    ts = simulate_block(
        *(Block("chrM", 0, 16_569), people, plan, []),
        SimulationSettings(demography, mutation_rate=1e-7, kappa=4.0, seed=1),
        uniform_map("chrM", 0),
        draw_reference(Block("chrM", 0, 16_569), 1),
    )
    assert ts.num_samples == 10
    assert set(ts.nodes_time[ts.samples()]) == {0}
