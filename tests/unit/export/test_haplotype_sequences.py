"""Haplotypes carry every class of variant, and callers find them in the reads."""

import shutil
import subprocess

import numpy as np
import pysam
import pytest

from rehearsal.export.haplotype_sequences import (
    Change,
    apply_changes,
    haplotype_changes,
    inserted_sequence,
)
from rehearsal.export.read_sets import write_read_sets
from rehearsal.model import Block

from .one_woman import genotypes_of

LENGTH = 24_000
REGION = Block("chr22", 1000, 23_000)
BASES = np.random.default_rng(7).choice(np.frombuffer(b"ACGT", np.uint8), LENGTH)
SEED = 5


def letters(start, end):
    return BASES[start:end].tobytes().decode()


# by 0-based position: reference, allele, end, length, haplotypes
SMALL = {
    2000: (letters(2000, 2009), letters(2000, 2001), (0, 1)),  # a homozygous deletion of 8
    3000: (letters(3000, 3001), letters(3000, 3001) + "GATTACA", (0,)),
    4000: (letters(4000, 4004), letters(4000, 4001), (1,)),
}
STRUCTURAL = {
    6000: ("<DEL>", 8001, 2000, (0,)),
    10_000: ("<DUP:TANDEM>", 12_001, 2000, (1,)),
    14_000: ("<INS:ME:ALU>", 14_001, 281, (0, 1)),
    16_000: ("<INV>", 17_501, 1500, (0, 1)),
    19_000: ("<CN3>", 21_001, 2000, (0,)),
}


def changes_of(text):
    """One change per line: start, reference, allele, end, length."""
    rows = [line.split() for line in text.strip().splitlines()]
    return [Change(int(a), r, x, int(e), int(n)) for a, r, x, e, n in rows]


def test_bases_are_deleted_repeated_and_inverted():
    bases = np.frombuffer(b"AACGTTACGGCATTAC", np.uint8)
    whole = Block("chr22", 0, 16)
    assert apply_changes(bases, whole, changes_of("1 A <DEL> 4 2"), 1) == "AATTACGGCATTAC"
    assert (
        apply_changes(bases, whole, changes_of("1 A <DUP:TANDEM> 4 2"), 1) == "AACGCGTTACGGCATTAC"
    )
    assert apply_changes(bases, whole, changes_of("5 T <INV> 9 3"), 1) == "AACGTTCGTGCATTAC"
    assert apply_changes(bases, whole, changes_of("1 A <CN3> 4 2"), 1) == "AACGCGCGTTACGGCATTAC"
    assert apply_changes(bases, whole, changes_of("1 A <CN0> 4 2"), 1) == "AATTACGGCATTAC"


def test_changes_inside_a_segment_are_repeated_and_inverted_with_it():
    bases = np.frombuffer(b"AACGTTACGGCATTAC", np.uint8)
    whole = Block("chr22", 0, 16)
    inside = "\n3 G T 4 0\n8 G GA 9 0"
    found = apply_changes(bases, whole, changes_of("1 A <DUP:TANDEM> 4 2" + inside), 1)
    assert found == "AACTCTTTACGAGCATTAC"
    found = apply_changes(bases, whole, changes_of("7 C <INV> 11 3\n8 G GA 9 0"), 1)
    assert found == "AACGTTACGCTCATTAC"
    found = apply_changes(bases, whole, changes_of("1 A <DEL> 4 2" + inside), 1)
    assert found == "AATTACGAGCATTAC"


def test_changes_that_begin_inside_a_deletion_or_end_outside_are_left_out():
    bases = np.frombuffer(b"AACGTACG", np.uint8)
    changes = changes_of("1 ACG A 4 0\n2 C T 3 0\n5 A AGG 6 0\n6 C <DEL> 9 2")
    assert apply_changes(bases, Block("chr22", 0, 8), changes, 1) == "AATAGGCG"
    assert apply_changes(bases, Block("chr22", 2, 7), changes[1:], 1) == "TGTAGGC"


def test_an_insertion_has_the_same_bases_in_everybody_and_those_of_its_family():
    one = inserted_sequence(Change(100, "A", "<INS:ME:ALU>", 101, 281), 1)
    assert one == inserted_sequence(Change(100, "A", "<INS:ME:ALU>", 101, 281), 1)
    other = inserted_sequence(Change(900, "A", "<INS:ME:ALU>", 901, 300), 1)
    assert (len(one), len(other)) == (281, 300) and one.endswith("A" * 25)
    equal = np.mean([a == b for a, b in zip(one, other[-281:], strict=True)])
    assert 0.8 < equal < 1
    line = inserted_sequence(Change(100, "A", "<INS:ME:L1>", 101, 281), 1)
    assert np.mean([a == b for a, b in zip(one, line, strict=True)]) < 0.5


@pytest.fixture(scope="module")
def genotypes():
    """One woman with every class of variant."""
    small = ((place, ref, alt, nodes, None) for place, (ref, alt, nodes) in SMALL.items())
    large = (
        (place, letters(place, place + 1), alt, nodes, {"end": end, "svlen": svlen})
        for place, (alt, end, svlen, nodes) in STRUCTURAL.items()
    )
    return genotypes_of(LENGTH, REGION, [*small, *large])


def test_the_changes_of_a_haplotype_are_its_alleles(genotypes):
    found = [(change.start, change.allele) for change in haplotype_changes(genotypes, 0, 1)]
    small = [(place, alt) for place, (_, alt, nodes) in SMALL.items() if 1 in nodes]
    large = [(place, alt) for place, (alt, *_, nodes) in STRUCTURAL.items() if 1 in nodes]
    assert found == small + large


@pytest.fixture(scope="module")
def reads(genotypes, tmp_path_factory):
    for program in ("dwgsim", "minimap2", "bcftools"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    folder = tmp_path_factory.mktemp("reads")
    fasta = folder / "bases.fa"
    fasta.write_text(f">chr22\n{letters(0, LENGTH)}\n")
    pysam.faidx(str(fasta))
    write_read_sets([genotypes], [REGION], 40, folder / "reads", SEED, fasta)
    return folder / "reads"


def test_a_caller_finds_the_indels_of_the_reads(reads):
    reference = reads / "reference.fa.gz"
    command = f"bcftools mpileup -f {reference} -r chr22:1500-5000 {reads}/FI-000001.cram"
    command += f" | bcftools call -mv | bcftools norm -f {reference} | bcftools query"
    command += " -f '%POS %REF %ALT [%GT]\n'"
    text = subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout
    found = {int(line.split()[0]) - 1: line.split()[1:] for line in text.splitlines()}
    genotype = {(0, 1): "1/1", (0,): "0/1", (1,): "0/1"}
    planted = {place: (ref, alt, genotype[nodes]) for place, (ref, alt, nodes) in SMALL.items()}
    shifted = {place: _normalised(place, *row) for place, row in planted.items()}
    assert found == dict(shifted.values())


def _normalised(place, ref, alt, genotype):
    """Shift an indel to the left, as ``bcftools norm`` does."""
    while len(ref) != len(alt) and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
        if not ref or not alt:
            place -= 1
            ref, alt = letters(place, place + 1) + ref, letters(place, place + 1) + alt
    return place, [ref, alt, genotype]


def test_the_depth_of_reads_follows_the_number_of_copies(reads):
    reference = str(reads / "reference.fa.gz")
    with pysam.AlignmentFile(reads / "FI-000001.cram", reference_filename=reference) as cram:
        bases = cram.count_coverage("chr22", 0, LENGTH, quality_threshold=0)
    depth = np.array(bases).sum(axis=0)
    usual = np.median(depth[4500:5800])

    def relative(place, end):
        return depth[place + 300 : end - 300].mean() / usual

    assert 0.35 < relative(6000, 8001) < 0.65  # one copy of two
    assert 1.25 < relative(10_000, 12_001) < 1.75  # three copies
    assert 1.6 < relative(19_000, 21_001) < 2.4  # three in one haplotype, one in the other
    assert 0.75 < relative(16_000, 17_501) < 1.25


def test_an_inversion_and_an_insertion_show_in_the_alignments(reads):
    reference = str(reads / "reference.fa.gz")
    with pysam.AlignmentFile(reads / "FI-000001.cram", reference_filename=reference) as cram:
        clipped = np.zeros(LENGTH, int)
        for read in cram.fetch("chr22", 13_000, 18_500):
            if read.is_unmapped:
                continue
            for (kind, size), place in (
                (read.cigartuples[0], read.reference_start),
                (read.cigartuples[-1], read.reference_end - 1),
            ):
                clipped[place] += kind == 4 and size >= 20
        same_strand = sum(
            read.is_reverse == read.mate_is_reverse and not read.mate_is_unmapped
            for read in cram.fetch("chr22", 15_600, 16_400)
        )
    for breakpoint_of_event in (14_000, 16_000, 17_500):
        assert clipped[breakpoint_of_event - 15 : breakpoint_of_event + 16].sum() >= 10
    assert same_strand >= 10
