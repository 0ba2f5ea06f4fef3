"""What is made again after a run: what is missing, and nothing that does not depend on a change."""

import os
import re

import pytest
import yaml

from .processes import ROOT, SNAKEMAKE, run_in

DELETED = {  # files and the rules that make them
    "queries/answers.parquet": "run_queries",
    "truth/stories.json": "compute_story_truth",
    "nodes/FI/public_facts.sqlite": "write_public_facts",
    "nodes/SE/genomes/chr22-20000000-25000000.bcf.csi": "shard_block",
    "phenotypes/subjects.parquet": "simulate_sample_metadata",
    "bench/knee.json": "measure_load",
    "report/index.html": "build_report",
}
pytestmark = [pytest.mark.workflow, pytest.mark.timeout(900)]


def snakemake(folder, *options):
    """Snakemake in a folder with the default configuration."""
    done = run_in(folder, *SNAKEMAKE, "--cores", "1", *options)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def planned(folder, *options):
    """The rules that would run, apart from targets."""
    told = snakemake(folder, "--quiet", "rules", "--dry-run", *options)
    rows = re.findall(r"^(\w+) +\d+$", told, re.MULTILINE)
    return set(rows) - {"total", "all", "dataset", "exports", "federation", "bench", "report"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a finished run, of empty files."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "config").symlink_to(ROOT / "config")
    for line in snakemake(folder, "--summary").splitlines():
        name, _, rule = [*line.split("\t"), "", ""][:3]
        path = folder / name
        if not rule or rule == "rule" or path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch() if path.suffix else path.mkdir()
    snakemake(folder, "--touch", "--quiet", "all")
    return folder


def test_a_finished_run_has_nothing_to_do(finished):
    assert planned(finished) == set()


def test_deleted_files_are_made_again_by_the_targets_that_promise_them(finished):
    times = {}
    for file in DELETED:
        path = finished / "results" / file
        times[path] = path.stat()
        path.unlink()
    try:
        assert set(DELETED.values()) <= planned(finished)
        assert {"simulate_sample_metadata"} <= planned(finished, "dataset")
        assert {"run_queries", "shard_block"} <= planned(finished, "federation")
        assert planned(finished, "exports") == set()
    finally:
        for path, before in times.items():
            path.touch()
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_another_export_asks_no_queries_and_repeats_no_bench(finished):
    export = {"name": "given", "formats": ["bcf"], "countries": ["FI"]}
    overlay = finished / "export.yaml"
    overlay.write_text(yaml.safe_dump({"exports": [export]}))
    rules = planned(finished, "--configfile", overlay)
    assert {"export_bcf", "export_catalogue", "write_catalogue", "write_manifest"} <= rules
    assert not [rule for rule in rules if rule.startswith(("measure_", "run_", "inject_"))]
