"""Headers as callers, biobanks and plink write them; other assemblies are refused with advice."""

import shutil
import subprocess

import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import CONTIG_LENGTHS, LENGTHS_OF_GRCH37

from .foreign_files import (
    alleles_of,
    bcftools,
    build,
    counts_by_fill_tags,
    counts_of,
    needs_bcftools,
    write_vcf,
)

RECORD = "chr22 20000001 A G 0/1 0/0 1/1 ./."
HOW = r"lift the file over to GRCh38 .* bcftools \+liftover, CrossMap or Picard LiftoverVcf"
GATK = (
    "chr1=248956422 chr22=50818468 chrM=16569 chr1_KI270706v1_random=175055 chrUn_KI270302v1=2274 "
    "chr1_KI270762v1_alt=354444 chrEBV=171823 chrUn_KN707606v1_decoy=2200 HLA-A*01:01:01:01=3503"
)


def test_contigs_without_records_do_not_matter(tmp_path):
    """Decoys, alternative loci, HLA and EBV, as in the header of every GATK file."""
    rows, report = build(write_vcf(tmp_path / "gatk.vcf", RECORD, contigs=GATK))
    assert alleles_of(rows) == ["chr22 20000001 A G"]
    assert report.records_left_out == {}


def test_records_on_such_contigs_are_left_out_and_counted(tmp_path):
    records = (
        "chr1_KI270762v1_alt 100 A G,T 0/1 0/0 0/2 0/0",
        RECORD,
        "HLA-A*01:01:01:01 7 C T 0/1 0/0 0/0 0/0",
    )
    rows, report = build(write_vcf(tmp_path / "alt.vcf", *records, contigs=GATK))
    assert alleles_of(rows) == ["chr22 20000001 A G"]
    assert (report.records, report.taken) == (3, 1)
    assert report.records_left_out == {"other_contig": 2}
    assert report.alleles_left_out == {"other_contig": 3}


@pytest.mark.parametrize("names", [("22", "MT"), ("NC_000022.11", "chrMT"), ("22", "M")])
def test_contigs_of_other_names_are_renamed_and_said(tmp_path, names):
    contigs = f"{names[0]}=50818468 {names[1]}=16569"
    records = f"{names[0]} 100 A G 0/1 0/0 0/0 0/0", f"{names[1]} 10 A G 1 1 0 0"
    rows, report = build(write_vcf(tmp_path / "other.vcf", *records, contigs=contigs))
    assert alleles_of(rows) == ["chr22 100 A G", "chrM 10 A G"]
    assert report.renamed == dict(zip(names, ("chr22", "chrM"), strict=True))


@needs_bcftools
def test_a_file_whose_contigs_bcftools_renamed_gives_the_same_store(tmp_path):
    vcf = write_vcf(tmp_path / "chr.vcf", RECORD, "chrX 3000000 A G 0/1 0 1 0/0")
    (tmp_path / "names").write_text("chr22 22\nchrX X\n")
    renamed = tmp_path / "renamed.vcf"
    bcftools("annotate", "--rename-chrs", tmp_path / "names", "-o", renamed, vcf)
    assert build(renamed)[0] == build(vcf)[0]


@pytest.mark.skipif(shutil.which("plink2") is None, reason="plink2 is not installed")
@needs_bcftools
@pytest.mark.parametrize(
    ("form", "name"), [("vcf", "p.vcf"), ("vcf bgz", "p.vcf.gz"), ("bcf", "p.bcf")]
)
def test_files_of_plink2_are_read(tmp_path, form, name):
    """It names contigs 22 and X, and makes homozygous men haploid on X."""
    write_vcf(tmp_path / "in.vcf", RECORD, "chrX 3000000 A G 0/1 0/0 1/1 0/0")
    (tmp_path / "sex").write_text("#IID\tSEX\nS1\t2\nS2\t1\nS3\t1\nS4\t2\n")
    command = ["plink2", "--vcf", "in.vcf", "--update-sex", "sex", "--export", *form.split()]
    subprocess.run([*command, "--out", "p"], check=True, capture_output=True, cwd=tmp_path)
    rows, _ = build(tmp_path / name)
    expected = counts_by_fill_tags(tmp_path / name)
    assert counts_of(rows) == {(f"chr{key[0]}", *key[1:]): n for key, n in expected.items()}
    assert [row.male.hemi for row in rows] == [0, 1]


@pytest.mark.parametrize(
    ("contigs", "place"),
    [
        ("chr22=51304566", "chr22: expected 50818468 bases, .* found 51304566 bases"),
        ("1=249250621 22=50818468", "1: expected 248956422 bases, .* found 249250621 bases"),
        ("chrM=16571 chr22", "chrM: expected 16569 bases, .* found 16571 bases"),
        ("NC_000022.10=51304566", r"NC_000022\.10: expected an accession of GRCh38"),
    ],
)
def test_grch37_is_known_by_its_contigs(tmp_path, contigs, place):
    vcf = write_vcf(tmp_path / "old.vcf", RECORD, contigs=contigs)
    with pytest.raises(InputError, match=rf"old\.vcf: header: contig {place}.*{HOW}$"):
        build(vcf)


def test_no_contig_has_the_same_length_in_both_assemblies():
    assert list(LENGTHS_OF_GRCH37) == list(CONTIG_LENGTHS)
    assert not set(LENGTHS_OF_GRCH37.items()) & set(CONTIG_LENGTHS.items())


@pytest.mark.parametrize(
    ("line", "assembly"),
    [
        ("##reference=file:///data/human_g1k_v37_decoy.fasta", "GRCh37"),
        ("##reference=hs37d5.fa", "GRCh37"),
        ("##reference=ucsc.hg19.fasta", "GRCh37"),
        ("##reference=/refs/Homo_sapiens_assembly19.fasta", "GRCh37"),
        ("##assembly=GRCh37", "GRCh37"),
        ("##contig=<ID=22,assembly=b37>", "GRCh37"),
        ("##reference=GCF_000001405.13.fa", "GRCh37"),
        ("##reference=file:///refs/hg18.fa", "NCBI36"),
        ("##reference=chm13v2.0.fa", "T2T-CHM13"),
    ],
)
@pytest.mark.parametrize("contigs", ["chr22", "chr22=50818468"])
def test_an_older_assembly_is_known_by_its_name(tmp_path, line, assembly, contigs):
    vcf = write_vcf(tmp_path / "old.vcf", RECORD, contigs=contigs, meta=[line])
    with pytest.raises(InputError, match=rf"expected a reference of GRCh38, .*{assembly}: {HOW}"):
        build(vcf)


@pytest.mark.parametrize(
    "line",
    [
        "##reference=file:///data/hg19/GRCh38_full_analysis_set_plus_decoy_hla.fa",
        "##reference=/refs/Homo_sapiens_assembly38.fasta",
        "##contig=<ID=chr1,assembly=hg38>",
        '##contig=<ID=chr1,assembly=synthetic-GRCh38,species="Homo sapiens, female">',
        "##reference=GCA_000001405.15_no_alt.fna",
    ],
)
def test_a_header_that_names_grch38_needs_no_lengths(tmp_path, line):
    vcf = write_vcf(tmp_path / "named.vcf", RECORD, contigs="chr22", meta=[line])
    assert alleles_of(build(vcf)[0]) == ["chr22 20000001 A G"]


def test_a_header_that_shows_no_assembly_is_refused(tmp_path):
    for contigs in ("chr22", "chr22=2147483645", ""):
        vcf = write_vcf(tmp_path / "bare.vcf", RECORD, contigs=contigs)
        with pytest.raises(InputError, match=r"chr22:20000001: .*bcftools reheader --fai adds it"):
            build(vcf)


def test_a_length_of_no_assembly_is_refused_with_advice(tmp_path):
    vcf = write_vcf(tmp_path / "plink.vcf", RECORD, contigs="chr22=20000002")
    with pytest.raises(InputError, match=r"found 20000002 bases: .* bcftools reheader --fai"):
        build(vcf)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ((), "header: the line #CHROM: expected samples with genotypes, found sites without"),
        (["S1", "S2", "S1"], "header: expected each sample once, found 'S1' 2 times"),
    ],
)
def test_samples_are_there_and_each_once(tmp_path, samples, message):
    record = " ".join(["chr22 20000001 A G", *["0/1"] * len(samples)])
    with pytest.raises(InputError, match=message):
        build(write_vcf(tmp_path / "in.vcf", record, samples=samples))


def test_columns_separated_by_blanks_are_named(tmp_path):
    vcf = write_vcf(tmp_path / "blanks.vcf", RECORD)
    vcf.write_text(vcf.read_text().replace("\t", " "))
    with pytest.raises(
        InputError, match=r"line #CHROM: expected the columns .*, separated by tabs"
    ):
        build(vcf)


def test_line_ends_of_windows_and_a_byte_order_mark_do_not_matter(tmp_path):
    vcf = write_vcf(tmp_path / "unix.vcf", RECORD)
    other = tmp_path / "windows.vcf"
    other.write_bytes(b"\xef\xbb\xbf" + vcf.read_bytes().replace(b"\n", b"\r\n"))
    assert build(other)[0] == build(vcf)[0]
