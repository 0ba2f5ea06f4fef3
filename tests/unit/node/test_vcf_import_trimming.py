"""The store's alleles do not depend on which variants share a record; bcftools is the judge."""

import random
import shutil
import subprocess

import pandas as pd
import pysam
import pytest

from rehearsal.errors import InputError
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.stores.variant_store import VariantStore

HEADER = """##fileformat=VCFv4.3
##contig=<ID=chr22,length=50818468>
##contig=<ID=chrX,length=156040895>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"""
PEOPLE = pd.DataFrame(
    {"id": list("ABCDEF"), "sex": ["female", "male", "male", "female", "male", "female"]}
)

needs_bcftools = pytest.mark.skipif(
    shutil.which("bcftools") is None, reason="bcftools is not installed"
)


def write_vcf(path, *records):
    """Write records of contig, POS, REF, ALT and genotypes. Samples are the first people."""
    samples = PEOPLE["id"][: len(records[0].split()) - 4]
    lines = []
    for record in records:
        contig, position, ref, alt, *genotypes = record.split()
        fields = [contig, position, ".", ref, alt, ".", "PASS", ".", "GT", *genotypes]
        lines.append("\t".join(fields) + "\n")
    path.write_text(HEADER + "\t".join(samples) + "\n" + "".join(lines))
    return path


def rows_of(tmp_path, *files):
    """Build a store from files, each a list of records, and read it."""
    out = tmp_path / "v.sqlite"
    vcfs = [write_vcf(tmp_path / f"{n}.vcf", *file) for n, file in enumerate(files)]
    build_from_vcf(vcfs, PEOPLE, out)
    with VariantStore.open(out) as store:
        return [(row, row.carriers(), row.homozygotes()) for row in store]


def alleles_of(rows):
    return [(row.contig, row.start + 1, row.ref, row.alt) for row, *_ in rows]


def test_the_carrier_of_a_deletion_does_not_change_the_row_of_others(tmp_path):
    alone = rows_of(tmp_path, ["chr22 10 T C 0/0 0/1 1/1"])
    beside = rows_of(tmp_path, ["chr22 10 TAAA T,CAAA 0/1 0/2 2/2"])
    assert alleles_of(beside) == [("chr22", 10, "T", "C"), ("chr22", 10, "TAAA", "T")]
    assert beside[:1] == alone


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("TAAA T,TAAC", ["10 TAAA T", "13 A C"]),
        ("TAAA TACA,<DEL>", ["12 A C"]),
        ("TAAA TACA,*", ["12 A C"]),
        ("TACA GACG,T", ["10 TACA GACG", "10 TACA T"]),
        ("TAC TACAC,GAC", ["10 T G", "10 T TAC"]),
        ("TACG TAG,TACGG", ["11 AC A", "12 C CG"]),
        ("taaa T,CAAa", ["10 T C", "10 TAAA T"]),
    ],
)
def test_alleles_of_a_record_with_several_are_minimal(tmp_path, record, expected):
    rows = rows_of(tmp_path, [f"chr22 10 {record} 0/1 0/2"])
    assert [f"{row.start + 1} {row.ref} {row.alt}" for row, *_ in rows] == expected


def test_an_allele_that_a_tool_split_off_is_minimal_too(tmp_path):
    rows = rows_of(tmp_path, ["chr22 10 TAAA CAAA 0/1"])
    assert alleles_of(rows) == [("chr22", 10, "T", "C")]


@pytest.mark.parametrize("several", ["10 TA CA,T", "9 GT GC,G"])
def test_of_a_variant_of_two_records_the_first_is_kept(tmp_path, several):
    first = f"chr22 {several} 0/1 0/2"
    assert rows_of(tmp_path, [first, "chr22 10 T C 0/0 1/1"]) == rows_of(tmp_path, [first])


MOVED = "chr22 10 TACGACG T,TACGACC 0/1 0/2"  # the second allele is at 16


def test_an_allele_that_moves_behind_later_records_is_in_order(tmp_path):
    later = ["chr22 12 C A 0/1 0/0", "chr22 16 G A 0/1 0/0", "chr22 20 C A 0/1 0/0"]
    expected = [10, 12, 16, 16, 20]
    in_one = rows_of(tmp_path, [MOVED, *later, "chrX 5 A C 0/1 0/0"])
    assert [place for _, place, *_ in alleles_of(in_one)] == [*expected, 5]
    in_two = rows_of(tmp_path, [MOVED], [*later, "chrX 5 A C 0/1 0/0"])
    assert in_two == in_one


def test_files_that_overlap_are_refused(tmp_path):
    one = ["chr22 10 A C 0/1", "chr22 30 A C 0/1"]
    two = ["chr22 20 A C 0/1", "chr22 40 A C 0/1"]
    with pytest.raises(InputError, match=r"1\.vcf: first record: .* end of 0\.vcf .*concat -a -D"):
        rows_of(tmp_path, one, two)


def draw_variants(chance, reference):
    """Draw minimal alleles that cannot be shifted to the left: (start, ref, alt)."""
    found = set()
    while len(found) < 60:
        start = chance.randrange(5, len(reference) - 12)
        kind, base = chance.choice(("snv", "mnv", "deletion", "insertion")), reference[start]
        bases = "".join(chance.choices("ACGT", k=chance.randint(1, 4)))
        if kind == "snv":
            ref, alt = base, bases[0]
        elif kind == "mnv":
            ref, alt = reference[start : start + len(bases)], bases
        elif kind == "deletion":
            ref, alt = reference[start : start + 1 + len(bases)], base
        else:
            ref, alt = base, base + bases
        first_shared = len(ref) == len(alt) and ref[0] == alt[0]
        if ref[-1] != alt[-1] and not first_shared:
            found.add((start, ref, alt))
    return sorted(found)


def draw_genotype(chance, alleles):
    called = [*map(str, range(alleles)), ".", "0"]
    ploidy = chance.choice((1, 2, 2, 2))
    return chance.choice("/|").join(chance.choices(called, k=ploidy))


def draw_records(chance, reference):
    """Write the variants into records of one to five, most with several alleles of one REF."""
    variants = draw_variants(chance, reference)
    records = []
    while variants:
        some = [variants.pop(0)]
        for variant in variants[:6]:
            if len(some) < 5 and chance.random() < 0.5:
                variants.remove(variant)
                some.append(variant)
        start = some[0][0]
        end = max(at + len(ref) for at, ref, _ in some) + (chance.choice((0, 2)) if some[1:] else 0)
        alts = [reference[start:at] + alt + reference[at + len(ref) : end] for at, ref, alt in some]
        alts += chance.choice(([], ["*"], ["<DEL>"])) if some[1:] else []
        chance.shuffle(alts)
        genotypes = " ".join(draw_genotype(chance, len(alts) + 1) for _ in PEOPLE["id"])
        records.append(
            f"chr22 {start + 1} {reference[start:end]} {','.join(alts)} {genotypes}",
        )
    return records


@needs_bcftools
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("chunk", [70, 400, 4096])
def test_the_store_equals_the_one_from_the_records_that_bcftools_splits_and_trims(
    tmp_path, monkeypatch, seed, chunk
):
    chance = random.Random(seed)
    reference = "".join(chance.choices("ACGT", k=150))
    records = draw_records(chance, reference)
    vcf = write_vcf(tmp_path / "in.vcf", *records)
    (tmp_path / "ref.fa").write_text(f">chr22\n{reference}\n")
    split = tmp_path / "split.vcf"
    command = ["bcftools", "norm", "-m", "-any", "-f", tmp_path / "ref.fa", "-o", split, vcf]
    subprocess.run(command, check=True, capture_output=True)
    build_from_vcf([split], PEOPLE, tmp_path / "expected.sqlite")
    monkeypatch.setattr("rehearsal.node.intake.source.CHUNK", chunk)
    assert build_from_vcf([vcf], PEOPLE, tmp_path / "found.sqlite").variants > 40
    with pysam.VariantFile(str(vcf)) as file, pysam.VariantFile(str(split)) as theirs:
        starts = [record.start for record in file]
        moved = [record.start for record in theirs if record.start not in starts]
    assert len(starts) < 40 and moved
    assert_equal_stores(tmp_path / "found.sqlite", tmp_path / "expected.sqlite")


def assert_equal_stores(found, expected):
    with VariantStore.open(found) as ours, VariantStore.open(expected) as theirs:
        for a, b in zip(ours, theirs, strict=True):
            assert a == b
            assert a.carriers() == b.carriers()
            assert a.homozygotes() == b.homozygotes()
    assert found.read_bytes() == expected.read_bytes()
