"""Carriers share a founder's haplotype for as long as recombination has left it whole."""

import msprime
import numpy as np
import pytest

from rehearsal.genomes.shared_haplotypes import Genealogy, share_haplotypes

LENGTH, PLACE, AGE, RATE = 2_000_000, 1_000_000, 200.0, 1e-8
CARRIERS = list(range(0, 40))


def genealogy(seed):
    model = {"population_size": 10_000, "recombination_rate": RATE, "sequence_length": LENGTH}
    ts = msprime.sim_ancestry(30, random_seed=seed, **model)
    edges = ts.tables.edges
    ends = edges.left.astype(np.int64), edges.right.astype(np.int64)
    return Genealogy(ts.nodes_time, ts.nodes_population, (*ends, edges.parent, edges.child), 60)


def shared(seed, age=AGE):
    contig_map = msprime.RateMap.uniform(LENGTH, RATE)
    rng = np.random.default_rng(seed)
    found = share_haplotypes(genealogy(seed), [(PLACE, CARRIERS)], age, contig_map, rng)
    return found.tables(LENGTH).tree_sequence()


def test_exactly_the_carriers_descend_from_the_founder():
    ts = shared(1)
    tree = ts.at(PLACE)
    founder = tree.mrca(*CARRIERS)
    assert ts.nodes_time[founder] == AGE
    assert sorted(tree.samples(founder)) == CARRIERS
    assert all(tree.num_roots == 1 and tree.num_samples() == 60 for tree in ts.trees())


def test_two_carriers_share_as_much_around_the_variant_as_expected():
    """To each side the first of crossovers in 2 x 200 generations: 0.25 cM, or 250 kb, on average.

    Beyond it they share by chance only if they meet as recently as that, which is rare.
    """
    lengths = []
    for seed in range(1, 9):
        ts = shared(seed)
        left, right = np.zeros(20), np.full(20, float(LENGTH))
        for tree in ts.trees():
            for pair in range(20):
                if tree.tmrca(2 * pair, 2 * pair + 1) > AGE:
                    if tree.interval.right <= PLACE:
                        left[pair] = tree.interval.right
                    elif tree.interval.left > PLACE:
                        right[pair] = min(right[pair], tree.interval.left)
        lengths += [*(PLACE - left), *(right - PLACE)]
    mean = np.mean(lengths)
    cut = 250_000 * (1 - np.exp(-4))  # the block ends after 1 Mb
    assert mean == pytest.approx(cut, abs=4 * 250_000 / np.sqrt(len(lengths)))


def test_a_founder_older_than_all_common_ancestors_is_joined_to_them():
    ts = shared(2, age=1e6)
    tree = ts.at(PLACE)
    assert sorted(tree.samples(tree.mrca(*CARRIERS))) == CARRIERS
    assert all(tree.num_roots == 1 for tree in ts.trees())
