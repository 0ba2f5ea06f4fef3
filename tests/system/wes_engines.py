"""Two services of WES with the same workflow: a node of ours, and sapporo.

sapporo starts Snakemake by ``docker run``. Here a script of that name runs it without a container.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from rehearsal.node.settings.analysis_settings import AnalysisSettings
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.node.wes.algorithms import algorithm_digest
from rehearsal.stores.people_store_writer import build_people

from ..unit.node_algorithms import write_algorithm
from .starting import told_when_ready

SAPPORO = "sapporo==2.4.0"
SLOW_MACHINE_S = 120.0
# a workflow that both run: it adds numbers of its configuration, after a while or never
SNAKEFILE = """
rule all:
    output: "outputs/result.npz", "outputs/result.json"
    params: numbers=config["numbers"], pause=config.get("pause", 0)
    shell: "sleep {params.pause}; python {workflow.basedir}/add.py {params.numbers}"
"""
ADD = """
import json
import sys
import numpy as np

total = sum(map(int, sys.argv[1:]))
np.savez("outputs/result.npz", total=total)
about = {"people": 12, "additive": True, "arrays": {"total": {"class": "sum"}}}
json.dump(about, open("outputs/result.json", "w"))
"""
PARAMETERS = {
    "type": "object",
    "required": ["numbers"],
    "properties": {"numbers": {"type": "array", "items": {"type": "integer"}}},
}
DOCKER = """#!/usr/bin/env bash
# docker run OPTIONS IMAGE COMMAND: runs the command here
shift
while [[ $1 == -* ]]; do
  case $1 in
    -w=*) cd "${1#-w=}" ;;
    -v|-e|--cidfile|--entrypoint) shift ;;
  esac
  shift
done
shift
exec "$@"
"""


def write_workflow(folder: Path) -> Path:
    """The workflow as an algorithm of ours."""
    write_algorithm(
        folder, "", PARAMETERS, arrays={"total": "sum"}, summary="Adds numbers. It is for tests."
    )
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "add.py").write_text(ADD)
    (folder / "main.py").unlink()
    return folder


@contextmanager
def our_node(folder: Path):
    """A node that approves the workflow; yields the URL of its WES."""
    folder.mkdir()
    names = [f"FI-{i:06d}" for i in range(12)]
    people = pd.DataFrame({"id": names, "sex": "female", "birth_year": 1970})
    people = people.assign(family=None, father=None, mother=None)
    vcf = folder / "all.vcf"
    head = "##fileformat=VCFv4.3\n##contig=<ID=chr22,length=50818468>\n"
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    calls = ["chr22", "20000001", ".", "A", "G", ".", ".", ".", "GT", *["0/1"] * 12]
    vcf.write_text(head + "\t".join([*columns, *names]) + "\n" + "\t".join(calls) + "\n")
    build_from_vcf([vcf], people, folder / "variants.sqlite")
    build_people(people, {}, folder / "people.sqlite")
    digest = algorithm_digest(write_workflow(folder / "algorithms" / "add"))
    settings = NodeSettings.for_country("FI", "Finland").opened()
    limits = AnalysisSettings(memory_mb=1000, modes=("clear",))
    replace(settings, algorithms=(digest,), analyses=limits).write(folder)
    endpoint = folder / "endpoint.json"
    command = [sys.executable, "-m", "rehearsal.node.server", folder, "--port", "0"]
    process = subprocess.Popen([*command, "--endpoint-file", endpoint])
    try:
        url = told_when_ready(process, endpoint, SLOW_MACHINE_S)["url"]
        yield f"{url.rstrip('/')}/ga4gh/wes/v1"
    finally:
        process.terminate()
        process.wait()


def sapporo_command(place: Path) -> Path:
    """sapporo in an environment of its own, made once; skips without a package index."""
    command = place / "bin" / "sapporo"
    if not command.exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        install = [place / "bin" / "pip", "install", "--quiet", SAPPORO]
        made = subprocess.run(install, capture_output=True, text=True, check=False)
        if made.returncode:
            last = (made.stderr.strip().splitlines() or ["no reason given"])[-1]
            pytest.skip(f"{SAPPORO} cannot be installed: {last}")
    return command


@contextmanager
def sapporo(command: Path, folder: Path):
    """sapporo; yields its URL."""
    folder.mkdir()
    shims = folder / "bin"
    for needed in (shims, folder / "runs"):
        needed.mkdir()
    (shims / "docker").write_text(DOCKER)
    (shims / "docker").chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    places = [shims, Path(sys.executable).parent, command.parent]
    path = os.pathsep.join([*map(str, places), os.environ["PATH"]])
    options = ["--host", "127.0.0.1", "--port", str(port), "--run-dir", folder / "runs"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [command, *options],
            stdout=log,
            stderr=log,
            env={**os.environ, "PATH": path, "PYTHONPATH": ""},
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(f"{url}/service-info", process)
        yield url
    finally:
        process.terminate()
        process.wait()


def wait_until_it_answers(url: str, process: subprocess.Popen) -> None:
    until = time.monotonic() + SLOW_MACHINE_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.2)
