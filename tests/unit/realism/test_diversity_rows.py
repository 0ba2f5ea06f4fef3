"""Rows about linkage disequilibrium are judged in large runs."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from rehearsal.realism.diversity_rows import linkage_rows
from rehearsal.realism.linkage import LINKAGE_DISTANCES
from rehearsal.realism.measures import no_measures
from rehearsal.realism.panel import MeasuredPeople


def linkage(megabases, people, r2):
    """The rows of a run with the same r² at all distances."""
    rows = np.arange(people)
    pairs = pd.DataFrame({"kind": [], "first": [], "second": []})
    panel = MeasuredPeople(("FI",), rows, np.zeros(people, int), rows, pairs)
    number = np.full(len(LINKAGE_DISTANCES), 1e6)
    joined = dataclasses.replace(
        no_measures(panel),
        bases=np.array(megabases * 1e6),
        linkage=r2 * number,
        linkage_pairs=number,
    )
    return list(linkage_rows(joined, panel))


@pytest.mark.parametrize(("r2", "passed"), [(0.26, [True, False]), (0.06, [False, True])])
def test_linkage_of_a_large_run_is_judged_against_the_published_range(r2, passed):
    near, far = linkage(400, 400, r2)
    assert [near.judged, far.judged] == [True, True]
    assert [near.passed, far.passed] == passed


@pytest.mark.parametrize(
    ("megabases", "people", "note"),
    [(5, 400, "needs 300 Mb of autosomes"), (400, 30, "needs 100 unrelated people")],
)
def test_linkage_of_a_small_run_is_not_judged(megabases, people, note):
    for row in linkage(megabases, people, 0.26):
        assert (row.judged, row.passed, row.note) == (False, None, note)
