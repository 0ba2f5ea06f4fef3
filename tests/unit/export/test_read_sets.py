"""Reads of chosen people and regions show the haplotypes of the genotypes."""

import gzip
import hashlib
import shutil
import subprocess

import numpy as np
import pandas as pd
import pysam
import pytest

from rehearsal.export.read_sets import quality, write_read_sets
from rehearsal.model import Block

from .one_woman import genotypes_of

LENGTH = 6000
REGION = Block("chr22", 1000, 5000)
HOMOZYGOUS, HETEROZYGOUS, DELETED = 2000, 2500, 3000

needs_programs = pytest.mark.skipif(
    not all(map(shutil.which, ("dwgsim", "minimap2"))), reason="dwgsim or minimap2 is missing"
)


@pytest.fixture(scope="module")
def genotypes():
    """One woman, homozygous for one SNV, heterozygous for another and for a deletion."""
    alleles = (
        (HOMOZYGOUS, "A", "G", (0, 1), None),
        (HETEROZYGOUS, "C", "T", (0,), None),
        (DELETED, "ACTT", "A", (1,), None),
    )
    return genotypes_of(LENGTH, REGION, alleles)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A reference that has the REF of all sites."""
    letters = np.random.default_rng(1).choice(list("ACGT"), LENGTH)
    for place, ref in ((HOMOZYGOUS, "A"), (HETEROZYGOUS, "C"), (DELETED, "ACTT")):
        letters[place : place + len(ref)] = list(ref)
    path = tmp_path_factory.mktemp("reference") / "own.fa"
    path.write_text(f">chr22\n{''.join(letters)}\n")
    pysam.faidx(str(path))
    return path


@pytest.fixture(scope="module")
def folders(genotypes, reference, tmp_path_factory):
    """The same reads, written twice in two places."""
    found = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("somewhere") / "reads"
        write_read_sets([genotypes], [REGION], 40, folder, 5, reference)
        found.append(folder)
    return found


@needs_programs
def test_alignments_show_the_genotypes_at_grch38_coordinates(folders):
    folder = folders[0]
    reference = str(folder / "reference.fa.gz")
    with pysam.AlignmentFile(folder / "FI-000001.cram", reference_filename=reference) as cram:
        bases = np.array(cram.count_coverage("chr22", 0, LENGTH, quality_threshold=0))
        depth = bases.sum(axis=0)
        assert bases[2, HOMOZYGOUS] / depth[HOMOZYGOUS] > 0.95  # G
        assert 0.25 < bases[3, HETEROZYGOUS] / depth[HETEROZYGOUS] < 0.75  # T
        assert 10 < depth[DELETED + 1] < 0.8 * depth[DELETED - 10]
        assert not depth[: REGION.start].any() and not depth[REGION.end :].any()
        assert 32 < depth[REGION.start + 500 : REGION.end - 500].mean() < 48
        header = cram.header.to_dict()
    with pysam.FastaFile(reference) as fasta:
        md5 = hashlib.md5(fasta.fetch("chr22").encode()).hexdigest()
    about = {"AS": "synthetic-GRCh38", "M5": md5, "UR": "reference.fa.gz"}
    assert header["SQ"] == [{"SN": "chr22", "LN": LENGTH, **about}]
    assert "SYNTHETIC" in header["CO"][0]


@needs_programs
@pytest.mark.skipif(shutil.which("samtools") is None, reason="samtools is not installed")
def test_samtools_finds_the_library_run_platform_aligner_and_sequences(folders):
    folder = folders[0]
    cram, reference = folder / "FI-000001.cram", folder / "reference.fa.gz"

    def samtools(*arguments):
        command = ["samtools", *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    samtools("quickcheck", "-v", cram)
    reads = samtools("view", "-c", "-T", reference, cram)
    assert int(reads) > 500
    assert samtools("view", "-c", "-l", "FI-000001-library", "-T", reference, cram) == reads
    lines = samtools("view", "-H", "--no-PG", cram).splitlines()
    fields = {line[:3]: dict(one.split(":", 1) for one in line.split("\t")[1:]) for line in lines}
    group = {key: fields["@RG"][key] for key in ("ID", "SM", "LB", "PL", "PU")}
    assert group == {
        "ID": "FI-000001",
        "SM": "FI-000001",
        "LB": "FI-000001-library",
        "PL": "ILLUMINA",
        "PU": "SYNTHETIC.FI-000001",
    }
    version = subprocess.run(["minimap2", "--version"], capture_output=True, text=True, check=True)
    assert fields["@PG"]["PN"] == "minimap2" and fields["@PG"]["VN"] == version.stdout.strip()
    assert "/" not in fields["@PG"]["CL"]  # the same bytes wherever it is made
    own = samtools("dict", reference).splitlines()[1]
    assert f"M5:{fields['@SQ']['M5']}" in own.split("\t")


@needs_programs
def test_the_reference_beside_the_reads_has_ref_at_every_site(folders):
    with pysam.FastaFile(str(folders[0] / "reference.fa.gz")) as fasta:
        assert fasta.fetch("chr22", DELETED, DELETED + 4) == "ACTT"
        assert fasta.fetch("chr22", HOMOZYGOUS, HOMOZYGOUS + 1) == "A"
        assert set(fasta.fetch("chr22", 0, REGION.start)) == {"N"}


@needs_programs
def test_quality_figures_are_those_of_the_alignments(folders):
    table = pd.read_csv(folders[0] / "wgs_qc.tsv", sep="\t").iloc[0]
    assert 36 < table["mean_autosome_coverage"] < 44
    assert table["pct_reads_mapped"] > 99 and table["pct_autosomes_15x"] > 90
    q30 = 0
    for end in (1, 2):
        with gzip.open(folders[0] / f"FI-000001_R{end}.fastq.gz", "rt") as reads:
            lines = reads.read().splitlines()
        assert lines[0].startswith("@SYNTHETIC-FI-000001") and len(lines[1]) == 150
        q30 += sum(letter >= "?" for line in lines[3::4] for letter in line)  # Phred 30 + 33
    assert table["yield_bp_q30"] == q30


@pytest.fixture
def aligned(tmp_path):
    """Thirty reads of chr22:100-200, ten of chrX, none of chrY; chr22:0-100 is N."""
    reference, path = tmp_path / "own.fa", tmp_path / "own.bam"
    contigs = {"chr22": "N" * 100 + "A" * 100, "chrX": "A" * 100, "chrY": "A" * 100}
    reference.write_text("".join(f">{name}\n{bases}\n" for name, bases in contigs.items()))
    pysam.faidx(str(reference))
    lengths = list(map(len, contigs.values()))
    with pysam.AlignmentFile(
        path, "wb", reference_names=list(contigs), reference_lengths=lengths
    ) as file:
        for number, (contig, start) in enumerate([(0, 100)] * 30 + [(1, 0)] * 10):
            read = pysam.AlignedSegment(file.header)
            read.query_name, read.query_sequence = f"read{number}", "A" * 100
            read.query_qualities = pysam.qualitystring_to_array("I" * 100)
            read.reference_id, read.reference_start, read.cigarstring = contig, start, "100M"
            read.flag = 0
            file.write(read)
    pysam.index(str(path))
    return path, reference


@pytest.mark.parametrize(
    ("contigs", "depth", "at_15x"), [("chr22 chrX chrY", 30, 100), ("chrX chrY", 5, 0)]
)
def test_depth_is_that_of_known_autosomal_bases_where_there_are_any(
    aligned, contigs, depth, at_15x
):
    regions = [Block(name, 0, 200 if name == "chr22" else 100) for name in contigs.split()]
    figures = quality(*aligned, regions)
    assert figures["mean_autosome_coverage"] == depth
    assert figures["pct_autosomes_15x"] == at_15x
    assert figures["yield_bp_q30"] == 4000


@needs_programs
def test_the_same_seed_gives_the_same_bytes_in_any_folder(folders):
    one, other = folders
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in names)
