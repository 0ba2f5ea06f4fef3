"""A wrong input ends Snakemake before the first job, with one line."""

import re
import shutil

import pytest
import yaml

from .processes import ROOT, SNAKEMAKE, run_in

pytestmark = pytest.mark.workflow


def dry_run(tmp_path, overlay, *options):
    """Snakemake's plan of the default configuration under an overlay, in an empty folder."""
    return snakemake(tmp_path, overlay, "--dry-run", *options)


def snakemake(tmp_path, overlay, *options):
    """A run of the default configuration under an overlay, in an empty folder."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    overlay_file = tmp_path / "overlay.yaml"
    overlay_file.write_text(overlay if isinstance(overlay, str) else yaml.safe_dump(overlay))
    command = [*SNAKEMAKE, "--quiet", "--cores", "1", "--configfile", overlay_file, *options]
    return run_in(tmp_path, *command, timeout_s=120)


def test_the_default_configuration_plans_a_run(tmp_path):
    result = dry_run(tmp_path, {})
    assert result.returncode == 0, result.stderr


def test_the_data_of_a_foreign_node_are_planned_as_the_page_about_it_says(tmp_path):
    page = (ROOT / "docs/tutorials/bring-your-node.md").read_text()
    (rules,) = re.findall(r'make run ARGS="--until ([a-z_ ]+)"', page)
    result = dry_run(tmp_path, {}, "--until", *rules.split())
    assert result.returncode == 0, result.stderr


def test_a_run_without_a_report_names_none(tmp_path):
    result = snakemake(tmp_path, {}, "--until", "compute_distances")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "results/network/distances.parquet").exists()
    assert "report/index.html" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("overlay", "parts"),
    [
        ("genome: {mutation_rate: 1e-8}", ["overlay.yaml", "genome.mutation_rate", "1.0e-8"]),
        ("cohort: {people: {NO: 10}}", ["overlay.yaml", "cohort.people", '"NO"']),
        ("network: {asker: XX}", ["overlay.yaml", "network.asker", "XX"]),
        ("genome: {regions: ['chr22:60000000-61000000']}", ["overlay.yaml", "genome.regions"]),
        ("genome: {planted_window: 0}", ["config.yaml", "BRCA1"]),
        ("demography: {model: lacking.demes.yaml}", ["lacking.demes.yaml"]),
        ("genome: {masks: nowhere.tsv}", ["nowhere.tsv: file: expected", "No such file"]),
        ("traits: nowhere.yaml", ["nowhere.yaml"]),
        ("queries: nowhere.yaml", ["nowhere.yaml"]),
        ("seed: 1\nseed: 2", ["overlay.yaml: line 2: ", "the key seed is given twice"]),
    ],
)
def test_a_fault_is_one_line_that_names_file_and_key(tmp_path, overlay, parts):
    result = dry_run(tmp_path, overlay)
    assert result.returncode != 0
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    for part in parts:
        assert part in lines[0]


def test_a_key_twice_in_json_is_one_line(tmp_path):
    result = dry_run(tmp_path, '{"seed": 1, "seed": 2}')
    (line,) = [line for line in result.stderr.splitlines() if line.strip()]
    assert "overlay.yaml: file: expected each key once, found the key seed twice" in line


def test_an_overlay_with_a_byte_order_mark_is_read(tmp_path):
    result = dry_run(tmp_path, "\ufeffseed: 3\n")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        ("", "Config file must be given as JSON or YAML with keys at top level."),
        ("- seed", "Config file must be given as JSON or YAML with keys at top level."),
        ("seed: [1", "Config file is not valid JSON or YAML."),
        ("cohort: &a {people: *a}", "RecursionError"),
    ],
)
def test_what_snakemake_says_of_an_overlay_that_it_cannot_read_is_documented(
    tmp_path, overlay, said
):
    result = dry_run(tmp_path, overlay)
    assert result.returncode == 1
    assert said in (result.stdout + result.stderr).strip().splitlines()[-1]
    if "Error" not in said:
        assert said in (ROOT / "config/README.md").read_text()


def test_a_demes_file_that_lacks_a_country_is_refused(tmp_path):
    model = tmp_path / "mine.demes.yaml"
    model.write_text(
        "time_units: generations\ndemes:\n- name: AT\n  epochs:\n  - start_size: 1000\n"
    )
    result = dry_run(tmp_path, {"demography": {"model": str(model)}})
    assert result.returncode != 0
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    assert "mine.demes.yaml" in lines[0]
    assert "BE" in lines[0]


def test_all_faults_are_said_at_once_each_in_one_line(tmp_path):
    overlay = {
        "seed": "x",
        "results": "taken/results",
        "genes": "nowhere.tsv",
        "traits": "config",
        "cohort": {"people_per_country": 10**12},
        "network": {"launch": "no-such-launcher -n 1", "nodes": "nodes.yaml"},
    }
    (tmp_path / "taken").touch()
    node = {"url": "https://beacon.example.org/api", "token_variable": "NOBODY_SET_THIS"}
    (tmp_path / "nodes.yaml").write_text(yaml.safe_dump({"nodes": {"FI": node}}))
    result = dry_run(tmp_path, overlay, "--config", "genome={'kappa': '4e0'}")
    assert result.returncode != 0
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    for parts in [
        ("overlay.yaml: seed: ", "a whole number", "'x'"),
        ("overlay.yaml: results: ", "taken/results", "Not a directory"),
        ("nowhere.tsv: file: ", "No such file"),
        ("config: file: ", "Is a directory"),
        ("overlay.yaml: cohort.people_per_country: ", "1000000000000"),
        ("overlay.yaml: network.launch: ", "'no-such-launcher'"),
        ("nodes.yaml: nodes.FI.token_variable: ", "NOBODY_SET_THIS", "not set"),
        ("the command line (--config): genome.kappa: ", "a number", "'4e0' (text)"),
    ]:
        found = [line for line in lines if all(part in line for part in parts)]
        assert len(found) == 1, (parts, result.stderr)
        lines.remove(found[0])
    assert not lines


def test_numbers_and_null_within_mappings_of_the_command_line_are_read_as_in_a_file(tmp_path):
    """Snakemake makes text of them, in the process of each job too."""
    given = ["cohort={people_per_country: 30}", "network={deadline_s: 9.5}", "bench=null"]
    result = snakemake(tmp_path, {}, "--config", *given, "--until", "compute_distances")
    assert result.returncode == 0, result.stderr
    assert "Rehearsal: 840 people in 28 countries" in result.stdout
    assert (tmp_path / "results/network/distances.parquet").exists()


@pytest.mark.parametrize(
    ("overlay", "options", "parts"),
    [
        ("seed: 1", ["genes=nowhere.tsv"], ["nowhere.tsv: file: ", "; genes of the command line"]),
        ("seed: 1", ["countries=FI,EE"], ["(a list of codes is countries: [FI, EE])"]),
        ("countries: FI", [], ["countries of", "overlay.yaml names it", "countries: [FI])"]),
    ],
)
def test_the_key_that_names_a_missing_file_is_said(tmp_path, overlay, options, parts):
    result = dry_run(tmp_path, overlay, *(["--config", *options] if options else []))
    (line,) = [line for line in result.stderr.splitlines() if line.strip()]
    assert all(part in line for part in parts), line


def test_a_working_folder_without_the_default_configuration_is_named(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    result = dry_run(tmp_path, "seed: 3", "--directory", tmp_path / "elsewhere")
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    assert f"{tmp_path}/elsewhere/config/config.yaml: file: " in lines[0]
    assert "no such file" in lines[0]
