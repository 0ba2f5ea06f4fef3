"""The paths and names in CONTRIBUTING.md exist."""

import re

import pytest

from docs_build.repository_links import FENCE

# what the walks on the page make
MADE = {"gene_edge", "sites", "sites.py", "export_sites.py", "people_count", "people_count.py"}
MADE |= {"PeopleCount.paths"}
SEARCHED = ("rehearsal", "docs_build", "tests", "workflow", "config", "scripts")
FILE = re.compile(r"\.?[\w-]+(?:/[\w.-]+)*/?(?:\.\w+)?")
NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


@pytest.fixture(scope="module")
def quoted(root):
    """The texts in backticks outside blocks of code, and the words of commands among them."""
    page = FENCE.sub("", (root / "CONTRIBUTING.md").read_text())
    return {word for text in re.findall(r"`([^`]+)`", page) for word in text.split()} - MADE


def test_every_path_exists(root, quoted):
    paths = {one for one in quoted if "/" in one and FILE.fullmatch(one) and one[:6] != ".venv/"}
    assert len(paths) > 40
    assert [path for path in sorted(paths) if not (root / path).exists()] == []


def test_every_file_name_without_a_folder_exists(root, quoted):
    names = {one for one in quoted if re.fullmatch(r"[\w-]+\.(?:md|py|smk|toml|txt|in|yaml)", one)}
    files = {path.name for path in root.glob("*")}
    files |= {path.name for place in SEARCHED for path in (root / place).rglob("*.*")}
    assert names
    assert sorted(names - files) == []


def test_every_name_of_code_exists(root, quoted):
    code = " ".join(
        path.read_text()
        for place in SEARCHED
        for path in (root / place).rglob("*.*")
        if path.suffix in (".py", ".smk", ".yaml") and path.name != "test_contributing_page.py"
    )
    words = set(re.findall(r"\w+", code))
    words |= set(re.findall(r"^(\w+):", (root / "Makefile").read_text(), re.M))
    names = {one for one in quoted if NAME.fullmatch(one)}
    names -= {one for one in names if (root / one).exists()}
    missing = {one for one in names if not set(one.split(".")) <= words}
    assert len(names) > 50
    assert sorted(missing) == []
