"""Ancestry: valid trees, crossovers where the map says, agreement with theory and with msprime."""

import demes
import msprime
import numpy as np
import pytest
from scipy import stats

from rehearsal.demography.model import to_msprime
from rehearsal.genomes import ancestry
from rehearsal.genomes.ancestry import as_trees, simulate_ancestry
from rehearsal.genomes.recombination import uniform_map

ONE_COUNTRY = {"demes": [{"name": "A", "epochs": [{"start_size": 1_000}]}]}
EVENTS = {  # a split, a pulse, growth, a bottleneck and migration within the recent generations
    "demes": [
        {"name": "old", "epochs": [{"start_size": 3_000, "end_time": 60}]},
        {
            "name": "A",
            "ancestors": ["old"],
            "epochs": [
                {"start_size": 2_000, "end_time": 20},
                {"start_size": 200, "end_time": 15},
                {"start_size": 500, "end_size": 5_000, "end_time": 0},
            ],
        },
        {"name": "B", "ancestors": ["old"], "epochs": [{"start_size": 1_500}]},
        {"name": "C", "ancestors": ["B"], "start_time": 30, "epochs": [{"start_size": 1_000}]},
    ],
    "migrations": [{"demes": ["A", "B"], "rate": 0.01, "start_time": 50}],
    "pulses": [{"sources": ["A"], "dest": "C", "proportions": [0.4], "time": 10}],
}
NO_MIGRATION = {
    "demes": [
        {"name": "old", "epochs": [{"start_size": 500, "end_time": 300}]},
        {"name": "A", "ancestors": ["old"], "epochs": [{"start_size": 400}]},
        {"name": "B", "ancestors": ["old"], "epochs": [{"start_size": 400}]},
    ]
}


def model(content):
    return demes.Graph.fromdict({"time_units": "generations", **content})


def simulate(content, samples, length, rate, seed, time=0):
    """Simulate haplotypes, numbers by deme, as a tree sequence."""
    graph = model(content)
    names = [deme.name for deme in graph.demes]
    sample_demes = np.repeat([names.index(name) for name in samples], list(samples.values()))
    along = rate if isinstance(rate, msprime.RateMap) else msprime.RateMap.uniform(length, rate)
    found = simulate_ancestry(sample_demes, time, graph, along, seed)
    return as_trees(found, len(sample_demes), length)


@pytest.mark.parametrize("content", [ONE_COUNTRY, EVENTS])
@pytest.mark.parametrize(("length", "rate"), [(1, 0), (2_000, 0), (3_000, 1e-6), (2_000, 1e-4)])
def test_every_base_has_one_root_above_all_samples_and_no_branch_without(content, length, rate):
    for seed in range(2):
        ts = simulate(content, {"A": 20}, length, rate, seed, time=2)
        assert {tree.num_roots for tree in ts.trees()} == {1}
        assert {tree.num_samples(tree.root) for tree in ts.trees()} == {20}
        assert min(tree.num_children(tree.root) for tree in ts.trees()) > 1
        alive = ts.simplify(keep_unary=True)
        spans = [(one.edges_right - one.edges_left).sum() for one in (ts, alive)]
        assert spans[0] == spans[1]
        assert alive.num_nodes == ts.num_nodes
        assert not (ts.breakpoints(as_array=True) % 1).any()


def test_one_sample_is_its_own_root():
    ts = simulate(ONE_COUNTRY, {"A": 1}, 1_000, 1e-6, seed=1)
    assert (ts.num_nodes, ts.num_edges) == (1, 0)


def pairs(content, samples, seeds, **options):
    """Half the mean pairwise branch length of independent loci."""
    trees = [simulate(content, samples, 1, 0, seed, **options) for seed in seeds]
    return np.array([ts.diversity(mode="branch") / 2 for ts in trees])


def test_two_haplotypes_of_a_constant_population_meet_after_2n_generations():
    times = pairs(ONE_COUNTRY, {"A": 2}, range(100))
    assert times.mean() == pytest.approx(2_000, abs=4 * 2_000 / np.sqrt(len(times)))
    assert stats.kstest(times, stats.expon(scale=2_000).cdf).pvalue > 1e-3


def test_samples_of_countries_without_migration_meet_before_the_split():
    ts = simulate(NO_MIGRATION, {"A": 5, "B": 5}, 20_000, 1e-6, seed=1)
    time = ts.nodes_time
    for tree in ts.trees():
        for one in range(5):
            assert time[tree.mrca(one, 5)] > 300
    within = [time[tree.mrca(0, other)] for tree in ts.trees() for other in range(1, 5)]
    assert min(within) < 300


def test_crossovers_fall_where_the_map_says_and_at_any_base():
    along = msprime.RateMap(position=[0, 4_000, 6_000, 10_000], rate=[1e-6, 0, 5e-6])
    ts = simulate(ONE_COUNTRY, {"A": 40}, 10_000, along, seed=1)
    places = ts.breakpoints(as_array=True)[1:-1].astype(int)
    assert not ((places > 4_000) & (places < 6_000)).any()
    assert (places < 4_000).sum() < (places > 6_000).sum()
    many = simulate(ONE_COUNTRY, {"A": 40}, 20_000, 5e-6, seed=2)
    places = many.breakpoints(as_array=True)[1:-1].astype(int)
    assert len(places) > 1_000
    assert stats.chisquare(np.bincount(places % 10, minlength=10)).pvalue > 1e-3


def test_the_same_seed_gives_the_same_ancestry_and_another_one_another():
    one, again, other = (
        simulate(EVENTS, {"A": 30, "C": 30}, 10_000, 1e-6, seed) for seed in (1, 1, 2)
    )
    assert one.equals(again, ignore_provenance=True)
    assert not one.equals(other, ignore_provenance=True)


def test_sizes_are_scaled_in_every_epoch():
    graph, along = model(EVENTS), msprime.RateMap.uniform(1, 0)
    times = [
        simulate_ancestry(np.array([1, 1]), 0, graph, along, seed, size_factor=0.01).time.max()
        for seed in range(20)
    ]
    assert max(times) < 1_000


def ours_and_dtwf(content, samples, length, rate, repeats):
    """Replicates of this module and of msprime with a Wright-Fisher model for 150 generations."""
    demography = to_msprime(model(content))
    for seed in range(1, repeats + 1):
        theirs = msprime.sim_ancestry(
            {name: number // 2 for name, number in samples.items()},
            demography=demography,
            sequence_length=length,
            recombination_rate=rate,
            random_seed=seed,
            model=[
                msprime.DiscreteTimeWrightFisher(duration=150),
                msprime.StandardCoalescent(),
            ],
        )
        yield simulate(content, samples, length, rate, seed), theirs


def shared(ts, within, between):
    """Bases of all pairs in segments by descent of at least a centimorgan."""
    return ts.ibd_segments(within=within, between=between, min_span=100_000).total_span


def measures(ts):
    """Diversity and divergence, trees, branches by class of count, shared segments."""
    a = np.flatnonzero(ts.nodes_population[ts.samples()] == 1)
    c = np.setdiff1d(ts.samples(), a)
    spectrum = ts.allele_frequency_spectrum(mode="branch", polarised=True)
    whole = ts.simplify()  # so that both have the same nodes
    return [
        ts.diversity([a, c], mode="branch")[0],
        ts.divergence([a, c], mode="branch"),
        whole.num_trees,
        spectrum[1],
        spectrum[2],
        spectrum[3:11].sum(),
        spectrum[11:].sum(),
        shared(whole, a, None),
        shared(whole, None, [a, c]),
    ]


def test_it_agrees_with_wright_fisher_msprime_with_splits_pulses_growth_and_migration():
    both = ours_and_dtwf(EVENTS, {"A": 20, "C": 20}, 400_000, 1e-7, 20)
    ours, theirs = np.array([[measures(ts) for ts in pair] for pair in both]).swapaxes(0, 1)
    found = stats.ttest_ind(ours, theirs, equal_var=False).pvalue
    assert found.min() > 1e-3, found
    assert (theirs.mean(axis=0) > 0).all()


def test_continuous_time_goes_on_where_generations_end(monkeypatch):
    """The later the change, the same the times: here against generations alone."""
    samples = {"A": 30}
    soon = pairs(EVENTS, samples, range(30))
    monkeypatch.setattr(ancestry, "LEAST_GENERATIONS", 10**6)
    late = pairs(EVENTS, samples, range(1_000, 1_008))
    assert stats.ttest_ind(soon, late, equal_var=False).pvalue > 1e-3


def test_samples_that_have_no_common_ancestors_are_refused():
    apart = {"demes": [{"name": name, "epochs": [{"start_size": 100}]} for name in "AB"]}
    with pytest.raises(ValueError, match="common ancestors"):
        simulate(apart, {"A": 2, "B": 2}, 100, 0, seed=1)


def test_the_map_of_a_contig_is_used_from_its_first_base():
    own = uniform_map("chr22", 1e-8).slice(20_000_000, 20_001_000, trim=True)
    ts = simulate(ONE_COUNTRY, {"A": 10}, 1_000, own, seed=1)
    assert ts.sequence_length == 1_000 and ts.num_trees < 10
