"""What becomes of each kind of record: taken, or left out for a reason that the report counts."""

import json

import pytest

from rehearsal.errors import InputError
from rehearsal.node.vcf_import import build_from_vcf

from .foreign_files import (
    PEOPLE,
    alleles_of,
    bcftools,
    build,
    counts_by_fill_tags,
    counts_of,
    needs_bcftools,
    write_vcf,
)

CALLS = "0/1 0/0 1/1 0/0"
USUAL = f"chr22 100 A G {CALLS}"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (f"chr22 100 A G {CALLS} FILTER=LowQual", "failed_filter"),
        (f"chr22 100 A . {CALLS}", "no_alternate_allele"),
        (f"chr22 100 A <NON_REF> {CALLS} INFO=END=200", "any_other_allele"),
        (f"chr22 100 A <*> {CALLS}", "any_other_allele"),
        (f"chr22 100 A * {CALLS}", "spanning_deletion"),
        (f"chr22 100 A a {CALLS}", "equals_reference"),
        (f"chr22 100 A A[chrX:5000[ {CALLS} INFO=SVTYPE=BND", "breakend"),
        (f"chr22 100 A ]chrX:5000]A {CALLS} INFO=SVTYPE=BND", "breakend"),
        (f"chr22 100 A .A {CALLS} INFO=SVTYPE=BND", "breakend"),
        (f"chr22 100 A <BND> {CALLS}", "breakend"),
        (f"chr22 100 A <DEL> {CALLS} INFO=SVTYPE=DEL", "no_length"),
        (f"chr22 100 A <DEL> {CALLS} INFO=SVTYPE=DEL;END=50818469", "no_length"),
        (f"chr22 100 A <INS> {CALLS} INFO=SVTYPE=INS;END=100", "no_length"),
        (f"chr22 100 A <TRA> {CALLS} INFO=END=200", "other_symbol"),
        (f"chr22 100 A A-G {CALLS}", "other_symbol"),
        ("chr22 100 A G 7 8 9 7 FORMAT=DP", "no_genotypes"),
        (f"chr22 0 N .[chrX:5000[ {CALLS}", "telomere"),
        ("chr22 100 A G 0/1/1 0/0 0/0 0/0", "more_than_two_alleles"),
        ("chr22 100 A G 0/0 0/0 0/0 ./.", "no_carrier"),
    ],
)
def test_what_cannot_be_served_is_left_out_by_reason(tmp_path, record, reason):
    rows, report = build(write_vcf(tmp_path / "in.vcf", record, f"chr22 300 C T {CALLS}"))
    assert alleles_of(rows) == ["chr22 300 C T"]
    assert report.records_left_out == {reason: 1}
    assert report.alleles_left_out == ({} if "no_alternate" in reason else {reason: 1})
    assert (report.records, report.taken, report.variants) == (2, 1, 1)
    (line,) = [line for line in report.lines() if line.startswith("  ")]
    assert line.startswith("  1 records: ")


def test_a_record_of_which_one_allele_is_taken_is_taken(tmp_path):
    record = f"chr22 100 A G,*,<NON_REF>,T {'0/1 0/2 1/1 0/3'}"
    rows, report = build(write_vcf(tmp_path / "in.vcf", record))
    assert alleles_of(rows) == ["chr22 100 A G"]
    assert (report.records, report.taken) == (1, 1)
    assert (report.alleles, report.variants) == (4, 1)
    assert report.alleles_left_out == {
        "spanning_deletion": 1,
        "any_other_allele": 1,
        "no_carrier": 1,
    }
    assert "  1 alleles: nobody carries it" in report.lines()


def test_filtered_records_are_taken_on_demand(tmp_path):
    vcf = write_vcf(
        tmp_path / "in.vcf", f"{USUAL} FILTER=LowQual", f"chr22 200 A G {CALLS} FILTER=."
    )
    assert alleles_of(build(vcf)[0]) == ["chr22 200 A G"]
    rows, report = build(vcf, include_filtered=True)
    assert alleles_of(rows) == ["chr22 100 A G", "chr22 200 A G"]
    assert report.records_left_out == {}


def test_lower_case_alleles_are_stored_in_capitals(tmp_path):
    """Repeats are written so by tools that read a soft-masked reference."""
    records = f"chr22 100 a g {CALLS}", f"chr22 200 Ac a,AcT {CALLS}", f"chr22 300 n <DEL> {CALLS}"
    vcf = write_vcf(tmp_path / "in.vcf", *records)
    vcf.write_text(vcf.read_text().replace("<DEL>\t.\tPASS\t.", "<DEL>\t.\tPASS\tSVLEN=-5"))
    assert alleles_of(build(vcf)[0]) == ["chr22 100 A G", "chr22 200 AC A", "chr22 300 N <DEL>"]


@pytest.mark.parametrize(
    "again", [USUAL, "chr22 100 A G 0/0 1/1 0/0 0/0", f"chr22 100 AT GT {CALLS}"]
)
def test_of_equal_variants_the_first_is_kept(tmp_path, again):
    rows, report = build(write_vcf(tmp_path / "in.vcf", USUAL, again))
    assert alleles_of(rows) == ["chr22 100 A G"]
    assert (rows[0].total.ac, rows[0].total.hom) == (3, 1)
    assert report.records_left_out == {"duplicate": 1}


def test_an_equal_variant_that_nobody_carries_takes_no_place(tmp_path):
    rows, report = build(write_vcf(tmp_path / "in.vcf", "chr22 100 A G 0/0 0/0 0/0 0/0", USUAL))
    assert alleles_of(rows) == ["chr22 100 A G"]
    assert report.records_left_out == {"no_carrier": 1}


@pytest.mark.parametrize(
    ("alt", "info", "expected"),
    [
        ("<DEL>", "SVTYPE=DEL;SVLEN=-400;END=500", (400, 500)),
        ("<DEL>", "SVTYPE=DEL;SVLEN=400", (400, 500)),  # VCF 4.4: a positive length
        ("<DEL:ME>", "END=500", (400, 500)),
        ("<DUP:TANDEM>", "END=500;SVTYPE=DUP", (400, 500)),
        ("<INV>", "SVTYPE=INV;END=500", (400, 500)),
        ("<INS:ME:ALU>", "SVTYPE=INS;END=100;SVLEN=281", (281, 100)),
        ("<CN0>", "END=500", (400, 500)),
        ("<CNV>", "SVTYPE=CNV;CIEND=0,5;END=500", (400, 500)),
    ],
)
def test_structural_variants_have_type_length_and_end(tmp_path, alt, info, expected):
    (row,), _ = build(write_vcf(tmp_path / "in.vcf", f"chr22 100 A {alt} {CALLS} INFO={info}"))
    assert row.alt == alt
    assert (row.svlen, row.end) == expected


@needs_bcftools
def test_alleles_of_more_bases_stay_one_variant(tmp_path):
    """MNPs and complex alleles; ``bcftools norm --atomize`` divides them."""
    records = (
        f"chr22 100 ACG TCT {CALLS}",
        f"chr22 200 AC GTT {CALLS}",
        f"chr22 300 ACT ATT {CALLS}",
    )
    vcf = write_vcf(tmp_path / "in.vcf", *records)
    rows, _ = build(vcf)
    assert alleles_of(rows) == ["chr22 100 ACG TCT", "chr22 200 AC GTT", "chr22 301 C T"]
    atoms = tmp_path / "atoms.vcf"
    bcftools("norm", "--atomize", "-o", atoms, vcf)
    assert alleles_of(build(atoms)[0])[:2] == ["chr22 100 A T", "chr22 102 G T"]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ((USUAL, f"chr22 99 A G {CALLS}"), r"chr22:99: expected a position from 100 on, .* sort"),
        ((f"chr22 50818470 A G {CALLS}",), "expected a record inside the contig's 50818468 bases"),
        (("chr22 100 A G 0/1 0/0 0/2 0/0",), "found one with a higher allele number"),
        (("chr22 100 A G 0/1 0/0 0/0",), "chr22:100: expected one genotype per sample, found"),
        (("chr22 100 A G 0/1 0/0 0/0 0/0 0/1",), "expected one genotype per sample, found"),
        (("chr22 100 A G 0/1 0/0 A/G 0/0",), "chr22:100: expected genotypes such as 0/1, found"),
        (("chr22 1e2 A G 0/1 0/0 0/0 0/0",), "line 15: expected a record: eight columns or more"),
    ],
)
def test_files_that_are_damaged_or_unsorted_are_refused(tmp_path, records, message):
    vcf = write_vcf(tmp_path / "in.vcf", *records)
    with pytest.raises(InputError, match=message):
        build(vcf)
    assert not (tmp_path / "in.vcf.sqlite").exists()


def test_files_that_were_only_joined_are_refused(tmp_path):
    vcf = write_vcf(tmp_path / "in.vcf", USUAL)
    vcf.write_text(vcf.read_text() * 2)
    with pytest.raises(
        InputError,
        match=r"line 16: .* found the header of another file, '##file",
    ):
        build(vcf)


@needs_bcftools
def test_files_of_one_person_each_are_merged_first(tmp_path):
    one = write_vcf(tmp_path / "1.vcf", "chr22 100 A G 0/1", "chr22 300 A G 1/1", samples=["S1"])
    two = write_vcf(tmp_path / "2.vcf", "chr22 200 A G 0/1", "chr22 300 A G 0/1", samples=["S2"])
    with pytest.raises(InputError, match=r"1\.vcf: header: .* no sample 'S2', .* \(bcftools merge"):
        build_from_vcf([one, two], PEOPLE, tmp_path / "no.sqlite")
    for path in (one, two):
        bcftools("view", "-Oz", "-o", f"{path}.gz", path)
        bcftools("index", f"{path}.gz")
    bcftools("merge", "-o", tmp_path / "both.vcf", f"{one}.gz", f"{two}.gz")
    rows, _ = build(tmp_path / "both.vcf")
    assert [(row.start + 1, row.total.ac) for row in rows] == [(100, 1), (200, 1), (300, 3)]


@needs_bcftools
def test_the_advice_for_unsorted_files_helps(tmp_path):
    vcf = write_vcf(tmp_path / "in.vcf", f"chrX 5 A G {CALLS}", f"chr22 200 A G {CALLS}", USUAL)
    bcftools("sort", "-o", tmp_path / "sorted.vcf", vcf)
    rows, _ = build(tmp_path / "sorted.vcf")
    assert alleles_of(rows) == ["chr22 100 A G", "chr22 200 A G", "chrX 5 A G"]


@needs_bcftools
def test_every_record_and_allele_is_counted_once(tmp_path):
    """A file with some of everything, against ``bcftools +fill-tags``."""
    records = (
        f"chr22 100 A G {CALLS}",
        f"chr22 100 A G {CALLS}",
        "chr22 150 A . 0/0 0/0 ./. 0/0",
        "chr22 200 a c,t,* 0/1 1/2 3/3 ./2",
        f"chr22 300 A <NON_REF> {CALLS} INFO=END=310",
        f"chr22 400 A G {CALLS} FILTER=LowQual",
        "chr22 500 C T 1|1:30:0,1,2 .|1:.:. 1:3:. 0|0:2:0,0,0 FORMAT=GT:DP:PL",
        f"chr1_KI270706v1_random 7 A G {CALLS}",
    )
    vcf = write_vcf(
        tmp_path / "in.vcf", *records, contigs="chr22=50818468 chr1_KI270706v1_random=9"
    )
    rows, report = build(vcf)
    assert (report.records, report.taken, report.records_left_out.total()) == (8, 3, 5)
    assert (report.alleles, report.variants) == (9, 4)
    assert report.alleles_left_out == {
        "duplicate": 1,
        "spanning_deletion": 1,
        "any_other_allele": 1,
        "failed_filter": 1,
        "other_contig": 1,
    }
    taken = counts_by_fill_tags(vcf)
    found = counts_of(rows)
    assert len(found) == 4
    assert found == {(key[0], key[1], *map(str.upper, key[2:])): taken[lower(key)] for key in found}


def lower(key):
    """The allele as it stands in the file."""
    return (*key[:2], *map(str.lower, key[2:])) if key[1] == 200 else key


def test_the_report_is_a_file_too(tmp_path):
    vcf = write_vcf(tmp_path / "in.vcf", USUAL, f"chr22 200 A * {CALLS}")
    _, report = build(vcf)
    report.write(tmp_path)
    written = json.loads((tmp_path / "vcf_report.json").read_text())
    assert written["records"] == {"read": 2, "taken": 1, "left_out": {"spanning_deletion": 1}}
    assert written["alternate_alleles"]["taken"] == 1
