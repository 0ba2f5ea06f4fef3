"""The same records as text, gzip, BGZF and BCF give the same store."""

import gzip
import random

import pysam
import pytest

from rehearsal.errors import InputError

from .foreign_files import bcftools, build, needs_bcftools, write_vcf

CALLS = ("0/0", "0|0", "0/1", "1|2", "./.", ".", "1", "./1", "2/2", "12/1", "13|13")


@pytest.fixture
def vcf(tmp_path):
    """Records with one to thirteen alternate alleles, structural ones and further fields."""
    chance = random.Random(1)
    alts = ["G", "G,T", ",".join("A" + "CGT"[i % 3] * (i + 1) for i in range(13))]
    info = ("DP=3", "DP=70000;SVTYPE=DEL;SVLEN=-5;END=20", ".", "SVTYPE=DUP;SVLEN=3,-70000,.")
    records = []
    for position in range(10, 400, 3):
        alt = chance.choice(alts)
        known = alt.count(",") + 2
        fits = [one for one in CALLS if all(int(n) < known for n in numbers(one))]
        genotypes = chance.choices(fits, k=4)
        form = ""
        if chance.random() < 0.5:
            genotypes, form = [f"{one}:{chance.randrange(99)}" for one in genotypes], "FORMAT=GT:DP"
        more = f"INFO={chance.choice(info)} FILTER={chance.choice(['PASS', '.', 'LowQual'])} {form}"
        records.append(f"chr22 {position} A {alt} {' '.join(genotypes)} {more}")
    records += [
        "chr22 900 A <DEL>,<DUP> 0/1 1/2 0/0 2/2 INFO=END=1900;SVTYPE=DEL",
        "chr22 901 A <INS> 0/1 1/1 0/0 0/0 INFO=SVLEN=300;SVTYPE=INS",
        "chr22 902 A . 0/0 0/0 0/0 0/0",
        "chrX 3000000 A G 0/1 1 0 1/1",
        "chrX 3000001 A G 7 8 9 7 FORMAT=DP",
    ]
    return write_vcf(tmp_path / "in.vcf", *records)


def numbers(genotype):
    return [one for one in genotype.replace("|", "/").split("/") if one.isdigit()]


def assert_same(path, vcf):
    rows, report = build(path)
    expected_rows, expected = build(vcf)
    assert rows == expected_rows
    assert len(rows) > 100
    assert report == expected
    one, other = (file.with_name(f"{file.name}.sqlite").read_bytes() for file in (path, vcf))
    assert one == other


def test_plain_gzip_is_read(vcf, tmp_path):
    (tmp_path / "in.vcf.gz").write_bytes(gzip.compress(vcf.read_bytes()))
    assert_same(tmp_path / "in.vcf.gz", vcf)


def test_gzip_of_several_members_is_read(vcf, tmp_path):
    """As ``cat one.gz two.gz`` makes it."""
    text = vcf.read_bytes()
    parts = [gzip.compress(text[i : i + 3000]) for i in range(0, len(text), 3000)]
    (tmp_path / "in.vcf.gz").write_bytes(b"".join(parts))
    assert_same(tmp_path / "in.vcf.gz", vcf)


def test_bgzf_is_read(vcf, tmp_path):
    pysam.tabix_compress(str(vcf), str(tmp_path / "in.vcf.gz"))
    assert_same(tmp_path / "in.vcf.gz", vcf)


@needs_bcftools
@pytest.mark.parametrize("form", ["b", "u", "z", "v"])
@pytest.mark.parametrize("chunk", [64, 999, 1 << 22])
def test_what_bcftools_writes_is_read(vcf, tmp_path, monkeypatch, form, chunk):
    out = tmp_path / "out.any"
    bcftools("view", f"-O{form}", "-o", out, vcf)
    monkeypatch.setattr("rehearsal.node.intake.source.CHUNK", chunk)
    assert_same(out, vcf)


def test_a_last_line_without_an_end_is_read(vcf, tmp_path):
    (tmp_path / "cut.vcf").write_bytes(vcf.read_bytes().rstrip(b"\n"))
    assert_same(tmp_path / "cut.vcf", vcf)


def test_a_gzip_that_is_cut_off_is_named(vcf, tmp_path):
    (tmp_path / "cut.vcf.gz").write_bytes(gzip.compress(vcf.read_bytes())[:-40])
    with pytest.raises(InputError, match=r"cut\.vcf\.gz: file: expected a readable VCF or BCF"):
        build(tmp_path / "cut.vcf.gz")
    assert not (tmp_path / "cut.vcf.gz.sqlite").exists()


@needs_bcftools
def test_a_bcf_that_is_cut_off_is_named(vcf, tmp_path):
    out = tmp_path / "out.bcf"
    bcftools("view", "-Ou", "-o", out, vcf)
    out.write_bytes(out.read_bytes()[:-10])
    with pytest.raises(
        InputError, match="expected a complete VCF or BCF, found a file that is cut"
    ):
        build(out)


@pytest.mark.parametrize(
    "content", [b"", b"##fileformat=VCFv4.2\n", b"BAM\1", gzip.compress(b"", mtime=0)]
)
def test_other_files_are_named(tmp_path, content):
    (tmp_path / "in.vcf").write_bytes(content)
    with pytest.raises(InputError, match=r"in\.vcf: (file|header): expected"):
        build(tmp_path / "in.vcf")
