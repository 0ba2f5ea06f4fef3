"""The sums of a block agree with tskit's own statistics, and add up."""

from dataclasses import fields, replace
from itertools import pairwise

import msprime
import numpy as np
import pytest
import tskit

from rehearsal.model import Block
from rehearsal.realism.crossovers import count_crossovers
from rehearsal.realism.kinship import king_robust, kinship_by_kind
from rehearsal.realism.linkage import LINKAGE_DISTANCES, linkage_sums
from rehearsal.realism.measures import (
    BlockMeasures,
    block_measures,
    differences,
    join,
    no_measures,
    read_measures,
    write_measures,
)
from rehearsal.realism.sample_size import sample_sizes, sites_by_sample_size


@pytest.fixture(scope="module")
def measured(cohort):
    return {
        block.id: block_measures(cohort.trees[block.id], block, cohort.panel)
        for block in cohort.blocks
    }


@pytest.fixture(scope="module")
def autosome(cohort):
    block = cohort.blocks[0]
    return block, cohort.trees[block.id]


def nodes_of(ts, people):
    return [int(u) for i in people for u in ts.individual(i).nodes]


def country_nodes(ts, panel):
    return [
        nodes_of(ts, panel.members[panel.country == number]) for number in range(len(panel.codes))
    ]


def test_pairwise_differences_are_those_of_tskit(cohort, autosome, measured):
    block, ts = autosome
    sets = country_nodes(ts, cohort.panel)
    found = measured[block.id].differences
    within = ts.diversity(sets, span_normalise=False)
    between = ts.divergence([sets[0], sets[1]], span_normalise=False)
    # tskit tells third alleles apart.
    assert np.diag(found) == pytest.approx(within, rel=0.01)
    assert found[0, 1] == pytest.approx(between, rel=0.01)


def test_differences_on_x_count_a_man_once(cohort, measured):
    block = cohort.blocks[2]
    ts = cohort.trees[block.id]
    sets = country_nodes(ts, cohort.panel)
    assert len(sets[0]) < 2 * (cohort.panel.country == 0).sum()
    expected = ts.diversity(sets, span_normalise=False)
    assert measured[block.id].differences_x == pytest.approx(expected, rel=0.01)
    assert measured[block.id].bases == 0


def test_genotypes_of_a_person_are_counted(cohort, autosome, measured):
    block, ts = autosome
    person = cohort.panel.members[3]
    one, other = (ts.genotype_matrix(samples=nodes_of(ts, [person])) > 0).T
    assert measured[block.id].heterozygous[3] == (one != other).sum()
    # Sites at which nobody who is measured varies may have gone.
    assert measured[block.id].homozygous[3] <= (one & other).sum()


def test_homozygous_for_another_base_than_the_next_person_has(cohort, autosome, measured):
    block, ts = autosome
    person, following = cohort.panel.members[3:5]
    nodes = [*nodes_of(ts, [person]), nodes_of(ts, [following])[0]]
    one, other, reference = (ts.genotype_matrix(samples=nodes) > 0).T
    expected = ((one == other) & (one != reference)).sum()
    assert measured[block.id].homozygous_other[3] == expected


def test_the_spectrum_is_that_of_tskit(cohort, autosome, measured):
    block, ts = autosome
    nodes = nodes_of(ts, cohort.panel.members)
    expected = ts.allele_frequency_spectrum([nodes], polarised=True, span_normalise=False)
    found = measured[block.id].spectrum
    assert len(found) == len(expected)
    assert found[1:-1].sum() == pytest.approx(expected[1:-1].sum(), rel=0.01)
    assert found[1] == pytest.approx(expected[1], rel=0.02)
    assert found[1:-1].sum() == measured[block.id].sites


def test_transitions_are_twice_as_many_as_transversions_with_kappa_four(measured, cohort):
    sums = join(measured.values())
    assert 1.7 < sums.transitions / sums.transversions < 2.4


def test_relationship_is_that_of_standardised_genotypes(cohort, autosome, measured):
    block, ts = autosome
    haplotypes = ts.genotype_matrix(samples=nodes_of(ts, cohort.panel.members)) > 0
    p = haplotypes.mean(axis=1)
    common = np.minimum(p, 1 - p) >= 0.05
    genotypes, p = haplotypes[common][:, 0::2] + 1.0 * haplotypes[common][:, 1::2], p[common]
    z = (genotypes.T - 2 * p) / np.sqrt(2 * p * (1 - p))
    assert measured[block.id].common_sites == common.sum()
    assert measured[block.id].relationship == pytest.approx(z @ z.T, abs=0.01 * common.sum())


def test_measures_of_two_blocks_add_up(measured, cohort):
    parts = list(measured.values())
    total = join(parts)
    for field in fields(BlockMeasures):
        expected = sum(getattr(part, field.name) for part in parts)
        assert getattr(total, field.name) == pytest.approx(expected), field.name
    assert float(total.bases) == 400_000


def test_measures_of_different_panels_do_not_add_up(measured, cohort):
    part = next(iter(measured.values()))
    with pytest.raises(ValueError, match="different panels"):
        part + replace(part, spectrum=np.zeros(3))


def test_a_file_holds_the_measures_and_has_the_same_bytes_again(cohort, autosome, tmp_path):
    block, ts = autosome
    paths = [tmp_path / name for name in ("one.npz", "two.npz")]
    for path in paths:
        write_measures(block_measures(ts, block, cohort.panel), path)
    one, two = (path.read_bytes() for path in paths)
    assert one == two
    read = read_measures(paths[0])
    assert read.spectrum == pytest.approx(block_measures(ts, block, cohort.panel).spectrum)


def test_other_contigs_give_nothing(cohort, autosome):
    found = block_measures(autosome[1], Block("chrY", 0, 1000), cohort.panel)
    zeros = no_measures(cohort.panel)
    for field in fields(BlockMeasures):
        assert (getattr(found, field.name) == getattr(zeros, field.name)).all()


def test_differences_of_two_groups_by_hand():
    copies, haplotypes = np.array([[1.0, 4.0], [2.0, 0.0]]), np.array([4.0, 4.0])
    within = (2 * 1 * 3 + 2 * 2 * 2) / (4 * 3)
    assert differences(copies, haplotypes) == pytest.approx(np.array([[within, 1.25], [1.25, 0]]))


def test_linkage_is_the_squared_correlation_less_its_bias():
    rng = np.random.default_rng(3)
    genotypes = rng.integers(0, 3, (60, 40)).astype(np.int8)
    genotypes[30] = genotypes[29]
    positions = np.sort(rng.choice(40_000, 60, replace=False)).astype(float)
    sums, pairs = linkage_sums(genotypes, positions)
    squares = np.corrcoef(genotypes) ** 2
    apart = np.triu(positions[None, :] - positions[:, None])
    for index, distance in enumerate(LINKAGE_DISTANCES):
        close = (apart >= 0.9 * distance) & (apart < 1.1 * distance)
        assert pairs[index] == close.sum()
        assert sums[index] == pytest.approx(squares[close].sum() - close.sum() / 39, abs=1e-4)
    assert pairs[2] > 10


def test_sample_sizes_end_with_everybody():
    assert sample_sizes(7) == [7]
    assert sample_sizes(10) == [10]
    assert sample_sizes(1_000) == [10, 20, 50, 100, 200, 500, 1_000]
    assert sample_sizes(2_466)[-3:] == [1_000, 2_000, 2_466]


def test_sites_of_smaller_samples_are_those_of_their_people(cohort, autosome):
    _, ts = autosome
    sites, singletons = sites_by_sample_size(ts, cohort.panel.founders)
    for index, size in enumerate(sample_sizes(len(cohort.panel.founders))):
        nodes = nodes_of(ts, cohort.panel.founders[:size])
        spectrum = ts.allele_frequency_spectrum([nodes], polarised=True, span_normalise=False)
        assert sites[index] == pytest.approx(spectrum[1:-1].sum())
        assert singletons[index] == pytest.approx(spectrum[1])
    assert list(sites) == sorted(sites)


def family_trees(switches):
    """A parent with haplotypes 0 and 1, a child whose haplotype 2 changes between them there."""
    tables = tskit.TableCollection(100)
    parent, child = (tables.individuals.add_row() for _ in range(2))
    for individual, time in ((parent, 1), (parent, 1), (child, 0), (child, 0)):
        tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE, time=time, individual=individual)
    ends = [0, *switches, 100]
    for number, (left, right) in enumerate(pairwise(ends)):
        tables.edges.add_row(left, right, number % 2, 2)
    tables.sort()
    return tables.tree_sequence()


@pytest.mark.parametrize("switches", [[], [40], [10, 60, 90]])
def test_a_crossover_is_a_change_between_the_haplotypes_of_a_parent(switches):
    assert count_crossovers(family_trees(switches)) == (len(switches), 1)


def test_gametes_of_men_on_x_are_not_counted(cohort):
    ts = cohort.trees[cohort.blocks[2].id]
    children = cohort.people["mother"].notna().sum()
    assert count_crossovers(ts)[1] == children
    assert count_crossovers(cohort.trees[cohort.blocks[0].id])[1] == 2 * children


def test_kinship_follows_the_pedigree_when_there_is_much_sequence():
    """Mendel's rules at 4,000 independent sites: the estimator finds every degree."""
    rng = np.random.default_rng(7)
    frequency = rng.uniform(0.2, 0.8, 4_000)

    def founder():
        return rng.random((2, 4_000)) < frequency

    def child(*parents):
        pick = rng.integers(0, 2, (2, 4_000))
        return np.array(
            [np.take_along_axis(p, row[None], 0)[0] for p, row in zip(parents, pick, strict=True)]
        )

    grandparents, spouses = (founder(), founder()), (founder(), founder())
    one, two = child(*grandparents), child(*grandparents)
    cousins = child(one, spouses[0]), child(two, spouses[1])
    pairs = {0.25: (one, two), 0.0625: cousins, 0.0: spouses}
    for expected, pair in pairs.items():
        first, second = (person.sum(axis=0) for person in pair)
        sums = _pair_sums(first, second)
        assert king_robust(sums)[0] == pytest.approx(expected, abs=0.03)


def _pair_sums(first, second):
    class Sums:
        pair_both_heterozygous = np.array([((first == 1) & (second == 1)).sum()])
        pair_opposite = np.array([(np.abs(first - second) == 2).sum()])
        pair_heterozygous = np.array([[(first == 1).sum(), (second == 1).sum()]])

    return Sums()


def test_parents_and_children_share_half_in_every_block(cohort, measured):
    table = kinship_by_kind(join(measured.values()), cohort.panel)
    row = table.loc["parent and child"]
    assert row["mean"] == pytest.approx(0.25, abs=0.05)
    assert row["low"] < row["expected"] < row["high"]
    assert row["pairs"] == 100


def test_a_person_without_two_haplotypes_is_refused(cohort):
    ts = msprime.sim_ancestry(
        [msprime.SampleSet(len(cohort.people), ploidy=1)], ploidy=2, population_size=10,
        random_seed=1,
    )  # fmt: skip
    with pytest.raises(ValueError, match="2 haplotypes"):
        block_measures(ts, cohort.blocks[0], cohort.panel)
