"""What a plan of the workflow costs, asks for and records."""

import json
import pickle
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from .processes import ROOT, SNAKEMAKE, made_once, run_in

PLANNING = Path(__file__).with_name("planning.py")
sys.path.append(str(ROOT / "workflow"))
from recorded import RecordedByDigest  # noqa: E402

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(600)]
BENCH = {
    *("measure_distance", "measure_capital_latency", "inject_faults", "measure_load"),
    *("measure_growth", "compare_collection_policies"),
}
LONGEST_RECORD = 3000  # characters: the configuration and paths of 28 nodes


def plan(folder, *options, profile=None):
    """The plan of the workflow in a folder that has or gets a ``config``, by a profile's file."""
    folder.mkdir(exist_ok=True)
    if not (folder / "config").exists():
        (folder / "config").symlink_to(ROOT / "config")
    file = folder / "plan.json"
    command = [sys.executable, PLANNING, file, profile or "", *SNAKEMAKE[3:]]
    command += ["--dag", "--cores", "2"]
    if profile:
        command += ["--workflow-profile", profile.parent]
    done = run_in(folder, *command, *options)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(file.read_text())


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    """The plan of the default configuration."""
    return made_once(tmp_path_factory, "default-plan", plan)


def test_no_job_records_params_that_grow_with_patients_blocks_or_genes(default):
    records = {job["rule"]: job["record"] for job in default["jobs"]}
    assert {rule: size for rule, size in records.items() if size > LONGEST_RECORD} == {}
    assert max(records[rule] for rule in ("simulate_block", "compute_genetic_values")) < 1000


def test_the_full_bench_is_not_undone_by_a_run_with_the_short_one(default, tmp_path):
    full = plan(tmp_path, "--configfile", ROOT / "config/scale/bench.yaml")
    one, other = (
        {job["rule"]: job["digest"] for job in every["jobs"] if job["rule"] in BENCH}
        for every in (default, full)
    )
    assert one.keys() == BENCH
    assert one == other


def test_a_list_is_recorded_by_a_digest_of_what_is_in_it():
    one, same, other = (RecordedByDigest(range(n)) for n in (1000, 1000, 1001))
    assert repr(one) == repr(same) != repr(other)
    assert len(repr(one)) < 100


def test_a_script_gets_a_plain_list():
    found = pickle.loads(pickle.dumps(RecordedByDigest(["a", "b"])))
    assert type(found) is list
    assert found == ["a", "b"]


@pytest.fixture(scope="module")
def million(tmp_path_factory):
    """The plan of a million people on Slurm, with four blocks to a job."""
    return made_once(tmp_path_factory, "million-plan", plan_million)


def plan_million(folder):
    """Plan a million people in a folder."""
    options = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    options["group-components"]["blocks"] = 4
    (folder / "profile").mkdir(parents=True)
    profile = folder / "profile/config.yaml"
    profile.write_text(yaml.safe_dump(options))
    scale = [ROOT / "config/config.yaml", ROOT / "config/scale/million.yaml"]
    return plan(folder, "--configfile", *scale, profile=profile)


def test_the_first_plan_of_a_million_people_takes_little_memory(tmp_path):
    # its time is measured by benchmarks/dry_run.py
    (tmp_path / "config").symlink_to(ROOT / "config")
    scale = ROOT / "config/scale/million.yaml"
    command = [*SNAKEMAKE, "--dry-run", "--cores", "2", "--configfile", scale]
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=-3);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    done = run_in(tmp_path, sys.executable, "-c", script, *command)
    assert float(done.stdout) < 450


def test_a_partition_of_24_hours_takes_every_job_and_group_of_a_million_people(million):
    asked = {}
    for one in [*million["jobs"], *million["groups"]]:
        rule = one.get("rule") or "+".join(sorted(set(one["rules"])))
        asked[rule] = max(asked.get(rule, 0), one["resources"].get("runtime", 0))
    assert {rule: minutes for rule, minutes in asked.items() if minutes > 24 * 60} == {}


def test_24_hours_are_enough_for_the_longest_group_also_at_the_third_attempt(million):
    components = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())[
        "group-components"
    ]
    stores, blocks = [], defaultdict(int)
    for job in million["jobs"]:
        runtime = job["resources"].get("runtime", 0)
        if job["rule"] == "build_variant_store":
            stores.append(runtime)
        elif "block" in job["wildcards"]:
            blocks[job["wildcards"]["block"]] += runtime
    # Snakemake puts any together; the third attempt asks for at most twice the time of the first
    assert 2 * sum(sorted(stores)[-components["stores"] :]) <= 24 * 60
    assert 2 * 5 * max(blocks.values()) <= 24 * 60


def test_a_group_asks_for_one_core_and_for_the_memory_of_its_largest_job(million):
    memory = {}
    for job in million["jobs"]:
        memory[job["rule"]] = max(memory.get(job["rule"], 0), job["resources"].get("mem_mb", 0))
    groups = million["groups"]
    assert len(groups) == 6 + 152  # 28 stores by five, 607 blocks by four
    for group in groups:
        assert group["resources"]["_cores"] == 1
        assert group["resources"]["mem_mb"] <= max(memory[rule] for rule in group["rules"])
