"""Crossovers at any base: valid ancestries, no trace of points, agreement with plain msprime."""

import msprime
import numpy as np
import pytest
import tskit
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rehearsal.errors import InputError
from rehearsal.genomes.ancestry import Ancestry
from rehearsal.genomes.crossover_points import draw_points, spread_crossovers
from rehearsal.genomes.hotspots import Hotspots, hotspot_map
from rehearsal.genomes.recombination import uniform_map
from rehearsal.model import Block

BLOCK = Block("chr22", 20_000_000, 20_400_000)
HOTSPOTS = Hotspots(0.7, 60_000, 1_500, 1.6, 250_000, 0.5)
UNIFORM = uniform_map("chr22", 1e-8)
TWO = [msprime.SampleSet(10, ploidy=2), msprime.SampleSet(3, ploidy=1, time=2)]


def ancestry(block, contig_map, seed, samples=10, size=10_000):
    points = draw_points(block, contig_map, seed)
    return points, msprime.sim_ancestry(
        samples,
        population_size=size,
        recombination_rate=points.concentrated(),
        coalescing_segments_only=False,
        ploidy=2,
        random_seed=seed,
    )


def spread(points, ts, seed):
    tables = ts.dump_tables()
    left, right, parent, child = spread_crossovers(Ancestry.of(ts), points, seed)
    tables.edges.set_columns(left=left, right=right, parent=parent, child=child)
    tables.sort()
    return tables.tree_sequence()


def plain(block, contig_map, seed, samples=10, size=10_000):
    return msprime.sim_ancestry(
        samples,
        population_size=size,
        recombination_rate=contig_map.slice(block.start, block.end, trim=True),
        random_seed=seed,
    )


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(1, 10**6),
    length=st.integers(2, 30_000),
    size=st.sampled_from([100, 10_000]),
    rate=st.sampled_from([1e-8, 1e-7]),
)
def test_every_base_has_one_root_and_no_branch_without_samples(seed, length, size, rate):
    block = Block("chr22", 20_000_000, 20_000_000 + length)
    ts = spread(*ancestry(block, uniform_map("chr22", rate), seed, TWO, size), seed)
    assert {tree.num_roots for tree in ts.trees()} == {1}
    alive = ts.simplify(keep_unary=True)
    assert alive.num_edges == ts.num_edges
    assert (alive.edges_right - alive.edges_left).sum() == (ts.edges_right - ts.edges_left).sum()
    assert not (ts.breakpoints(as_array=True) % 1).any()


def test_trees_between_two_intervals_stay_as_they_were():
    points, before = ancestry(BLOCK, UNIFORM, 1)
    after = spread(points, before, 1)
    assert after.num_trees > 1.5 * before.num_trees
    for border in points.edges[1:]:
        one, other = before.at(border - 1), after.at(border - 1)
        assert (one.parent_array == other.parent_array).all()


def test_points_have_little_mass_few_bases_and_no_grid():
    points = draw_points(BLOCK, hotspot_map("chr22", 1e-8, HOTSPOTS, 1), 1)
    assert np.diff(points.mass).max() <= 2 * 1.5e-5 * 1.0001
    assert np.diff(points.edges).max() <= 6_000
    assert (points.edges[0], points.edges[-1]) == (1, BLOCK.length)
    assert points.concentrated().total_mass == pytest.approx(points.mass[-1], abs=1e-7)
    other = draw_points(BLOCK, hotspot_map("chr22", 1e-8, HOTSPOTS, 1), 2)
    assert len(np.intersect1d(points.edges, other.edges)) < 30


def test_a_map_that_does_not_cover_the_block_is_refused():
    with pytest.raises(InputError, match=r"chr22: expected a map that covers the block chr22:20"):
        draw_points(BLOCK, msprime.RateMap.uniform(20_040_000, 1e-8), 1)


def test_the_same_seed_gives_the_same_edges_and_another_one_others():
    points, ts = ancestry(BLOCK, UNIFORM, 1)
    one, again, other = (
        np.stack(spread_crossovers(Ancestry.of(ts), points, seed)) for seed in (1, 1, 2)
    )
    assert (one == again).all()
    assert one.shape != other.shape or (one != other).any()


def test_nothing_changes_without_recombination():
    points, ts = ancestry(BLOCK, uniform_map("chr22", 0.0), 1)
    assert spread(points, ts, 1).equals(ts, ignore_provenance=True)


@pytest.fixture(scope="module")
def both():
    """Sixteen replicates of a block with crossovers spread, and sixteen of plain msprime."""
    seeds = range(1, 17)
    return (
        [spread(*ancestry(BLOCK, UNIFORM, seed, 60), seed) for seed in seeds],
        [plain(BLOCK, UNIFORM, 100 + seed, 60) for seed in seeds],
    )


def test_breakpoints_are_uniform_within_every_kilobase(both):
    places = np.concatenate([ts.breakpoints(as_array=True)[1:-1] for ts in both[0]])
    counts = np.bincount((places % 1000).astype(int) // 50, minlength=20)
    assert counts.sum() > 5_000
    assert stats.chisquare(counts).pvalue > 1e-3


def four_gametes(ts: tskit.TreeSequence, least, most, seed):
    """Shares of pairs of common sites with all four gametes: across a bin's middle, and within."""
    ts = msprime.sim_mutations(ts, rate=2e-8, random_seed=seed, model=msprime.BinaryMutationModel())
    genotypes, position = ts.genotype_matrix(), ts.sites_position
    common = np.abs(genotypes.mean(axis=1) - 0.5) <= 0.4
    genotypes, position = genotypes[common], position[common]
    one, other = np.triu_indices(len(position), 1)
    near = (position[other] - position[one] >= least) & (position[other] - position[one] < most)
    one, other = one[near], other[near]
    kinds = 2 * genotypes[one] + genotypes[other]
    four = np.all([(kinds == kind).any(axis=1) for kind in range(4)], axis=0)
    across = (position[one] - 500) // 1000 != (position[other] - 500) // 1000
    return four[across].mean(), four[~across].mean()


def test_four_gametes_are_as_frequent_as_in_plain_msprime_wherever_two_sites_stand(both):
    spread_shares, plain_shares = (
        np.array([four_gametes(ts, 300, 500, seed) for seed, ts in enumerate(group, start=1)])
        for group in both
    )
    across, within = spread_shares.T
    assert stats.ttest_rel(across, within).pvalue > 1e-3
    assert stats.ttest_ind(spread_shares.mean(1), plain_shares.mean(1)).pvalue > 1e-3
    assert 0.02 < within.mean() < 0.2


def test_diversity_trees_and_edges_are_as_many_as_in_plain_msprime(both):
    for measure in (
        lambda ts: ts.diversity(mode="branch"),
        lambda ts: ts.num_trees,
        lambda ts: ts.segregating_sites(mode="branch"),
    ):
        ours, theirs = ([measure(ts) for ts in group] for group in both)
        assert stats.ttest_ind(ours, theirs).pvalue > 1e-3
    assert np.mean([ts.num_edges for ts in both[0]]) < np.mean([ts.num_edges for ts in both[1]])


def test_a_block_of_one_base_has_no_crossover():
    block = Block("chr22", 20_000_000, 20_000_001)
    points, ts = ancestry(block, UNIFORM, seed=1)
    assert spread(points, ts, seed=1).num_trees == 1
