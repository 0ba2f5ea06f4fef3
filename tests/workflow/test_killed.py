"""A killed Snakemake leaves no process behind: jobs, nodes and what watches them end."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUB = ROOT / "tests/system/network_stub.py"
COUNTRIES = ("AT", "BE", "FI")
# one rule behind the workflow's own functions; nodes that hang, so that it does not end by itself
SNAKEFILE = """
configfile: "config/config.yaml"
include: "workflow/rules/common.smk"
rule ask:
    output: "never"
    log: "ask.log"
    script: "ask.py"
"""
SCRIPT = f"""
import sys, time
from pathlib import Path
from rehearsal.logs import log_to_file
from rehearsal.network.launcher import running_nodes
def command(launch):
    return [sys.executable, {str(STUB)!r}, str(launch.folder), str(launch.endpoint)]
with log_to_file(snakemake.log[0]):
    folders = {{country: Path("hung") for country in {COUNTRIES!r}}}
    with running_nodes(folders, Path("nodes"), 60, command):
        time.sleep(600)
"""

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(240)]


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux only")
def test_a_killed_snakemake_leaves_no_process_behind(tmp_path):
    for name in ("rehearsal", "workflow", "config"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "ask.py").write_text(SCRIPT)
    run = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--workflow-profile", "none"],
        cwd=tmp_path,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        stdout=subprocess.DEVNULL,
        stderr=(tmp_path / "stderr").open("w"),
    )
    try:
        endpoints = tmp_path / "nodes"
        wait_for(lambda: len(list(endpoints.glob("??.endpoint.json"))) == len(COUNTRIES), 120)
        # Snakemake, its job, the script, what watches the nodes, the nodes
        assert len(processes_in(tmp_path)) > len(COUNTRIES) + 2
    finally:
        run.kill()
        run.wait()
    wait_for(lambda: not processes_in(tmp_path), 60)


def wait_for(what, timeout_s):
    until = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < until, "that did not come"
        time.sleep(0.05)


def processes_in(place):
    """Processes that have a folder as their working directory."""
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if (one / "cwd").readlink() == place:
                found.append(int(one.name))
        except OSError:
            continue
    return found
