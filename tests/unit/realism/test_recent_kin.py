"""Shared doubletons, shared segments and runs of homozygosity, by hand and in simulated people."""

import itertools

import msprime
import numpy as np
import pandas as pd
import pytest

from rehearsal.realism.panel import choose_panel
from rehearsal.realism.recent_kin import (
    LEAST_HOMOZYGOUS,
    OLDEST,
    kin_members,
    pairs_of_people,
    shared_doubletons,
    shared_segments,
    shortest_span,
)

ISLANDS = ("FI", "IE")
LENGTH = 30_000_000
UNIFORM = msprime.RateMap.uniform(LENGTH, 1.1e-8)
# 0.3 cM/Mb, then 3 cM/Mb
TWO_RATES = msprime.RateMap(position=[0, LENGTH / 2, LENGTH], rate=[3e-9, 3e-8])


@pytest.fixture(scope="module")
def panel():
    rows = [(f"{code}{n}", None, None, code, code, 0.0) for code in ISLANDS for n in range(6)]
    columns = ["id", "father", "mother", "country", "population", "inbreeding"]
    return choose_panel(pd.DataFrame(rows, columns=columns), 1)


def test_doubletons_count_only_when_two_people_share_them():
    dense = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=np.float32)
    genotypes = np.array(
        [[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 2, 0], [1, 0, 0, 0], [0, 1, 0, 1], [1, 1, 1, 0]],
        dtype=np.int8,
    )
    assert shared_doubletons(genotypes, dense).tolist() == [[1, 2], [2, 0]]


def simulated(size: float, seed: int, recombination=UNIFORM):
    demography = msprime.Demography.island_model([size, size], 1e-3)
    for population, code in zip(demography.populations, ISLANDS, strict=True):
        population.name = code
    return msprime.sim_ancestry(
        dict.fromkeys(ISLANDS, 6),
        demography=demography,
        recombination_rate=recombination,
        end_time=200,
        random_seed=seed,
    )


def ancestors(ts, nodes):
    """Starts, ends and ages of the stretches of two haplotypes with one common ancestor each."""
    pair = ts.simplify(nodes)
    edges = pair.tables.edges
    first = edges.child == 0
    return edges.left[first], edges.right[first], pair.nodes_time[edges.parent[first]]


@pytest.mark.parametrize("recombination", [UNIFORM, TWO_RATES], ids=["uniform", "two rates"])
def test_segments_are_those_of_each_pair_by_itself_in_centimorgans_of_the_map(panel, recombination):
    ts = simulated(300, 1, recombination)
    expected = np.zeros((2, 2, 2))
    members = kin_members(panel)
    for one, a in enumerate(members):
        for b in members[:one]:
            i, j = panel.country[[a, b]]
            rows = panel.members[[a, b]]
            for nodes in itertools.product(*ts.individuals_nodes[rows]):
                left, right, age = ancestors(ts, nodes)
                mass = recombination.get_cumulative_mass
                long = (mass(right) - mass(left))[age <= OLDEST]
                number = [(long >= 0.02).sum(), (long >= 0.03).sum()]
                expected[:, i, j] += number
                expected[:, j, i] += number if i != j else 0
    found = shared_segments(ts, panel, recombination).numbers
    assert found[0].min() > 0
    assert np.array_equal(found, expected)


def test_runs_of_homozygosity_are_counted_in_bases(panel):
    ts = simulated(300, 1, TWO_RATES)
    homozygous = np.zeros(2)
    for country, row in zip(panel.country, panel.members, strict=True):
        left, right, _ = ancestors(ts, ts.individuals_nodes[row])
        spans = right - left
        homozygous[country] += spans[spans >= LEAST_HOMOZYGOUS].sum()
    assert shared_segments(ts, panel, TWO_RATES).homozygous == pytest.approx(homozygous)


@pytest.mark.parametrize(
    ("morgans", "bases"), [(0.02, 2e6 / 3), (0.45, 15e6), (0.46, 15e6 + 1e8 / 30), (0.5, np.inf)]
)
def test_the_shortest_span_lies_where_most_recombines(morgans, bases):
    assert shortest_span(TWO_RATES, morgans) == pytest.approx(bases)


def test_small_populations_share_more_with_their_own(panel):
    small, large = (
        shared_segments(simulated(size, 2), panel, UNIFORM).numbers[0] for size in (300, 5_000)
    )
    assert small.trace() > large.trace()
    pairs = pairs_of_people(panel)
    assert pairs.tolist() == [[15, 36], [36, 15]]
    assert (small / pairs).diagonal().mean() > (small / pairs)[0, 1]
