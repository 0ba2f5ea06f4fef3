"""Common htsget clients read a region from a running node with a token, and only with one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import msprime
import numpy as np
import pandas as pd
import pytest

from rehearsal.formats.crypt4gh import encrypt_at_rest
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Block
from rehearsal.network.issuer import (
    CENTRAL_COMMITTEE,
    TRUSTED,
    Issuer,
    make_issuer,
    rehearsal_access,
)
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.stores.country_shards import write_shards
from rehearsal.stores.people_store_writer import build_people

from .starting import told_when_ready

pytestmark = pytest.mark.system

SLOW_MACHINE_S = 60.0
LONGEST_CONTIG = max(CONTIG_LENGTHS.values())
BLOCKS = (
    Block("chr17", 43_000_000, 43_200_000),
    Block("chr22", 20_000_000, 20_200_000),
    Block("chr22", 20_200_000, 20_400_000),
)
PEOPLE = 40
REGION = {"referenceName": "chr22", "start": 20_150_000, "end": 20_250_000}


def tool(name: str) -> str:
    path = shutil.which(name, path=Path(sys.executable).parent) or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def make_node(folder: Path, issuer: Issuer) -> None:
    """A node made by the workflow, whose people permit every use."""
    (folder / "genomes").mkdir(parents=True)
    people = pd.DataFrame({"id": [f"FI-{i + 1:06d}" for i in range(PEOPLE)], "country": "FI"})
    people = people.assign(sex=np.repeat(["female", "male"], PEOPLE // 2), birth_year=1970)
    paths = []
    for seed, block in enumerate(BLOCKS, start=1):
        ts = msprime.sim_ancestry(
            PEOPLE, population_size=10_000, sequence_length=block.length, random_seed=seed
        )
        ts = msprime.sim_mutations(ts, rate=5e-8, random_seed=seed)
        tables = ts.dump_tables()
        tables.sequence_length = CONTIG_LENGTHS[block.contig]
        tables.edges.left, tables.edges.right = (
            tables.edges.left + block.start,
            tables.edges.right + block.start,
        )
        tables.sites.position = tables.sites.position + block.start
        tables.sort()
        paths.append(folder / "genomes" / f"{block.id}.bcf")
        write_shards(tables.tree_sequence(), block, people, {"FI": paths[-1]}, {})
    NodeSettings.for_country("FI", "Finland", access=rehearsal_access("FI")).write(folder)
    shutil.copy(issuer.folder / "jwks.json", folder / TRUSTED)
    build_from_vcf(paths, people, folder / "variants.sqlite")
    consent = pd.DataFrame({"individual": people["id"], "basis": "x", "uses": "DUO:0000004"})
    tables = {"consent": consent.assign(withdrawn=False)}
    people = people.assign(family=None, father=None, mother=None)
    build_people(people, tables, folder / "people.sqlite")


@contextmanager
def running(folder: Path, endpoint: Path, *options: str):
    command = [sys.executable, "-m", "rehearsal", "node", "serve", str(folder)]
    command += ["--endpoint-file", str(endpoint), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        told = told_when_ready(process, endpoint, SLOW_MACHINE_S)
        yield f"{told['url']}/htsget/variants/GDI-FI-REHEARSAL-1"
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A node that gives genomes to those with the right token, and its folder; a passport with a
    committee's grant, and one without."""
    top = tmp_path_factory.mktemp("nodes")
    folder, issuer = top / "FI", make_issuer(top / "issuer")
    make_node(folder, issuer)
    right, wrong = (
        sign_tokens(issuer, create_person("researcher", "BE", grants)).passport
        for grants in ([CENTRAL_COMMITTEE], [])
    )
    with running(folder, folder / "endpoint.json") as url:
        yield SimpleNamespace(url=url, folder=folder, right=right, wrong=wrong)


def rows(path: Path | str, *options: str, environment: dict[str, str] | None = None) -> list[str]:
    """Records as ``bcftools view`` prints them."""
    command = [tool("bcftools"), "view", "--no-version", "-H", *options, str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **(environment or {})}
    )
    assert done.returncode == 0, done.stderr
    assert "truncated" not in done.stderr
    return done.stdout.splitlines()


def stored_rows(node, contig=None, start=0, end=LONGEST_CONTIG) -> list[str]:
    """Read the same records from the files with bcftools and its own index: 1-based, closed."""
    place = (lambda name: ["-r", f"{name}:{start + 1}-{end}"]) if contig else lambda name: []
    found = []
    for block in BLOCKS:
        if contig in (None, block.contig):
            path = node.folder / "genomes" / f"{block.id}.bcf"
            found += rows(path, *place(block.contig))
    return found


def client(node, out: Path, *options: str) -> subprocess.CompletedProcess:
    command = [tool("htsget"), node.url, "-O", str(out), "-M", "0", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=SLOW_MACHINE_S)


PLACE = ("-r", "chr22", "-s", str(REGION["start"]), "-e", str(REGION["end"]))


@pytest.mark.parametrize("fmt", ["BCF", "VCF"])
def test_the_htsget_client_reads_a_region_with_a_token(node, tmp_path, fmt):
    out = tmp_path / "region"
    done = client(node, out, "-f", fmt, *PLACE, "-b", node.right)
    assert done.returncode == 0, done.stderr
    expected = stored_rows(node, "chr22", REGION["start"], REGION["end"])
    assert len(expected) > 50
    assert rows(out) == expected


@pytest.mark.parametrize("shown", ["none", "wrong"])
def test_the_htsget_client_is_refused_without_the_token(node, tmp_path, shown):
    out = tmp_path / "region"
    done = client(node, out, *PLACE, *(("-b", node.wrong) if shown == "wrong" else ()))
    assert done.returncode != 0
    assert {"none": "401", "wrong": "403"}[shown] in done.stderr
    assert out.read_bytes() == b""


@pytest.mark.parametrize("fmt", ["BCF", "VCF"])
def test_the_htsget_client_reads_all_contigs_into_one_file(node, tmp_path, fmt):
    out = tmp_path / "all"
    assert client(node, out, "-f", fmt, "-b", node.right).returncode == 0
    assert rows(out) == stored_rows(node)


def with_token(token: str, folder: Path) -> dict[str, str]:
    """Environment that gives htslib a token; loopback is not encrypted."""
    (folder / "token").write_text(token)
    return {
        "HTS_AUTH_LOCATION": str(folder / "token"),
        "HTS_ALLOW_UNENCRYPTED_AUTHORIZATION_HEADER": "I understand the risks",
    }


@pytest.mark.parametrize("fmt", ["BCF", "VCF"])
def test_bcftools_reads_a_region_from_the_node_itself(node, tmp_path, fmt):
    address = f"{node.url}?format={fmt}&referenceName=chr22&start=20150000&end=20250000"
    got = rows(address, environment=with_token(node.right, tmp_path))
    assert got == stored_rows(node, "chr22", REGION["start"], REGION["end"])


def test_bcftools_is_refused_without_the_token(node):
    command = [tool("bcftools"), "view", "-H", f"{node.url}?format=BCF"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stdout == ""


def test_genomes_encrypted_at_rest_are_read_just_so(node, tmp_path):
    folder = tmp_path / "FI"
    shutil.copytree(node.folder, folder, ignore=shutil.ignore_patterns("endpoint.json"))
    encrypt_at_rest(folder)
    assert not list(folder.rglob("*.bcf"))
    with running(folder, tmp_path / "endpoint.json") as url:
        encrypted = SimpleNamespace(url=url, folder=folder)
        for fmt in ("BCF", "VCF"):
            out = tmp_path / fmt
            assert client(encrypted, out, "-f", fmt, *PLACE, "-b", node.right).returncode == 0
            assert rows(out) == stored_rows(node, "chr22", REGION["start"], REGION["end"])
    assert not list(folder.rglob("*.bcf"))


@pytest.mark.parametrize("fmt", ["BCF", "VCF"])
def test_a_file_damaged_within_is_never_passed_off_as_whole(node, tmp_path, fmt):
    folder = tmp_path / "FI"
    shutil.copytree(node.folder, folder, ignore=shutil.ignore_patterns("endpoint.json"))
    encrypt_at_rest(folder)
    for path in (folder / "genomes").glob("chr22*.bcf.c4gh"):
        content = bytearray(path.read_bytes())
        content[-1000] ^= 1
        path.write_bytes(content)
    with running(folder, tmp_path / "endpoint.json") as url:
        damaged = SimpleNamespace(url=url, folder=folder)
        done = client(damaged, tmp_path / "out", "-f", fmt, "-b", node.right)
    assert done.returncode != 0
