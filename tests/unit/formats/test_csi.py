"""Readers find by our index what they find without one."""

import shutil
import subprocess

import msprime
import numpy as np
import pandas as pd
import pysam
import pytest

from rehearsal.formats.csi import smallest_bins
from rehearsal.model import Block
from rehearsal.stores.country_shards import write_shards

LENGTH = 3_000_000


@pytest.fixture(scope="module")
def bcf(tmp_path_factory):
    """Some 5,000 records in several bins and BGZF blocks; three deletions reach across bins."""
    ts = msprime.sim_ancestry(60, population_size=1e4, sequence_length=LENGTH, random_seed=1)
    tables = msprime.sim_mutations(ts, rate=2e-8, random_seed=1).dump_tables()
    for position, bases in ((16_000, 40_000), (1_048_000, 3000), (LENGTH - 9, 9)):
        site = tables.sites.add_row(position=position, ancestral_state="A" * bases)
        tables.mutations.add_row(site=site, node=3, derived_state="A", time=0)
    tables.sort()
    tables.deduplicate_sites()
    tables.build_index()
    tables.compute_mutation_parents()
    people = pd.DataFrame({"id": [f"P{n}" for n in range(60)], "country": "FI", "sex": "female"})
    path = tmp_path_factory.mktemp("csi") / "FI.bcf"
    write_shards(tables.tree_sequence(), Block("chr22", 0, LENGTH), people, {"FI": path}, {})
    return path


def test_any_region_is_found(bcf):
    with pysam.VariantFile(str(bcf)) as file:
        places = [(record.start, record.stop) for record in file]
    assert len(places) > 2000
    rng = np.random.default_rng(1)
    with pysam.VariantFile(str(bcf)) as file:
        for size in (1, 500, 20_000, 200_000, LENGTH):
            for start in rng.integers(0, LENGTH, 30).tolist():
                end = min(start + size, LENGTH)
                found = [(r.start, r.stop) for r in file.fetch("chr22", start, end)]
                assert found == [(a, b) for a, b in places if a < end and b > start]


def test_a_deletion_is_found_far_behind_its_start(bcf):
    with pysam.VariantFile(str(bcf)) as file:
        found = [record.start for record in file.fetch("chr22", 55_990, 55_991)]
        assert found[0] == 16_000
        assert [record.start for record in file.fetch("chr22", LENGTH - 1, LENGTH)] == [LENGTH - 9]


@pytest.mark.skipif(shutil.which("bcftools") is None, reason="bcftools is not installed")
def test_bcftools_counts_records_by_the_index(bcf):
    with pysam.VariantFile(str(bcf)) as file:
        expected = sum(1 for _ in file)
    run = ["bcftools", "index", "--nrecords", str(bcf)]
    found = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    assert int(found) == expected


def test_bins_are_those_of_the_specification():
    """reg2bin() of the SAM specification, for a contig of five levels."""

    def reg2bin(begin, end):
        end -= 1
        for shift, first in ((14, 4681), (17, 585), (20, 73), (23, 9), (26, 1)):
            if begin >> shift == end >> shift:
                return first + (begin >> shift)
        return 0

    rng = np.random.default_rng(1)
    start = rng.integers(0, 1 << 29, 500)
    end = np.minimum(start + (2 ** rng.uniform(0, 28, 500)).astype(int), 1 << 29)
    number, _ = smallest_bins(start, end, 5)
    assert number.tolist() == [
        reg2bin(a, b) for a, b in zip(start.tolist(), end.tolist(), strict=True)
    ]
