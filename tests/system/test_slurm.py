"""The default configuration on a real cluster scheduler makes what it makes on one machine."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from slurm_cluster import one_node_slurm, why_not

from rehearsal.manifest import differences

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / "results/manifest.json"

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.system,
    pytest.mark.timeout(2400),
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]


@pytest.fixture(scope="module")
def cluster():
    with (
        tempfile.TemporaryDirectory(prefix="slurm-", dir="/tmp") as folder,
        one_node_slurm(Path(folder)) as environment,
    ):
        yield os.environ | environment


@pytest.mark.skipif(not LOCAL.exists(), reason="compares with results/: make run first")
def test_the_default_run_on_slurm_makes_the_same_content(cluster, tmp_path):
    # what a job reads and writes must be where every machine of a cluster sees it
    overlay = tmp_path / "here.yaml"
    overlay.write_text(json.dumps({"results": str(tmp_path / "results")}))
    run = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm"),
            *("--configfile", overlay, "--slurm-logdir", tmp_path / "slurm"),
        ],
        cwd=ROOT,
        env=cluster,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    on_slurm = json.loads((tmp_path / "results/manifest.json").read_text())
    assert differences(json.loads(LOCAL.read_text()), on_slurm) == []
    summary = json.loads((tmp_path / "results/report/summary.json").read_text())
    assert summary["federation"]["exact"] == summary["federation"]["queries"] > 0


def test_nothing_is_left_in_the_queue(cluster):
    queue = subprocess.run(
        ["squeue", "--noheader"], env=cluster, capture_output=True, text=True, check=True
    )
    assert queue.stdout == ""
