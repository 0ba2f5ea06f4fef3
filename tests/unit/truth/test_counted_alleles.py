"""The alleles of the truth: counted once, for tables by country and for drawing queries."""

import msprime
import numpy as np
import pandas as pd
import pytest

from rehearsal.model import Block
from rehearsal.truth import allele_counts, decoded_genotypes
from rehearsal.truth.pooled_sites import pooled_sites
from rehearsal.truth.subcohort import Subcohort

PEOPLE = pd.DataFrame(
    {
        "id": [f"P{k}" for k in range(30)],
        "country": ["FI"] * 12 + ["ES"] * 18,
        "sex": ["female", "male"] * 15,
    }
)


@pytest.fixture
def trees(tmp_path):
    ts = msprime.sim_ancestry(30, sequence_length=2000, recombination_rate=1e-4, random_seed=3)
    msprime.sim_mutations(ts, rate=2e-2, random_seed=3).dump(tmp_path / "block.trees")
    return {Block("chr1", 0, 2000): tmp_path / "block.trees"}


def test_alleles_counted_on_genotypes_are_those_counted_on_trees(trees, monkeypatch):
    monkeypatch.setattr(decoded_genotypes, "COPIES_AT_A_TIME", 7 * len(PEOPLE))
    some = Subcohort(np.arange(30) % 3 > 0)
    found = allele_counts.count_alleles(trees, PEOPLE, some).sites()
    keys = ["start", "ref", "alt"]
    expected = pooled_sites(trees, some).sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(found.sort_values(keys, ignore_index=True), expected)
    assert len(found) > 50 and found["start"].duplicated().any()


def test_a_country_without_the_allele_has_no_row(trees):
    table = allele_counts.count_alleles(trees, PEOPLE, Subcohort.whole(30)).by_country()
    places = table.groupby(["start", "ref", "alt", "country"])["ac"].sum()
    assert (places > 0).all()
    assert (table["an"] == table["country"].map({"FI": 12, "ES": 18})).all()
