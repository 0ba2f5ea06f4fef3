"""A node is killed while it computes: the fault is played at three nodes with sandboxes."""

import asyncio
from contextlib import ExitStack

import numpy as np
import pandas as pd
import pysam
import pytest

from rehearsal.loadtest.faults.lost_in_round import LostNodeTest
from rehearsal.loadtest.faults.pooled_statistics import pooled_statistics
from rehearsal.loadtest.faults.scenarios import SCENARIOS
from rehearsal.node.wes.sandbox import why_no_sandbox
from tests.unit.analyses.cohort import simulate
from tests.unit.signing_keys import COORDINATOR, write_key

from .analysis_nodes import HEIGHT, serving, write_node

pytestmark = pytest.mark.system

COUNTRIES = ["BE", "EE", "FI"]
(SCENARIO,) = (one for one in SCENARIOS if one.lane == "analysis")


def write_files_for_people(folder, country, people):
    """What else a run writes: genomes as BCF, and tables of measurements and consent."""
    (folder / "genomes").mkdir()
    (folder / "phenotypes").mkdir()
    with pysam.VariantFile(str(folder / "all.vcf")) as vcf:
        target = str(folder / "genomes/chr1-0-1000000.bcf")
        with pysam.VariantFile(target, "wb", header=vcf.header) as bcf:
            for record in vcf:
                if record.contig == "chr1":
                    bcf.write(record)
    names = np.array([f"{country}-{i:06d}" for i in range(len(people))])
    known = people["height"].notna().to_numpy()
    columns = {"individual": names[known], "code": HEIGHT, "value": people["height"][known]}
    pd.DataFrame(columns).to_parquet(folder / "phenotypes/measurements.parquet")
    consent = pd.DataFrame({"individual": names, "uses": "DUO:0000004", "withdrawn": False})
    consent.to_parquet(folder / "phenotypes/consent.parquet")


@pytest.fixture
def folders(tmp_path):
    if reason := why_no_sandbox():
        pytest.skip(reason)
    cohort = simulate(tmp_path / "cohort", sizes=(30, 50, 40), n_variants=150)
    found = {}
    for number, country in enumerate(COUNTRIES):
        mine = cohort.node == number
        people = cohort.people[mine].reset_index(drop=True)
        folder = found[country] = tmp_path / country
        write_node(folder, country, cohort.genotypes[:, mine], cohort.sites, people)
        write_files_for_people(folder, country, people)
    return found


def test_the_result_is_that_of_the_others_and_the_lost_node_is_named(folders, tmp_path):
    with ExitStack() as stack:
        nodes = [stack.enter_context(serving(folder)) for folder in folders.values()]
        key = write_key(tmp_path / "coordinator.pem", COORDINATOR)
        row = asyncio.run(LostNodeTest(nodes, folders, "BE", "", key).play(SCENARIO))
    assert row["why"] == ""
    assert (row["held"], row["victim"], row["marked"], row["answered"]) == (True, "failed 1", 1, 2)
    right, all_people = pooled_statistics(folders, "BE").z, pooled_statistics(folders).z
    tested = [key for key, z in right.items() if np.isfinite(z)]
    assert len(tested) > 3
    assert all(right[key] != all_people[key] for key in tested)  # the lost people would show


def test_it_is_not_played_with_a_handful_of_people(folders):
    file = folders["BE"] / "phenotypes/measurements.parquet"
    pd.read_parquet(file).head(9).to_parquet(file)
    row = asyncio.run(LostNodeTest([], folders, "BE", "").play(SCENARIO))
    assert (row["held"], row["victim"]) == (True, "not run")
    assert row["why"].endswith("who permit DUO:0000006 are needed, and BE has 9")
