"""Scoring files are written in the PGS Catalog's format and read back, or refused in one line."""

import gzip
import math
import shutil
import subprocess
import sys
from dataclasses import replace

import msprime
import numpy as np
import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.export.genotypes import Genotypes
from rehearsal.export.pgen import write_pgen
from rehearsal.export.scoring_files import write_scoring_file
from rehearsal.files import content_digest
from rehearsal.formats.scoring_file import Weight, read_scoring_file
from rehearsal.phenotypes.trait_types import Disease, Genetics

DISEASE = Disease("heart", "ICD10:I25.1", "Heart", "MONDO:0005010", "heart", {}, None, {}, (), ())
EFFECTS = pd.DataFrame(
    [
        ("heart", "chr22", 20_000_000, "A", "G", 0.5, 0.25),
        ("other", "chr22", 20_000_001, "C", "T", 9.0, 0.1),
        ("heart", "chr1", 99, "C", "CA", -0.125, 0.4),
    ],
    columns=["trait", "contig", "start", "ref", "alt", "effect", "frequency"],
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "heart.txt.gz"


def test_a_scoring_file_has_the_catalogs_header_and_one_based_positions(path):
    write_scoring_file(EFFECTS, DISEASE, path)
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert lines[0].startswith("###PGS CATALOG SCORING FILE")
    assert {"#format_version=2.0", "#genome_build=GRCh38", "#variants_number=2"} <= set(lines)
    assert "synthetic" in lines[0]
    columns, *rows = (line.split("\t") for line in lines if not line.startswith("#"))
    assert columns[:5] == [
        "chr_name",
        "chr_position",
        "effect_allele",
        "other_allele",
        "effect_weight",
    ]
    assert rows == [
        ["1", "100", "CA", "C", "-0.125", "0.4"],
        ["22", "20000001", "G", "A", "0.5", "0.25"],
    ]


@pytest.mark.parametrize(
    ("genetics", "told"),
    [
        (Genetics(0.25, 2, 0.01, 0.0), {"#effect_per_weight=0.5", "#effect_unit=liability"}),
        (
            Genetics(0.0, 2, 0.01, 0.0, hazard_ratio_per_sd=math.e),
            {"#effect_per_weight=1.0", "#effect_unit=log hazard"},
        ),
    ],
)
def test_the_header_says_what_a_weight_does_to_the_disease(path, genetics, told):
    write_scoring_file(EFFECTS, replace(DISEASE, genetics=genetics), path)
    assert told <= set(gzip.decompress(path.read_bytes()).decode().splitlines())
    assert len(read_scoring_file(path).weights) == 2


def test_a_written_file_reads_back_with_its_scale(path):
    digest = write_scoring_file(EFFECTS, DISEASE, path)
    file = read_scoring_file(path)
    assert (file.digest, file.name, file.trait) == (digest, "rehearsal-heart", "Heart")
    assert digest == content_digest(path)
    assert file.weights == (
        Weight("chr1", 99, "C", "CA", -0.125),
        Weight("chr22", 20_000_000, "A", "G", 0.5),
    )
    assert (file.mean, file.sd) == (2 * (0.25 * 0.5 - 0.4 * 0.125), 1.0)


def test_the_same_effects_give_the_same_bytes(path, tmp_path):
    write_scoring_file(EFFECTS, DISEASE, path)
    write_scoring_file(EFFECTS, DISEASE, tmp_path / "again.txt.gz")
    assert path.read_bytes() == (tmp_path / "again.txt.gz").read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("GRCh38", "GRCh37", "genome_build: expected GRCh38, found 'GRCh37'"),
        ("#reference_mean=", "#mean=", "reference_mean: expected a number, found nothing"),
        (
            "#reference_sd=1.0",
            "#reference_sd=0",
            "reference_sd: expected a number above 0, found 0",
        ),
        (
            "other_allele",
            "another",
            "line 14: expected the columns .*, found no column other_allele",
        ),
        ("\t100\t", "\t0\t", "line 15: chr_position: .* at least 1, found '0'"),
        ("-0.125", "little", "line 15: effect_weight: expected a number, found 'little'"),
        ("\t-0.125\t0.4", "", "line 15: expected at least 5 columns, .*, found 4 columns"),
    ],
)
def test_a_fault_is_reported_with_its_file_and_line(path, tmp_path, old, new, complaint):
    write_scoring_file(EFFECTS, DISEASE, path)
    text = gzip.decompress(path.read_bytes()).decode()
    assert old in text
    faulty = tmp_path / "faulty.txt"
    faulty.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=f"faulty.txt: {complaint}"):
        read_scoring_file(faulty)


def call(module, function, *arguments):
    """Run a command of the PGS Catalog's programs in this Python."""
    code = f"from pgscatalog.{module} import {function}; {function}()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("plink2") is None, reason="plink2 is not installed")
def test_pgscatalog_match_finds_every_site_and_plink2_sums_them(tmp_path):
    pytest.importorskip("pgscatalog.match", reason="pgscatalog.match is not installed")
    ts = msprime.sim_ancestry(20, population_size=1000, sequence_length=50_000, random_seed=2)
    ts = msprime.sim_mutations(ts, rate=1e-7, random_seed=2)
    people = pd.DataFrame({"id": [f"FI-{n}" for n in range(20)], "country": "FI", "sex": "female"})
    write_pgen(Genotypes.of([ts], "chr22", people), tmp_path / "chr22.pgen")
    copies = ts.genotype_matrix().reshape(-1, 20, 2).sum(axis=2)
    weights = np.random.default_rng(5).normal(size=ts.num_sites)
    alleles = [(one.ancestral_state, one.mutations[0].derived_state) for one in ts.sites()]
    effects = pd.DataFrame(alleles, columns=["ref", "alt"]).assign(
        trait="heart",
        contig="chr22",
        start=ts.sites_position.astype(int),
        effect=weights,
        frequency=copies.mean(axis=1) / 2,
    )
    write_scoring_file(effects, DISEASE, tmp_path / "heart.txt.gz")

    (tmp_path / "same").mkdir()
    files = ("-s", tmp_path / "heart.txt.gz", "-o", tmp_path / "same", "-l", "log.json")
    call("core.cli.format_cli", "run", *files, "-t", "GRCh38")
    (tmp_path / "found").mkdir()
    files = ("-s", tmp_path / "same/normalised_heart.txt.gz", "-t", tmp_path / "chr22.match.pvar")
    options = ("-d", "FI", "--outdir", tmp_path / "found", "--keep_ambiguous", "--min_overlap=1")
    call("match.cli.match_cli", "run_match", *files, *options)
    found = pd.read_csv(tmp_path / "found/FI_summary.csv")
    assert (set(found["match_status"]), found["count"].sum()) == ({"matched"}, ts.num_sites)

    weights_file = tmp_path / "found/FI_ALL_additive_0.scorefile.gz"
    score = ("--score", weights_file, "header-read", "no-mean-imputation", "cols=+scoresums")
    options = ("--pfile", tmp_path / "chr22", *score, "--out", tmp_path / "sum")
    subprocess.run(["plink2", *map(str, options)], check=True, capture_output=True)
    sums = pd.read_csv(tmp_path / "sum.sscore", sep="\t").iloc[:, -1]
    np.testing.assert_allclose(sums, weights @ copies, rtol=1e-4)
