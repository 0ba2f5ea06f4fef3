"""Scoring files are written in the PGS Catalog's format and read back, or refused in one line."""

import gzip

import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.export.scoring_files import write_scoring_file
from rehearsal.files import content_digest
from rehearsal.formats.scoring_file import Weight, read_scoring_file
from rehearsal.phenotypes.trait_types import Disease

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
