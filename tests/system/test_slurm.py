"""The default configuration on a real cluster scheduler makes what it makes on one machine."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from rehearsal.manifest import compare_manifests
from rehearsal.node.intake.people_table import read_individuals
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_node

from .slurm_cluster import one_node_slurm, why_not

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
            *("--max-threads", str(os.cpu_count())),  # no job can have more cores than the machine
        ],
        cwd=ROOT,
        env=cluster,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    on_slurm = json.loads((tmp_path / "results/manifest.json").read_text())
    assert compare_manifests(json.loads(LOCAL.read_text()), on_slurm) == []
    summary = json.loads((tmp_path / "results/report/summary.json").read_text())
    assert queue(cluster) == ""
    assert summary["federation"]["exact"] == summary["federation"]["queries"] > 0


VCF = """\
##fileformat=VCFv4.3
##contig=<ID=chr22,length=50818468>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tone\ttwo
chr22\t20000001\t.\tA\tG\t.\t.\t.\tGT\t0/1\t1/1
"""


def small_nodes(folder):
    (folder / "all.vcf").write_text(VCF)
    (folder / "people.tsv").write_text("id\tsex\tbirth_year\none\tfemale\t1980\ntwo\tmale\t1980\n")
    people = read_individuals(folder / "people.tsv")
    for code in ("FI", "SE"):
        settings = NodeSettings.for_country(code, code)
        build_node([folder / "all.vcf"], people, settings, folder / code)


def launch_script(folder):
    """A program that starts two nodes as cluster jobs, asks them, and waits to be killed."""
    return f"""
import json, sys, time, urllib.request
from pathlib import Path
from rehearsal.network.launcher import running_nodes
folder = Path({str(folder)!r})
nodes = {{code: folder / code for code in ("FI", "SE")}}
srun = "srun --ntasks=1 --mem=300"
with running_nodes(nodes, folder / "logs", prefix=srun) as started:
    told = [json.load(urllib.request.urlopen(f"{{node.url}}/info")) for node in started]
    print(json.dumps([[node.url, one["response"]["id"]] for node, one in zip(started, told)]))
    sys.stdout.flush()
    if "--wait" in sys.argv:
        time.sleep(600)
"""


def test_nodes_run_as_cluster_jobs_and_end_with_the_block(cluster, tmp_path):
    small_nodes(tmp_path)
    script = launch_script(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", script], env=cluster, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [identifier for _, identifier in told] == ["org.rehearsal.fi", "org.rehearsal.se"]
    assert not any("127.0.0.1" in url for url, _ in told)
    wait_for_an_empty_queue(cluster)


def test_cluster_jobs_of_nodes_do_not_outlive_a_killed_launcher(cluster, tmp_path):
    small_nodes(tmp_path)
    launcher = subprocess.Popen(
        [sys.executable, "-c", launch_script(tmp_path), "--wait"],
        env=cluster,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert json.loads(launcher.stdout.readline())
    launcher.kill()
    launcher.wait()
    wait_for_an_empty_queue(cluster)


def queue(cluster):
    return subprocess.run(
        ["squeue", "--noheader"], env=cluster, capture_output=True, text=True, check=True
    ).stdout


def wait_for_an_empty_queue(cluster):
    until = time.monotonic() + 60
    while queue(cluster):
        assert time.monotonic() < until, queue(cluster)
        time.sleep(0.5)
