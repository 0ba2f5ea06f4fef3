"""Shared doubletons, shared segments and runs of homozygosity, by hand and in simulated people."""

import msprime
import numpy as np
import pandas as pd
import pytest

from rehearsal.realism.panel import choose_panel
from rehearsal.realism.recent_kin import (
    BASES_A_CENTIMORGAN,
    LEAST_HOMOZYGOUS,
    pairs_of_people,
    shared_doubletons,
    shared_segments,
)

ISLANDS = ("FI", "IE")


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


def simulated(size: float, seed: int):
    demography = msprime.Demography.island_model([size, size], 1e-4)
    for population, code in zip(demography.populations, ISLANDS, strict=True):
        population.name = code
    return msprime.sim_ancestry(
        dict.fromkeys(ISLANDS, 6),
        demography=demography,
        sequence_length=30_000_000,
        recombination_rate=1.1e-8,
        end_time=200,
        random_seed=seed,
    )


def test_segments_are_those_of_the_trees(panel):
    ts = simulated(500, 1)
    found = shared_segments(ts, panel)
    homozygous = np.zeros(2)
    nodes = ts.individuals_nodes
    segments = ts.ibd_segments(
        between=[nodes[0], nodes[7]],
        min_span=2 * BASES_A_CENTIMORGAN,
        store_pairs=True,
        store_segments=True,
    )
    assert found.numbers[0, 0, 1] >= segments.num_segments
    assert np.array_equal(found.numbers[0], found.numbers[0].T)
    assert (found.numbers[0] >= found.numbers[1]).all()
    assert found.numbers[0].sum() > 0
    for row, (one, other) in enumerate(nodes):
        own = ts.ibd_segments(within=[one, other], min_span=LEAST_HOMOZYGOUS, store_segments=True)
        homozygous[row // 6] += own.total_span
    assert found.homozygous == pytest.approx(homozygous)


def test_small_populations_share_more_with_their_own(panel):
    small, large = (shared_segments(simulated(size, 2), panel).numbers[0] for size in (300, 5_000))
    assert small.trace() > large.trace()
    pairs = pairs_of_people(panel)
    assert pairs.tolist() == [[15, 36], [36, 15]]
    assert (small / pairs).diagonal().mean() > (small / pairs)[0, 1]
