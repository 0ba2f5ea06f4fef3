"""The workflow as a module of another, and with its files in a storage."""

import os
import shutil
import subprocess
import sys

import pytest
import yaml

from .processes import ROOT, run_in

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(300)]
# few jobs, and files of the user that are not those of the checkout
CONFIG = {
    "countries": ["FI", "EE"],
    "regions": ["chr17:43000000-43200000"],
    "cohort": {"people_per_country": 12},
}
# every path that a job reads, writes or gets as a param, by what it is
PATHS = """
from itertools import chain
from snakemake.cli import main
from snakemake.workflow import Workflow

def tell(workflow):
    workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True)
    workflow._build_dag()
    for job in workflow.dag.jobs:
        benchmark = [job.benchmark] if job.benchmark else []
        files = chain(job.input, job.output, job.log, benchmark, texts(list(job.params)))
        for file in files:
            print("path", job.rule.name, file)

def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)

Workflow.local_exec = property(lambda workflow: False)
Workflow.printdag = tell
main()
"""


def use(folder, checkout=ROOT, snakefile="workflow/Snakefile", prefix="", config="config"):
    """Write the files of a deployed copy: a declaration of the module, and a configuration."""
    (folder / "workflow").mkdir(parents=True)
    (folder / "config").symlink_to(ROOT / "config")
    (folder / "overlay.yaml").write_text(yaml.safe_dump(CONFIG))
    (folder / "workflow/Snakefile").write_text(
        'configfile: "config/config.yaml"\nconfigfile: "overlay.yaml"\n'
        f'module rehearsal:\n    snakefile: "{checkout / snakefile}"\n    config: {config}\n'
        + (f'    prefix: "{prefix}"\n' if prefix else "")
        + "use rule * from rehearsal as eu_*\n"
    )
    return folder


def snakemake(cwd, *options, program=("-m", "snakemake"), within=(), **environment):
    """Run Snakemake, without the default profile."""
    command = [*within, sys.executable, *program, "--cores", "2", "--workflow-profile", "none"]
    return run_in(cwd, *command, *options, timeout_s=280, **environment)


def planned_paths(folder, *options, **environment):
    """All paths of the planned jobs, with the rule."""
    done = snakemake(folder, "--dag", *options, program=("-c", PATHS), **environment)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line.split(" ", 2)[1:] for line in done.stdout.splitlines() if line[:5] == "path "]
    assert len(lines) > 300
    return lines


def test_every_result_of_a_module_is_under_its_prefix(tmp_path):
    paths = planned_paths(use(tmp_path / "run", prefix="eu"))
    assert {rule[:3] for rule, _ in paths} == {"eu_"}
    assert [one for one in paths if one[1].startswith("results/")] == []
    assert not any("eu/eu/" in path or path.startswith("eu/config") for _, path in paths)
    assert any(path == "eu/results/nodes/FI" for _, path in paths)  # a folder as a param
    assert any(path == "config/traits.yaml" for _, path in paths)
    assert any(path == "eu/results/logs/run_queries.log" for _, path in paths)
    assert any(path == "eu/results/benchmarks" for _, path in paths)
    assert any(path == "eu/results/recombination/chr17.map.gz" for _, path in paths)


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_a_module_without_prefix_takes_another_configuration(tmp_path, snakefile):
    config = '{**config, "results": "elsewhere", "bench": None, "stories": None}'
    paths = planned_paths(use(tmp_path / "run", snakefile=snakefile, config=config))
    assert any(path == "elsewhere/nodes/EE" for _, path in paths)
    assert not any(path.startswith("results/") or "measure_load" in rule for rule, path in paths)


def test_directory_moves_the_run(tmp_path):
    folder = use(tmp_path / "run")
    start = ["--snakefile", folder / "workflow/Snakefile", "--directory", folder]
    (tmp_path / "other").mkdir()
    done = snakemake(tmp_path / "other", "-n", "--quiet", *start)
    assert done.returncode == 0, done.stderr[-3000:]
    assert {one.name for one in (tmp_path / "other").iterdir()} <= {"cache"}


def test_a_module_at_an_address_is_one_clear_line(tmp_path):
    folder, repository = use(tmp_path / "run"), tmp_path / "repository"
    shutil.copytree(ROOT / "workflow", repository / "workflow")
    git = ["git", "-C", repository, "-c", "user.name=me", "-c", "user.email=me@example.org"]
    for command in (["init"], ["add", "."], ["commit", "-m", "one"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    file = folder / "workflow/Snakefile"
    # Snakemake finds no file beside one at the root of a local repository
    there = f'gitfile("{repository}", path="workflow/rules/common.smk", ref="HEAD")'
    file.write_text(file.read_text().replace(f'"{ROOT}/workflow/Snakefile"', there))
    done = snakemake(folder, "-n")
    assert done.returncode != 0
    assert "a module needs a checkout on disk" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_two_modules_with_their_own_configurations_are_one_plan(tmp_path):
    folder = use(tmp_path / "run")
    default = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    own = default | CONFIG | {"cohort": default["cohort"] | CONFIG["cohort"]}
    (folder / "both.yaml").write_text(yaml.safe_dump({"one": own, "two": own | {"bench": None}}))
    module = f'    snakefile: "{ROOT}/workflow/Snakefile"\n'
    (folder / "workflow/Snakefile").write_text(
        'configfile: "both.yaml"\n'
        + "".join(
            f'module {name}:\n{module}    config: config["{name}"]\n    prefix: "of_{name}"\n'
            f"use rule * from {name} as {name}_*\n"
            for name in ("one", "two")
        )
        + "rule both:\n    default_target: True\n"
        "    input: rules.one_catalog.input, rules.two_catalog.input\n"
    )
    paths = planned_paths(folder)
    assert any(path == "of_one/results/bench/load.parquet" for _, path in paths)
    assert any(path == "of_two/results/nodes/EE" for _, path in paths)
    assert not any(path.startswith("of_two/results/bench/load") for _, path in paths)

    wrong = snakemake(folder, "-n", "--config", "two={regionss: 4, bench: null, seed: x}")
    assert wrong.returncode != 0
    for line in ("two.regionss: expected one of the keys", "two.seed: expected a whole number"):
        assert f"the command line (--config): {line}" in wrong.stderr
    assert "bench: expected" not in wrong.stderr  # null is no text here either
    assert "Traceback" not in wrong.stdout + wrong.stderr

    single = snakemake(folder, "-n", "--config", "two=4")
    assert single.returncode != 0
    line = "the command line (--config): two: expected a mapping of keys to values, found 4"
    assert line in single.stderr + single.stdout
    assert "AttributeError" not in single.stdout + single.stderr


READ_ONLY = (
    'for folder in "$CHECKOUT" "$HOME"; do '
    'mount --bind "$folder" "$folder" && mount -o remount,ro,bind "$folder" || exit 9; '
    'touch "$folder/new" 2>/dev/null && exit 9; done; exec "$@"'
)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="wants root, unshare")
def test_checkout_and_home_can_be_read_only(tmp_path):
    folder = use(tmp_path / "run")
    (tmp_path / "home").mkdir()
    done = snakemake(
        folder,
        *("--until", "eu_simulate_people", "--", "eu_dataset"),
        within=("unshare", "--mount", "sh", "-c", READ_ONLY, "sh"),
        CHECKOUT=str(ROOT),
        HOME=str(tmp_path / "home"),
    )
    if done.returncode == 9:
        pytest.skip("may not mount")
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert (folder / "results/cohort/people.parquet").exists()


def in_storage(folder):
    """Options of Snakemake that keep all files in another folder, by its real storage plugin."""
    pytest.importorskip("snakemake_storage_plugin_fs")
    storage = ["--default-storage-provider", "fs"]
    return [*storage, "--default-storage-prefix", folder / "bucket"]


def test_a_storage_has_all_files_that_nodes_serve(tmp_path):
    folder = use(tmp_path / "run")
    start = ["--snakefile", ROOT / "Snakefile", "--configfile", "overlay.yaml"]
    paths = planned_paths(folder, *start, *in_storage(folder))
    local = f".snakemake/storage/fs{folder}/bucket/results/nodes/FI/"
    asked = {path.removeprefix(local) for rule, path in paths if rule == "run_queries"}
    served = {"node.yaml", "variants.sqlite", "people.sqlite", "reference/reference.fa.gz"}
    served |= {"issuer.jwks.json", "phenotypes/diseases.parquet", "catalogue/catalogue.ttl"}
    served |= {f"genomes/chr17-43000000-43200000.bcf{end}" for end in ("", ".csi")}
    assert served <= asked
    assert "config/traits.yaml" in {path for _, path in paths}  # of the user, in no storage


@pytest.mark.skipif(not shutil.which("rsync"), reason="the plugin calls rsync")
def test_jobs_find_their_files_in_a_storage(tmp_path):
    folder = use(tmp_path / "run")
    start = ["--snakefile", ROOT / "Snakefile", "--configfile", "overlay.yaml"]
    done = snakemake(
        folder, *start, *in_storage(folder), "--until", "draw_consent", "--", "dataset"
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert (folder / "bucket/results/phenotypes/consent.parquet").exists()
    assert not (folder / "results").exists()
