import os

import pandas as pd
import pytest

from rehearsal.report.provenance import run_facts, stage_times, versions

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmean_load\tcpu_time\n"


@pytest.fixture
def benchmarks(tmp_path):
    def write(name, seconds, memory, cpu, ended):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{HEADER}{seconds}\t0:00:00\t{memory}\t1\t0\t{cpu}\n")
        os.utime(path, (ended, ended))

    write("suite.tsv", 2.0, 300.0, 1.5, 200)
    write("simulate/chr1-0-10.tsv", 10.0, 500.0, 9.0, 110)
    write("simulate/chr2-0-10.tsv", 20.0, 700.0, 18.5, 130)
    write("people.tsv", 0.5, "NA", "NA", 99)
    return tmp_path


def test_stages_sum_their_jobs_in_the_order_in_which_they_began(benchmarks):
    stages = stage_times(benchmarks).set_index("stage")
    assert stages.index.tolist() == ["people", "simulate", "suite"]
    assert stages.loc["simulate", ["jobs", "wall_s", "cpu_s", "peak_mb"]].tolist() == [
        2,
        30,
        27.5,
        700,
    ]
    assert pd.isna(stages.loc["people", "peak_mb"])


def test_no_benchmark_is_no_stage(tmp_path):
    stages = stage_times(tmp_path)
    assert stages.empty
    assert list(stages.columns) == ["stage", "jobs", "wall_s", "cpu_s", "peak_mb"]


def test_run_facts_hold_seed_digest_versions_and_times(benchmarks):
    facts = run_facts(7, "abc", stage_times(benchmarks))
    assert (facts["seed"], facts["config_digest"]) == (7, "abc")
    assert facts["wall_s"] == 32.5
    assert facts["cpu_s"] == 29.0
    assert len(facts["load_average"]) == 3
    assert facts["versions"]["numpy"]


def test_a_package_that_is_not_there_has_no_version():
    assert "no-such-package" not in versions(["numpy", "no-such-package"])
