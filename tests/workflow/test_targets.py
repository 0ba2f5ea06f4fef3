"""What is made again after a run: what is missing, and nothing that does not depend on a change."""

import os
import re
import resource
import shutil

import pytest
import yaml

from .processes import ROOT, SNAKEMAKE, made_once, run_in

DELETED = {  # files and the rules that make them
    "queries/answers.parquet": "run_queries",
    "truth/stories.json": "compute_story_truth",
    "analyses/gwas.json": "federated_gwas",
    "nodes/FI/public_facts.sqlite": "write_public_facts",
    "nodes/SE/genomes/chr22-20000000-25000000.bcf.csi": "shard_block",
    "phenotypes/subjects.parquet": "simulate_sample_metadata",
    "bench/knee.json": "measure_load",
    "report/index.html": "build_report",
}
COUNTRIES = ("BE", "ES", "FI", "IE", "SE")  # those of a story, and two more
pytestmark = [pytest.mark.workflow, pytest.mark.timeout(900)]


def snakemake(folder, *options):
    """Snakemake in a folder with the default configuration of a few countries."""
    done = run_in(folder, *SNAKEMAKE, "--cores", "1", *options)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def planned(folder, *options):
    """The rules that would run, apart from targets."""
    told = snakemake(folder, "--quiet", "rules", "--dry-run", *options)
    rows = re.findall(r"^(\w+) +\d+$", told, re.MULTILINE)
    targets = {"all", "dataset", "exports", "federation", "analyses", "bench", "report"}
    return set(rows) - {"total", *targets}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a finished run, of empty files, which tests change and mend."""
    made = made_once(tmp_path_factory, "empty-run", finish_of_empty_files)
    return shutil.copytree(made, tmp_path_factory.mktemp("finished") / "run", symlinks=True)


def finish_of_empty_files(folder):
    """Make the files of a run that Snakemake takes for finished."""
    shutil.copytree(ROOT / "config", folder / "config")
    file = folder / "config/config.yaml"
    text, whole = file.read_text(), "countries: config/countries.tsv"
    assert whole in text
    file.write_text(text.replace(whole, f"countries: [{', '.join(COUNTRIES)}]"))
    for line in snakemake(folder, "--summary").splitlines():
        name, _, rule = [*line.split("\t"), "", ""][:3]
        path = folder / name
        if not rule or rule == "rule" or path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch() if path.suffix or path.name == "Snakefile" else path.mkdir()
    snakemake(folder, "--touch", "--quiet", "all")
    return folder


def test_a_finished_run_has_nothing_to_do_and_takes_little_time_to_see_it(finished):
    assert planned(finished) == set()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    snakemake(finished)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < 6  # 2 on a quiet machine, 4 with 28 countries


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


PAGE = "The page: results/report/index.html"
VERDICT = ("verdict.txt", "summary.json", "junit.xml")


def test_a_run_that_changes_nothing_that_is_shown_keeps_page_and_verdict(finished):
    # the start of a job that has nothing to do but to be there
    assert PAGE in snakemake(finished, "--forcerun", "exports", "--", "exports")
    assert all((finished / "results/report" / name).exists() for name in VERDICT)


def test_the_page_of_a_run_whose_verdict_failed_is_not_given_as_a_good_one(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run", symlinks=True)
    (tmp_path / "run/results/report/verdict.txt").unlink()
    said = snakemake(tmp_path / "run", "--forcerun", "exports", "--", "exports")
    assert PAGE not in said
    assert f"{PAGE[:8]}, without the verdict that all checks passed:{PAGE[9:]}" in said


def test_a_run_that_fails_on_the_way_leaves_no_verdict_of_other_answers(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run", symlinks=True)
    report = tmp_path / "run/results/report"
    (report / "index.html").write_text("all is well")
    (report.parent / "queries/answers.parquet").unlink()
    # the nodes' stores are empty files
    ended = run_in(tmp_path / "run", *SNAKEMAKE, "--cores", "1", "--", "federation")
    assert "Failed: run_queries" in ended.stderr
    assert not any((report / name).exists() for name in ("index.html", *VERDICT))
    assert (report / "earlier.html").read_text() == "all is well"
    assert PAGE not in ended.stdout


def test_a_target_with_nothing_to_make_says_so(finished):
    told = run_in(finished, *SNAKEMAKE, "--cores", "1", "--dry-run", "--", "exports")
    assert "There is nothing to export: the configuration has no exports" in told.stdout


@pytest.mark.parametrize(
    "file",
    [
        *("queries/answers.parquet", "stories/rare.json", "privacy/privacy.json"),
        *("analyses/played.json", "analyses/burden.json"),
    ],
)
def test_what_is_judged_is_judged_again_when_it_changes(finished, file):
    path = finished / "results" / file
    before = path.stat()
    path.write_text("other")
    try:
        assert {"build_report", "check_verdict"} <= planned(finished)
    finally:
        path.write_text("")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


MEASUREMENTS = re.search(r"^MEASUREMENTS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_forced_measurements_are_all_repeated(finished):
    """As ``make bench`` forces them."""
    rules = MEASUREMENTS[1].split()
    assert len(rules) > 5
    assert set(rules) <= planned(finished, "--forcerun", *rules, "--", "all")


def test_other_settings_of_the_network_repeat_queries_stories_and_measurements(finished):
    """Each has the settings as a param."""
    overlay = finished / "network.yaml"
    overlay.write_text(yaml.safe_dump({"network": {"deadline_s": 9}}))
    again = planned(finished, "--configfile", overlay)
    assert {"run_queries", "run_stories", "measure_capital_latency", "measure_load"} <= again


def test_another_export_asks_no_queries_and_repeats_no_bench(finished):
    export = {"name": "given", "formats": ["bcf"], "countries": ["FI"]}
    overlay = finished / "export.yaml"
    overlay.write_text(yaml.safe_dump({"exports": [export]}))
    rules = planned(finished, "--configfile", overlay)
    assert {"export_bcf", "export_catalogue", "write_catalogue", "write_manifest"} <= rules
    assert not [rule for rule in rules if rule.startswith(("measure_", "run_", "inject_"))]
    assert "shard_block" not in rules
