"""With a reference, alleles are checked and brought into normal form, as bcftools norm does."""

import random

import pysam
import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import CONTIG_LENGTHS

from .foreign_files import alleles_of, bcftools, build, needs_bcftools, write_vcf

CALLS = "0/1 0/0 1/1 0/0"
CONTIGS = "chrM=16569"


@pytest.fixture(scope="module")
def bases():
    """A sequence of the length of chrM with many repeats, some letters of several bases."""
    chance, text = random.Random(5), ""
    while len(text) < CONTIG_LENGTHS["chrM"]:
        unit = "".join(chance.choices("ACGT", k=chance.choice((1, 2, 3, 7))))
        text += unit * chance.randint(1, 9) + "".join(chance.choices("ACGT", k=3))
    return text[: CONTIG_LENGTHS["chrM"]]


@pytest.fixture(scope="module")
def fasta(bases, tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "ref.fa"
    path.write_text(f">chrM\n{bases}\n")
    pysam.faidx(str(path))
    return path


def drawn_indels(bases, seed):
    """Insertions and deletions, half of which repeat what is there, at any of their places."""
    chance, records = random.Random(seed), []
    for start in range(40, len(bases) - 60, 45):
        size = chance.randint(1, 8)
        if chance.random() < 0.5:
            ref, alt = bases[start : start + 1 + size], bases[start]
        else:
            here = bases[start + 1 : start + 1 + size]
            ref, alt = bases[start], bases[start] + chance.choice((here, "ACGT"[: size % 4 + 1]))
        more = bases[start + len(ref) : start + len(ref) + chance.choice((0, 0, 2))]
        records.append(f"chrM {start + 1} {ref + more} {alt + more} {CALLS}")
    return records


@needs_bcftools
@pytest.mark.parametrize("seed", range(3))
def test_alleles_are_in_the_normal_form_of_bcftools(tmp_path, bases, fasta, seed):
    vcf = write_vcf(tmp_path / "in.vcf", *drawn_indels(bases, seed), contigs=CONTIGS)
    rows, report = build(vcf, reference=fasta)
    normal = tmp_path / "normal.vcf"
    bcftools("norm", "-f", fasta, "-d", "exact", "-o", normal, vcf)
    assert alleles_of(rows) == alleles_of(build(normal)[0])
    assert len(rows) > 200
    assert alleles_of(rows) != alleles_of(build(vcf)[0])
    assert build(normal, reference=fasta)[1].moved == 0
    assert report.moved > 50


def test_indels_know_how_far_they_move_to_the_right(tmp_path, bases, fasta):
    """So a node names them by the 3' rule, and finds them at any of their places."""
    vcf = write_vcf(tmp_path / "in.vcf", *drawn_indels(bases, 9), contigs=CONTIGS)
    rows, _ = build(vcf, reference=fasta)
    for row in rows:
        if min(len(row.ref), len(row.alt)) == 1:
            assert row.shift == farthest_equal_place(bases, row) - row.start
    assert any(row.shift > 3 for row in rows)


def farthest_equal_place(bases, row):
    """Where the same deletion or insertion of bases gives the same sequence, tried one by one."""
    deleted, size = len(row.ref) > len(row.alt), abs(len(row.ref) - len(row.alt))
    changed = bases[: row.start] + row.alt + bases[row.start + len(row.ref) :]
    start = row.start
    while True:
        at = start + 2  # behind the next base
        behind = bases[at + size :] if deleted else changed[at : at + size] + bases[at:]
        if bases[:at] + behind != changed:
            return start
        start += 1


def test_the_same_deletion_at_two_places_of_a_repeat_is_one_variant(tmp_path):
    sequence = "ACGT" + "CA" * 10 + "GT" * 8272 + "A"
    (tmp_path / "ref.fa").write_text(f">MT\n{sequence[:16569]}\n")
    pysam.faidx(str(tmp_path / "ref.fa"))
    records = f"chrM 6 ACA A {CALLS}", f"chrM 12 ACA A {CALLS}"
    vcf = write_vcf(tmp_path / "in.vcf", *records, contigs=CONTIGS)
    rows, report = build(vcf, reference=tmp_path / "ref.fa")
    assert alleles_of(rows) == ["chrM 4 TCA T"]
    assert rows[0].shift == 18
    assert report.alleles_left_out == {"duplicate": 1}


def test_records_with_another_ref_are_left_out(tmp_path, bases, fasta):
    right, wrong = bases[99], "ACGT"["ACGT".index(bases[99]) - 1]
    records = f"chrM 100 {wrong} {right} {CALLS}", f"chrM 100 {right} {wrong} {CALLS}"
    rows, report = build(write_vcf(tmp_path / "in.vcf", *records, contigs=CONTIGS), reference=fasta)
    assert alleles_of(rows) == [f"chrM 100 {right} {wrong}"]
    assert report.records_left_out == {"other_reference": 1}


def test_letters_of_several_bases_agree_with_any(tmp_path):
    (tmp_path / "ref.fa").write_text(f">chrM\n{'N' * 50 + 'ACGTR' * 3303 + 'ACGT'}\n")
    pysam.faidx(str(tmp_path / "ref.fa"))
    records = f"chrM 10 A G {CALLS}", f"chrM 55 G A {CALLS}"
    vcf = write_vcf(tmp_path / "in.vcf", *records, contigs=CONTIGS)
    assert len(build(vcf, reference=tmp_path / "ref.fa")[0]) == 2


def test_without_a_reference_alleles_stay_where_the_file_has_them_and_it_is_said(tmp_path):
    records = f"chr22 100 ACA A {CALLS}", f"chr22 200 A G {CALLS}", f"chr22 300 A AT {CALLS}"
    rows, report = build(write_vcf(tmp_path / "in.vcf", *records))
    assert alleles_of(rows) == ["chr22 100 ACA A", "chr22 200 A G", "chr22 300 A AT"]
    assert report.indels == 2
    assert any(line.startswith("2 insertions and deletions") for line in report.lines())


def test_the_reference_of_another_assembly_is_refused(tmp_path):
    (tmp_path / "hg19.fa").write_text(">chrM\n" + "A" * 16571 + "\n")
    pysam.faidx(str(tmp_path / "hg19.fa"))
    vcf = write_vcf(tmp_path / "in.vcf", f"chrM 100 A G {CALLS}", contigs=CONTIGS)
    with pytest.raises(
        InputError, match="expected the contig of GRCh38, 16569 bases, found a contig"
    ):
        build(vcf, reference=tmp_path / "hg19.fa")


def test_a_reference_without_an_index_or_contig_is_refused(tmp_path, fasta):
    vcf = write_vcf(tmp_path / "in.vcf", f"chr22 100 A G {CALLS}")
    with pytest.raises(InputError, match=r"none\.fa: --reference: expected an existing FASTA"):
        build(vcf, reference=tmp_path / "none.fa")
    with pytest.raises(InputError, match=r"ref\.fa: .*expected this contig in the FASTA"):
        build(vcf, reference=fasta)
