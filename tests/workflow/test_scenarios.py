"""The example that runs two configurations side by side, as its page says to start it."""

import html
import re
import sys

import pytest

from .processes import ROOT, run_in
from .small_runs import CRASHES

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(1200)]


def compare(folder, *options):
    """Start the example in a folder with the configuration of the checkout."""
    (folder / "config").symlink_to(ROOT / "config")
    example = ROOT / "docs/examples/scenarios/Snakefile"
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--snakefile", example]
    command += ["--workflow-profile", ROOT / "profiles/default", *options]
    return run_in(folder, *command, timeout_s=1100)


def table_of(page):
    """The rows of a page's table by what they are about: its other cells."""
    rows = [
        [html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>([^<]*)<", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    ]
    return {(part, what): others for part, what, *others in rows}


def test_both_scenarios_are_one_plan(tmp_path):
    planned = compare(tmp_path, "--dry-run")
    assert planned.returncode == 0, planned.stderr[-3000:]
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", planned.stdout + planned.stderr, re.MULTILINE))
    assert jobs["before_build_variant_store"] == "2"
    assert jobs["after_build_variant_store"] == "3"
    assert jobs["compare"] == "1"


def test_the_page_has_what_was_asked_and_given_and_marks_what_differs(tmp_path):
    ended = compare(tmp_path)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said[-3000:]
    assert not [word for word in CRASHES if word in said]
    page = (tmp_path / "scenarios/index.html").read_text()
    rows = table_of(page)
    assert rows["Part", "What"] == ["before", "after", "Difference"]
    asked = {what: cells for (part, what), cells in rows.items() if part == "Asked"}
    assert asked == {"countries": ["EE, FI", "EE, FI, LV", "differs"]}
    assert rows["People", "individuals"] == ["24", "36", "+12"]
    assert rows["People", "blocks"] == ["1", "1", ""]
    assert rows["Verdict", "failures"] == ["0", "0", ""]
    measures = [what for part, what in rows if part == "Realism"]
    assert "(not judged)" in " ".join(measures)  # by 24 people
    different = sum(cells[-1] != "" for cells in rows.values()) - 1
    assert f"{different} of {len(rows) - 1} rows differ" in page
    for link in re.findall(r'href="(\w+/[^"]+)"', page):
        assert (tmp_path / "scenarios" / link).exists(), link
    assert said.count("after_build_variant_store: 3 of 3 jobs") == 1
