"""Ancestry: valid trees, crossovers where the map says, agreement with theory and with msprime."""

import demes
import msprime
import numpy as np
import pytest
import tskit
from scipy import stats

from rehearsal.demography.model import to_msprime
from rehearsal.genomes import recent_generations
from rehearsal.genomes.ancestry import hand_over, simulate_ancestry
from rehearsal.genomes.recent_generations import Lineages, simulate_recent_generations

ONE_COUNTRY = {"demes": [{"name": "A", "epochs": [{"start_size": 1_000}]}]}
EVENTS = {  # splits, a pulse, growth, a bottleneck and migration within the recent generations
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
        {
            "name": "D",
            "ancestors": ["B", "A"],
            "proportions": [0.3, 0.7],
            "start_time": 25,
            "epochs": [{"start_size": 1_000}],
        },
    ],
    "migrations": [{"demes": ["A", "B"], "rate": 0.01, "start_time": 50}],
    "pulses": [{"sources": ["A"], "dest": "C", "proportions": [0.4], "time": 10}],
}
APART = {
    "demes": [
        {"name": "old", "epochs": [{"start_size": 500, "end_time": 300}]},
        {"name": "A", "ancestors": ["old"], "epochs": [{"start_size": 400}]},
        {"name": "B", "ancestors": ["old"], "epochs": [{"start_size": 400}]},
    ]
}


def model(content):
    return to_msprime(demes.Graph.fromdict({"time_units": "generations", **content}))


def along(length, rate):
    return rate if isinstance(rate, msprime.RateMap) else msprime.RateMap.uniform(length, rate)


def simulate(content, samples, length, rate, seed, time=0):
    """Simulate haplotypes, numbers by deme, as a tree sequence."""
    demography = model(content)
    populations = np.repeat([demography[name].id for name in samples], list(samples.values()))
    found = simulate_ancestry(populations, time, demography, along(length, rate), seed)
    tables = tskit.TableCollection(length)
    tables.time_units = "generations"
    demography.insert_populations(tables)
    flags = np.zeros(len(found.time), np.uint32)
    flags[: len(populations)] = tskit.NODE_IS_SAMPLE
    tables.nodes.set_columns(flags=flags, time=found.time, population=found.population)
    tables.edges.set_columns(
        left=found.left, right=found.right, parent=found.parent, child=found.child
    )
    tables.sort()
    return tables.tree_sequence()


@pytest.mark.parametrize("content", [ONE_COUNTRY, EVENTS])
@pytest.mark.parametrize(("length", "rate"), [(2, 0), (2_000, 0), (3_000, 1e-6), (2_000, 1e-4)])
@pytest.mark.parametrize("samples", [20, 150])
def test_every_base_has_one_root_above_all_samples_and_no_branch_without(
    content, length, rate, samples
):
    ts = simulate(content, {"A": samples}, length, rate, seed=1, time=2)
    assert {tree.num_roots for tree in ts.trees()} == {1}
    assert {tree.num_samples(tree.root) for tree in ts.trees()} == {samples}
    assert min(tree.num_children(tree.root) for tree in ts.trees()) > 1
    alive = ts.simplify(keep_unary=True)
    spans = [(one.edges_right - one.edges_left).sum() for one in (ts, alive)]
    assert spans[0] == spans[1]
    assert alive.num_nodes == ts.num_nodes
    assert not (ts.breakpoints(as_array=True) % 1).any()


def test_edges_are_grouped_by_parent_and_roots_are_those_of_the_trees():
    demography, rate = model(EVENTS), along(5_000, 1e-5)
    found = simulate_ancestry(np.full(150, demography["C"].id), 0, demography, rate, seed=1)
    starts = np.flatnonzero(np.append(True, found.parent[1:] != found.parent[:-1]))
    assert len(starts) == len(np.unique(found.parent))
    ts = simulate(EVENTS, {"C": 150}, 5_000, rate, seed=1)
    for left, root in zip(np.append(0, found.changes), found.roots, strict=True):
        assert ts.at(left).root == root


def test_samples_of_countries_without_migration_meet_before_the_split():
    ts = simulate(APART, {"A": 50, "B": 50}, 2_000, 1e-6, seed=1)
    time = ts.nodes_time
    for tree in ts.trees():
        for one in range(50):
            assert time[tree.mrca(one, 50)] > 300
    within = [time[tree.mrca(0, other)] for tree in ts.trees() for other in range(1, 50)]
    assert min(within) < 300


def test_crossovers_fall_where_the_map_says_and_at_any_base():
    rate = msprime.RateMap(position=[0, 4_000, 6_000, 10_000], rate=[1e-6, 0, 5e-6])
    ts = simulate(ONE_COUNTRY, {"A": 100}, 10_000, rate, seed=1)
    places = ts.breakpoints(as_array=True)[1:-1].astype(int)
    assert not ((places > 4_000) & (places < 6_000)).any()
    assert (places < 4_000).sum() < (places > 6_000).sum()
    many = simulate(ONE_COUNTRY, {"A": 100}, 20_000, 5e-6, seed=2)
    places = many.breakpoints(as_array=True)[1:-1].astype(int)
    assert len(places) > 1_000
    assert stats.chisquare(np.bincount(places % 10, minlength=10)).pvalue > 1e-3


def test_the_same_seed_gives_the_same_ancestry_and_another_one_another():
    samples = {"A": 60, "C": 60}
    one, again, other = (simulate(EVENTS, samples, 10_000, 1e-6, seed) for seed in (1, 1, 2))
    assert one.equals(again, ignore_provenance=True)
    assert not one.equals(other, ignore_provenance=True)


@pytest.mark.parametrize("people", [1, 2, 5, 30])
@pytest.mark.parametrize("samples", [1, 2, 10, 150])
def test_ancestors_that_all_share_end_the_walk_in_the_smallest_populations(people, samples):
    small = {"demes": [{"name": "A", "epochs": [{"start_size": people}]}]}
    ts = simulate(small, {"A": samples}, 2_000, 1e-4, seed=people)
    assert {tree.num_roots for tree in ts.trees()} == {1}
    assert {tree.num_samples(tree.root) for tree in ts.trees()} == {samples}
    assert samples == 1 or min(tree.num_children(tree.root) for tree in ts.trees()) > 1
    if people == 1:
        assert ts.max_time < 100  # two haplotypes meet in each generation with probability 1/2


@pytest.mark.parametrize("samples", [4, 60])
def test_samples_older_than_a_split_live_in_the_population_before_it(samples):
    split = {
        "demes": [
            {"name": "old", "epochs": [{"start_size": 50, "end_time": 1}]},
            *(
                {"name": name, "ancestors": ["old"], "epochs": [{"start_size": 50}]}
                for name in "AB"
            ),
        ]
    }
    ts = simulate(split, {"A": samples, "B": samples}, 2, 0, seed=1, time=2)
    assert ts.first().num_roots == 1


@pytest.mark.parametrize("time", [99.5, 100, 100.5, 101, 101.5])
def test_events_about_where_msprime_goes_on_happen_once(time):
    """A pulse moves half of the lineages from A, where few meet, to B, where all meet."""
    content = {
        "demes": [
            {"name": "old", "epochs": [{"start_size": 100, "end_time": 10**6}]},
            {"name": "A", "ancestors": ["old"], "epochs": [{"start_size": 10**6}]},
            {"name": "B", "ancestors": ["old"], "epochs": [{"start_size": 10**4}]},
        ],
        "pulses": [{"sources": ["B"], "dest": "A", "proportions": [0.5], "time": time}],
    }
    moved = []
    for seed in range(20):
        ts = simulate(content, {"A": 80}, 2, 0, seed)
        met = np.flatnonzero(ts.nodes_population == 2)
        moved.append(ts.first().num_samples(met.max()) / 80)
    assert np.mean(moved) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(20 * 80))


@pytest.mark.parametrize("time", [99.5, 100, 100.5, 101])
@pytest.mark.parametrize("ancestors", [["old"], ["old", "other"]])
def test_populations_may_begin_where_msprime_goes_on(time, ancestors):
    shares = {} if len(ancestors) == 1 else {"proportions": [0.5, 0.5], "start_time": time}
    end = time if len(ancestors) == 1 else 10
    content = {
        "demes": [
            {"name": "root", "epochs": [{"start_size": 100, "end_time": 500}]},
            {
                "name": "old",
                "ancestors": ["root"],
                "epochs": [{"start_size": 100, "end_time": end}],
            },
            {"name": "other", "ancestors": ["root"], "epochs": [{"start_size": 100}]},
            {"name": "A", "ancestors": ancestors, "epochs": [{"start_size": 10**4}], **shares},
        ],
    }
    ts = simulate(content, {"A": 80}, 2, 0, seed=1)
    assert ts.first().num_samples(ts.first().root) == 80


def pairs(content, samples, seeds):
    """Mean time to the common ancestor of two haplotypes at independent bases."""
    return (
        np.mean([simulate(content, samples, 2, 0, s).diversity(mode="branch") for s in seeds]) / 2
    )


@pytest.mark.parametrize("samples", [10, 60])
def test_times_do_not_depend_on_the_number_of_samples(samples):
    """Two haplotypes of a tiny population meet after 2N generations in the model of people."""
    tiny = {"demes": [{"name": "A", "epochs": [{"start_size": 2}]}]}
    assert pairs(tiny, {"A": samples}, range(400)) == pytest.approx(4, rel=0.15)


def test_at_least_a_hundred_generations_are_simulated_then_few_lineages_are_left():
    demography = model(ONE_COUNTRY)
    for samples in (40, 400):
        found = simulate_recent_generations(
            np.zeros(samples), 3, demography, along(1_000, 1e-5), seed=1
        )
        left, right, _ = found.lineages.segments.T
        assert 2 < (right - left).sum() / 1_000 < recent_generations.LEAST_DEPTH
        assert found.lineages.time == 103


def test_lineages_are_the_roots_of_what_msprime_gets_where_they_have_segments():
    segments = np.array([[0, 40, 0], [60, 100, 0], [0, 70, 1], [30, 100, 2], [70, 100, 3]])
    lineages = Lineages(7, np.arange(4), np.zeros(4, np.int32), segments.astype(np.int32))
    ts = hand_over(lineages, 100, model(ONE_COUNTRY)).tree_sequence()
    for tree in ts.trees():
        there = [k for left, right, k in segments if left <= tree.interval.left < right]
        assert sorted(root - ts.num_samples for root in tree.roots) == sorted(there)
    assert ts.num_samples == 3


def ours_and_dtwf(content, samples, length, rate, repeats):
    """Replicates of this module and of msprime with a Wright-Fisher model for 150 generations."""
    demography = model(content)
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
    populations = ts.nodes_population[ts.samples()]
    groups = [np.flatnonzero(populations == number) for number in np.unique(populations)]
    spectrum = ts.allele_frequency_spectrum(mode="branch", polarised=True)
    whole = ts.simplify()  # so that both have the same nodes
    return [
        *ts.diversity(groups, mode="branch"),
        *ts.divergence(groups, [(0, 1), (0, 2), (1, 2)], mode="branch"),
        whole.num_trees,
        spectrum[1],
        spectrum[2],
        spectrum[3:11].sum(),
        spectrum[11:].sum(),
        shared(whole, groups[0], None),
        shared(whole, None, groups[:2]),
        shared(whole, None, groups[1:]),
    ]


def test_it_agrees_with_wright_fisher_msprime_with_splits_pulses_growth_and_migration(monkeypatch):
    monkeypatch.setattr(recent_generations, "LEAST_DEPTH", 10.0)  # more generations for few samples
    both = ours_and_dtwf(EVENTS, {"A": 20, "C": 20, "D": 20}, 200_000, 1e-7, 20)
    ours, theirs = np.array([[measures(ts) for ts in pair] for pair in both]).swapaxes(0, 1)
    found = stats.ttest_ind(ours, theirs, equal_var=False).pvalue
    assert found.min() > 1e-3, found
    assert (theirs.mean(axis=0) > 0).all()
