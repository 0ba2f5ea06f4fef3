"""The same seed gives the same files, whatever the number of cores and the order of jobs."""

import gzip
import hashlib
import json
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from rehearsal.formats.crypt4gh import make_key_pair
from rehearsal.manifest import compare_manifests, exclusion_reason

from .processes import ROOT, SNAKEMAKE, made_once, run_in

COUNTRIES = ("BE\t", "ES\t", "FI\t")
# every gene that a disease names, in one autosomal block, and one variant on X in a window
PLANTED = (
    ("BRCA1", "chr22", 20_050_001, "ACT", "A", "dominant", "*=0.05", ""),
    ("BRCA2", "chr22", 20_060_001, "G", "GT", "dominant", "*=0.05", ""),
    ("PHGDH", "chr22", 20_070_001, "T", "C", "recessive", "", "ES:homozygous=1"),
    ("TLR7", "chrX", 12_886_152, "A", "G", "X-linked", "", "BE:hemizygous=1"),
)

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(1300)]  # two runs, each in its own time


def write_overlay(folder):
    """Three countries of 12 people, 0.2 Mb of chr22 and a window of 0.1 Mb on X."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    for key in ("traits", "drug_genes", "consent", "genes", "transcripts", "queries"):
        config[key] = str(ROOT / config[key])
    config["analyses"] = str(ROOT / config["analyses"])
    config["policy"] = {key: str(ROOT / path) for key, path in config["policy"].items()}
    config["genome"]["reference_bases"] = str(ROOT / config["genome"]["reference_bases"])
    config["demography"]["parameters"] = str(ROOT / config["demography"]["parameters"])
    config["network"]["distances"] = str(ROOT / config["network"]["distances"])
    lines = (ROOT / "config/countries.tsv").read_text().splitlines()
    kept = [line for line in lines if line.startswith(("code", *COUNTRIES))]
    config["countries"] = write(folder / "countries.tsv", kept)
    header = (ROOT / "config/variants.tsv").read_text().splitlines()[0]
    rows = [
        "\t".join(map(str, (gene, "v", contig, place, ref, alt, how, "any", share, 0, who, "")))
        for gene, contig, place, ref, alt, how, share, who in PLANTED
    ]
    config["variants"] = write(folder / "variants.tsv", [header, *rows])
    config["stories"] = None
    config["cohort"]["people_per_country"] = 12
    config["genome"] |= {"regions": ["chr22:20000000-20200000"], "planted_window": 100_000}
    config["genome"]["masks"] = None
    formats = ["pgen", "zarr", "trees", "beacon", "fhir", "tables", "omop", "scores", "gwas"]
    region = ["chr22:20000000-20200000"]
    config["exports"] = [
        {"name": "given", "formats": formats, "countries": ["FI"], "regions": region},
        {"name": "carriers", "formats": ["beacon"], "pooled": True, "people": "carriers"},
        {
            "name": "sealed",
            "formats": ["bcf"],
            "countries": ["FI"],
            "regions": region,
            "recipients": [str(make_key_pair(folder / "keys").public)],
            "encrypted_only": True,
        },
    ]
    path = folder / "overlay.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def write(path, lines):
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def run(folder, overlay, cores, *options, **environment):
    """Runs the workflow up to its manifest in an empty folder; returns the manifest."""
    snakemake(folder, overlay, cores, *options, "--", "results/manifest.json", **environment)
    return json.loads((folder / "results/manifest.json").read_text())


def snakemake(folder, overlay, cores, *options, **environment):
    """Runs the workflow in a folder."""
    folder.mkdir(exist_ok=True)
    command = [*SNAKEMAKE, "--cores", str(cores), "--configfile", overlay, *options]
    result = run_in(folder, *command, timeout_s=600, **environment)
    assert result.returncode == 0, result.stderr[-3000:]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of two runs, their overlay and their manifests."""
    return made_once(tmp_path_factory, "two-runs", make_twice)


@pytest.fixture(scope="module")
def manifests(made):
    return made[2]


def make_twice(folder):
    """Run twice: one core; two cores, one thread each, and what came last now first."""
    folder.mkdir()
    overlay = write_overlay(folder)
    last_first = ("--prioritize", "results/nodes/FI/variants.sqlite", "results/realism/realism.tsv")
    with ThreadPoolExecutor(2) as side_by_side:
        one = side_by_side.submit(run, folder / "one", overlay, 1, OPENBLAS_NUM_THREADS="2")
        two = run(folder / "two", overlay, 2, *last_first, OPENBLAS_NUM_THREADS="1")
        return folder, overlay, (one.result(), two)


def test_two_runs_of_one_seed_agree_in_every_file(manifests):
    one, two = manifests
    assert compare_manifests(one, two) == []


def test_nothing_plain_is_left_of_an_export_that_is_to_be_encrypted_only(made):
    folder = made[0] / "one/results/exports/sealed"
    files = {str(path.relative_to(folder)) for path in folder.rglob("[!.]*") if path.is_file()}
    assert {"FI/chr22.bcf.c4gh", "truth.c4gh/queries.json.c4gh"} <= files
    metadata = {"catalogue.ttl", "catalogue.jsonld", "datasets.json"}
    assert {name for name in files if not name.endswith(".c4gh")} == {"encrypted.tsv"} | metadata


def test_the_manifest_holds_what_the_seed_decides_and_nothing_that_is_measured(manifests):
    paths = {entry["path"] for entry in manifests[0]["files"]}
    assert {
        "cohort/people.parquet",
        "cohort/blocks/chr22-20000000-20200000.trees",
        "cohort/blocks/chrX-12836000-12937000.trees",
        "demography/europe.demes.yaml",
        "exports/carriers/truth/queries.json",
        "exports/given/truth/allele_counts.tsv.gz",
        "nodes/BE/people.sqlite",
        "nodes/BE/matchmaker.sqlite",
        "nodes/ES/variants.sqlite",
        "nodes/FI/genomes/chr22-20000000-20200000.bcf",
        "phenotypes/diseases.parquet",
        "queries/suite.json",
        "realism/realism.tsv",
        "truth/answers.json",
    } <= paths
    assert not [path for path in paths if exclusion_reason(path)]


def test_genomes_at_rest_are_crypt4gh_that_the_standard_command_decrypts(made, tmp_path):
    """The same genomes, encrypted as they are written, for a key that the run makes."""
    runs, overlay, manifests = made
    command = shutil.which("crypt4gh", path=Path(sys.executable).parent)
    if command is None:
        pytest.skip("the crypt4gh command is not installed")
    genome = "nodes/FI/genomes/chrX-12836000-12937000.bcf"
    shutil.copytree(runs / "one", tmp_path / "run", symlinks=True)
    shutil.rmtree(tmp_path / "run/results/nodes")
    snakemake(
        *(tmp_path / "run", overlay, 2, "--config", "encrypt_at_rest=True"),
        *("--", f"results/{genome}.c4gh"),
    )
    node = tmp_path / "run/results/nodes/FI"
    assert [path.suffix for path in (node / "genomes").iterdir()] == [".c4gh", ".c4gh"]
    assert not list((tmp_path / "run/results").rglob("*.bcf"))
    secret = node / "keys/c4gh.sec"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    with (node / f"genomes/{Path(genome).name}.c4gh").open("rb") as encrypted:
        decrypt = [command, "decrypt", "--sk", secret]
        done = subprocess.run(decrypt, stdin=encrypted, capture_output=True, check=True)
    digest = {entry["path"]: entry["sha256"] for entry in manifests[0]["files"]}
    assert hashlib.sha256(gzip.decompress(done.stdout)).hexdigest() == digest[genome]
