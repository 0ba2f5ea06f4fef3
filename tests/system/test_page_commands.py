"""The commands of the pages do what the pages say: each page is run in one shell."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from docs_build.page_commands import blocks, pages, script
from rehearsal.node.wes.sandbox import why_no_sandbox
from tests.workflow.processes import made_once

from .small_run import ROOT, make_small_run

pytestmark = [pytest.mark.system, pytest.mark.timeout(1300)]

SLOW_MACHINE_S = 240.0
ALGORITHM = "docs/tutorials/bring-your-algorithm.md"  # has a test of its own
RUN = [
    str(page.relative_to(ROOT))
    for page in pages(ROOT)
    if not all(block.reason for block in blocks(page.read_text())) and page != ROOT / ALGORITHM
]
# what is printed when the page did what it says
PRINTED = {
    "docs/how-to/query-a-node.md": [r'"responseSummary":\{"exists":true'],
    "docs/how-to/query-the-network.md": [r'"states":\{"answered":5\},"complete":true'],
    "docs/how-to/serve-your-own-vcf.md": [r"^(\d+) records read, \1 taken, 0 left out$"],
    "docs/how-to/subscribe-to-patients.md": [r"^IT-NEW-1$"],
    "docs/how-to/use-a-token.md": [r"FI\.jsonl: \d+ lines, head [0-9a-f]{64}"],
    "docs/tutorials/make-a-dataset.md": [r"^(\d+) right of \1; judged"],
}


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """The results of one small run, made once for all workers."""
    return made_once(tmp_path_factory, "small-run-of-pages", make_results)


def make_results(folder):
    """Make a small run in a folder; return its results."""
    shutil.copytree(ROOT / "config", folder / "config")
    make_small_run(folder, timeout_s=1000)
    return folder / "results"


@pytest.fixture
def checkout(tmp_path):
    """A folder with the environment and the configuration in it, as the pages expect."""
    (tmp_path / ".venv/bin").mkdir(parents=True)
    command = tmp_path / ".venv/bin/rehearsal"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m rehearsal "$@"\n')
    command.chmod(0o755)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path


@pytest.mark.parametrize("page", RUN)
def test_the_commands_of_a_page_run_to_their_end(page, checkout, request):
    commands = script(ROOT / page, checkout)
    for tool in ("htsget", "bcftools", "crypt4gh"):
        if (
            re.search(rf"^{tool} ", commands, re.M)
            and shutil.which(tool, path=search_path()) is None
        ):
            pytest.skip(f"{tool} is not installed")
    if "results/" in commands:
        made = request.getfixturevalue("finished_run")
        shutil.copytree(made, checkout / "results", symlinks=True)
    status, said = run(commands, checkout)
    assert status == 0, said
    for pattern in PRINTED.get(page, ()):
        assert re.search(pattern, said, re.M), said


def test_the_page_on_your_own_vcf_shows_what_its_commands_print(checkout):
    page = ROOT / "docs/how-to/serve-your-own-vcf.md"
    shown = re.findall(r"```text\n(.*?)```", page.read_text(), re.S)
    commands = script(page, checkout).replace("--out mynode", "--out mynode --access open")
    status, said = run(commands, checkout)
    assert status == 0, said
    printed = [line for line in said.splitlines() if not line.startswith("+")]
    assert len(shown) == 2
    for line in "".join(shown).splitlines():
        assert line in printed, said


def test_the_page_on_algorithms_shows_airlock_masks_and_consent(checkout, finished_run):
    if reason := why_no_sandbox():
        pytest.skip(reason)
    shutil.copytree(finished_run, checkout / "results", symlinks=True)
    page = ROOT / ALGORITHM
    status, said = run(script(page, checkout), checkout)
    assert status == 0, said
    printed = said.splitlines()
    shown = "".join(re.findall(r"```text\n(.*?)```", page.read_text(), re.S)).splitlines()
    assert len(shown) == 5
    assert [line for line in shown if line not in printed] == [], said
    # airlock: without it a group of one tells the value of a person; with it nothing leaves
    assert not list((checkout / "tmp/study/out/naive").glob("*.tsv"))
    assert re.search(r"^\w+-round-0  naive .* about fewer people .* waits$", said, re.M), said
    # masks: more people are told of, and no node tells its sums
    (told,) = re.findall(r"^people in clear: (\d*), masked: (\d+)$", said, re.M)
    assert int(told[0] or 0) < int(told[1])
    # consent: the purpose decides who is in the view
    research, ancestry = (
        int(re.search(rf"^people for {purpose} research.*: (\d+)$", said, re.M)[1])
        for purpose in ("biomedical", "ancestry")
    )
    assert 0 < ancestry < research


def test_the_page_on_files_names_every_file_and_column_of_a_run(finished_run):
    """Of the folders that the small run fills. Tables of Fst have a column per country."""
    page = (ROOT / "docs/reference/files.md").read_text()
    named = set(re.findall(r"`([^`\s]+)`", page)) | {"BE", "DE", "ES", "FI", "IT", "PL", "SE"}
    named.add("__index_level_0__")
    for folder in ("cohort", "demography", "phenotypes", "truth", "network", "queries"):
        for table in (finished_run / folder).glob("*.parquet"):
            assert table.name in named
            assert set(pq.read_schema(table).names) <= named, table


def search_path():
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def run(commands, folder):
    """Run a script in a session of its own; servers that it started end with it."""
    printed = folder / "printed"
    with printed.open("w") as output:
        shell = subprocess.Popen(
            ["bash", "-xc", commands],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": search_path()},
            start_new_session=True,
        )
        try:
            status = shell.wait(timeout=SLOW_MACHINE_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    return status, printed.read_text()
