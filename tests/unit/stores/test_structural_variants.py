"""Structural variants in a country's files: the field's tools read the BCF, and stores agree."""

import shutil
import subprocess

import pandas as pd
import pysam
import pytest

from rehearsal.model import Block
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.stores.country_shards import write_shards
from rehearsal.stores.variant_store import VariantStore
from rehearsal.stores.variant_store_writer import build_store

from ..structural_block import LENGTH, make_structural_block

needs_bcftools = pytest.mark.skipif(
    shutil.which("bcftools") is None, reason="bcftools is not installed"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The BCF and the store of FI, and its people."""
    folder = tmp_path_factory.mktemp("structural")
    ts, people = make_structural_block()
    bcf, part = folder / "FI.bcf", folder / "FI.parquet"
    write_shards(ts, Block("chr22", 0, LENGTH), people, {"FI": bcf}, {"FI": part})
    people = people[people["country"] == "FI"].reset_index(drop=True)
    build_store([part], people, folder / "variants.sqlite")
    return bcf, folder / "variants.sqlite", people


def test_structural_variants_state_their_type_length_and_end(files):
    with pysam.VariantFile(str(files[0])) as file:
        found = {
            record.start: (record.info["SVTYPE"], record.info["SVLEN"], record.stop)
            for record in file
            if "SVTYPE" in record.info
        }
    assert found == {
        5_000: ("DEL", (-39_999,), 45_000),
        10_000: ("DUP", (300,), 10_301),
        12_000: ("INS", (281,), 12_001),
        20_000: ("INV", (2_000,), 22_001),
        30_000: ("CNV", (-4_000, 8_000), 34_001),
    }


def test_small_variants_have_no_fields_of_structural_ones(files):
    with pysam.VariantFile(str(files[0])) as file:
        for record in file:
            if not record.alts[0].startswith("<"):
                assert not {"SVTYPE", "SVLEN"} & set(record.info)
                assert record.stop == record.start + len(record.ref)


@needs_bcftools
def test_a_region_inside_a_long_deletion_finds_it(files):
    command = ["bcftools", "query", "-f", "%POS %ALT %INFO/END\n", "-r", "chr22:44000-44100"]
    found = subprocess.run([*command, files[0]], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == ["5001 <DEL> 45000"]


@needs_bcftools
def test_bcftools_counts_every_class_without_a_warning(files):
    found = subprocess.run(
        ["bcftools", "stats", files[0]], capture_output=True, text=True, check=True
    )
    assert found.stderr == ""
    counts = {
        line.split("\t")[2]: int(line.split("\t")[3])
        for line in found.stdout.splitlines()
        if line.startswith("SN\t")
    }
    assert counts["number of SNPs:"] == 3
    assert counts["number of indels:"] == 2
    assert counts["number of others:"] == 5


def test_a_store_from_the_parts_is_the_store_from_the_bcf(files, tmp_path):
    bcf, store, people = files
    build_from_vcf([bcf], people, tmp_path / "imported.sqlite")
    with VariantStore.open(store) as one, VariantStore.open(tmp_path / "imported.sqlite") as other:
        rows = [row for row in one if row.svlen]
        assert rows == [row for row in other if row.svlen]
        assert {row.alt: (row.end, row.svlen) for row in rows} == {
            "<DEL>": (45_000, 39_999),
            "<DUP:TANDEM>": (10_301, 300),
            "<INS:ME:ALU>": (12_001, 281),
            "<INV>": (22_001, 2_000),
            "<CN0>": (34_001, 4_000),
            "<CN3>": (34_001, 4_000),
        }
        inside = [row.alt for row in one.overlapping("chr22", 31_000, 31_001)]
        assert inside == ["<DEL>", "<CN0>", "<CN3>"]


def test_consequences_stand_beside_the_alleles_that_are_in_the_file(tmp_path):
    ts, people = make_structural_block()
    table = pd.DataFrame(
        [
            (1_000, "A", "G", "missense|A|T|protein_coding|+|1A>1C|1001A>G"),
            (1_000, "A", "T", "synonymous|A|T|protein_coding|+|1A|1001A>T"),
            (3_000, "G", "GTT", "intron|A||protein_coding"),
            (3_000, "G", "GT", "intron|A||protein_coding"),
            (5_000, "T", "<DEL>", "x" * 300),
            (5_000, "T", "<DEL>", "intron|B||protein_coding"),
        ],
        columns=["position", "ref", "alt", "bcsq"],
    )
    paths = {code: tmp_path / f"{code}.bcf" for code in ("FI", "ES")}
    write_shards(ts, Block("chr22", 0, LENGTH), people, paths, {}, table)
    found = {}
    for code, path in paths.items():
        with pysam.VariantFile(str(path)) as file:
            found[code] = {r.start: r.info["BCSQ"] for r in file if "BCSQ" in r.info}
    texts = table["bcsq"].tolist()
    assert found["FI"] == {
        1_000: tuple(texts[:2]),
        3_000: (texts[2],),
        5_000: (texts[4], texts[5]),
    }
    assert found["ES"] == {3_000: (texts[3],), 5_000: (texts[4], texts[5])}
