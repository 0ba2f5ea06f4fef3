"""Genotypes are counted as ``bcftools +fill-tags`` counts them, whatever their form."""

import random
import shutil
import subprocess

import pandas as pd
import pysam
import pytest

from rehearsal.stores.variant_store import VariantStore

from .foreign_files import (
    PEOPLE,
    SAMPLES,
    build,
    counts_by_fill_tags,
    counts_of,
    needs_bcftools,
    write_vcf,
)

FORMS = ("0/0", "0|0", "0/1", "1|0", "1/1", "./.", ".", "./1", "0/.", "1", "0", "1/2", "2|2", "2/.")


@needs_bcftools
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("order", ["as in the table", "another"])
def test_random_genotypes_are_counted_as_by_fill_tags(tmp_path, seed, order):
    """Half-calls, missing and haploid calls, on every kind of contig, with further fields."""
    chance = random.Random(seed)
    names = [f"P{n}" for n in range(40)]
    people = pd.DataFrame({"id": names, "sex": chance.choices(["female", "male"], k=40)})
    samples = chance.sample(names, 30) if order == "another" else names[5:35]
    records = []
    for contig in ("chr22", "chrX", "chrM"):
        for position in range(100, 700, 30):
            calls = chance.choices(FORMS, weights=[20, 20, *[1] * 12], k=30)
            further = "FORMAT=GT:DP" if chance.random() < 0.5 else ""
            if further:
                calls = [f"{one}:{chance.randrange(60)}" for one in calls]
            records.append(f"{contig} {position} A G,T {' '.join(calls)} {further}")
    vcf = write_vcf(tmp_path / "in.vcf", *records, samples=samples)
    rows, _ = build(vcf, people)
    assert counts_of(rows) == counts_by_fill_tags(vcf)
    assert len(rows) > 100


def test_who_carries_an_allele_does_not_depend_on_the_order_of_samples(tmp_path):
    one = write_vcf(tmp_path / "one.vcf", "chr22 100 A G 0/1 0/0 1/1 0/1")
    other = write_vcf(
        tmp_path / "other.vcf", "chr22 100 A G 0/1 1/1 0/0 0/1", samples=SAMPLES[::-1]
    )
    build(one), build(other)
    for path in (one, other):
        with VariantStore.open(path.with_name(f"{path.name}.sqlite")) as store:
            (row,) = store
            assert list(row.carriers()) == [0, 2, 3]
            assert list(row.homozygotes()) == [2]


@pytest.mark.parametrize("version", ["4.4", "4.5"])
def test_a_phase_before_the_first_allele_is_read(tmp_path, version):
    """VCF 4.4 allows it: haploid calls can be phased so. htslib is the judge."""
    records = "chr22 101 A G /0|1 0/1 |0|1 /1/1", "chrX 20000001 A G 0/1 /1 |1 |0/."
    vcf = write_vcf(tmp_path / "in.vcf", *records, version=version)
    with pysam.VariantFile(str(vcf)) as file:
        read = [[sample["GT"] for sample in record.samples.values()] for record in file]
    rows, _ = build(vcf)
    for row, genotypes in zip(rows, read, strict=True):
        alleles = [one for genotype in genotypes for one in genotype if one is not None]
        assert (row.total.an, row.total.ac) == (len(alleles), sum(alleles))
    assert [row.total.hemi for row in rows] == [0, 2]


MEN_ON_X = (
    "chrX 2781479 A G 0/1 0/1 1/1 0/0",  # the last base of PAR1
    "chrX 2781480 A G 0/1 1/1 0/1 0/0",
    "chrX 20000001 A G 1/1 0/0 1/1 0/1",
    "chrX 155701383 A G 0/1 0/1 1/1 0/0",  # the first base of PAR2
    "chrY 10000001 A G 0/0 1/1 0 ./.",
    "chrM 100 A G 1/1 0/1 1 0",
)


def test_diploid_men_on_x_are_counted_as_they_are_and_said(tmp_path):
    rows, report = build(write_vcf(tmp_path / "in.vcf", *MEN_ON_X))
    assert [row.total.hemi for row in rows] == [0, 0, 0, 0, 0, 1]
    assert report.extra_copies == 8  # four on X, two on Y, two on M
    (line,) = [line for line in report.lines() if "--fix-ploidy" in line]
    assert line.startswith("8 genotypes have more alleles than the person has copies")


def test_men_on_x_are_made_hemizygous_on_demand(tmp_path):
    rows, report = build(write_vcf(tmp_path / "in.vcf", *MEN_ON_X), fix_ploidy=True)
    male = [(row.male.an, row.male.hom, row.male.het, row.male.hemi) for row in rows]
    female = [(row.female.an, row.female.hom, row.female.het, row.female.hemi) for row in rows]
    assert male == [
        (4, 1, 1, 0),
        (1, 0, 0, 1),
        (2, 0, 0, 1),
        (4, 1, 1, 0),
        (2, 0, 0, 1),
        (1, 0, 0, 1),
    ]
    assert female == [
        (4, 0, 1, 0),
        (4, 0, 1, 0),
        (4, 1, 1, 0),
        (4, 0, 1, 0),
        (0, 0, 0, 0),
        (2, 0, 0, 1),
    ]
    assert (report.extra_copies, report.heterozygous) == (8, 2)


@pytest.mark.skipif(shutil.which("plink2") is None, reason="plink2 is not installed")
@needs_bcftools
def test_hemizygous_men_are_those_of_plink2(tmp_path):
    """plink2 writes homozygous men on X as haploid."""
    chance = random.Random(2)
    records = [
        f"chrX {position} A G " + " ".join(chance.choices(("0/0", "1/1"), k=4))
        for position in range(3_000_000, 3_000_020)
    ]
    vcf = write_vcf(tmp_path / "in.vcf", *records, contigs="chrX=156040895")
    (tmp_path / "sex").write_text("#IID\tSEX\nS1\t2\nS2\t1\nS3\t1\nS4\t2\n")
    command = ["plink2", "--vcf", "in.vcf", "--update-sex", "sex", "--export", "vcf", "--out", "p"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    assert build(vcf, fix_ploidy=True)[0] == build(tmp_path / "p.vcf")[0]
    assert build(vcf)[0] != build(tmp_path / "p.vcf")[0]


def test_haploid_calls_on_autosomes_are_hemizygous_and_said(tmp_path):
    (row,), report = build(write_vcf(tmp_path / "in.vcf", "chr22 100 A G 1 0/1 0 ./."))
    assert (row.total.an, row.total.ac, row.total.hemi) == (4, 2, 1)
    assert report.haploid == 2
    assert any("2 genotypes have one allele where people have two" in one for one in report.lines())


def test_people_of_the_table_without_a_sample_are_not_called(tmp_path):
    (row,), _ = build(write_vcf(tmp_path / "in.vcf", "chr22 100 A G 0/1 1/1", samples=SAMPLES[:2]))
    assert row.total.an == 4
    assert len(PEOPLE) == 4
