"""The files of a run's reference: readable by samtools, described by digests, equal in all runs."""

import base64
import hashlib
import json
import subprocess

import pysam
import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.drawn_reference import (
    DrawnReference,
    FastaReference,
    draw_reference,
    planned_reference,
    stretches_with_bases,
)
from rehearsal.genomes.known_bases import KnownBases
from rehearsal.genomes.reference import read_reference
from rehearsal.genomes.reference_files import write_reference
from rehearsal.model import Block

BLOCKS = [
    Block("chr21", 20_000_007, 20_150_000),
    Block("chr21", 30_000_000, 30_020_001),
    Block("chrM", 0, 16_569),
]
HOLE = Block("chr21", 20_050_000, 20_050_100)
REAL = KnownBases("chr21", 20_100_000, "ACGTACGTAA", "a test")
SOURCE = DrawnReference(7, real=[REAL], unknown=[HOLE])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    stretches = stretches_with_bases(BLOCKS, [HOLE])
    write_reference(folder / "reference.fa.gz", folder / "contigs.json", stretches, SOURCE)
    return folder


@pytest.fixture(scope="module")
def contigs(folder):
    return json.loads((folder / "contigs.json").read_text())["contigs"]


def faidx(path, region: str) -> str:
    done = subprocess.run(
        ["samtools", "faidx", str(path), region], capture_output=True, text=True, check=True
    )
    return "".join(done.stdout.split("\n")[1:])


def test_samtools_reads_what_was_drawn_in_any_place(folder):
    path = folder / "reference.fa.gz"
    for block in (
        Block("chr21", 20_000_007, 20_000_100),
        Block("chr21", 20_149_000, 20_160_050),
        Block("chr21", 30_020_000, 30_020_001),
        Block("chrM", 16_500, 16_569),
    ):
        found = faidx(path, f"{block.contig}:{block.start + 1}-{block.end}")
        known = min(block.end, 20_160_000) if block.start < 20_160_000 else block.end
        drawn = draw_reference(Block(block.contig, block.start, known), 7, [REAL], [HOLE])
        assert found == drawn + "N" * (block.end - known)
    assert faidx(path, "chr21:1-1000") == "N" * 1_000
    assert faidx(path, "chr21:20050000-20050101").strip("ACGT") == "N" * 100
    assert faidx(path, "chr21:20100001-20100010") == REAL.bases
    assert faidx(path, "chr21:46709974-46709983") == "N" * 10


def test_the_indexes_are_those_of_samtools(folder, tmp_path):
    copy = tmp_path / "copy.fa.gz"
    copy.write_bytes((folder / "reference.fa.gz").read_bytes())
    pysam.faidx(str(copy))
    for suffix in (".fai", ".gzi"):
        own, other = folder / f"reference.fa.gz{suffix}", tmp_path / f"copy.fa.gz{suffix}"
        assert own.read_bytes() == other.read_bytes()


def test_digests_are_of_the_bases_as_written(folder, contigs):
    bases = faidx(folder / "reference.fa.gz", "chrM").encode()
    digest = base64.urlsafe_b64encode(hashlib.sha512(bases).digest()[:24]).decode()
    assert contigs["chrM"]["refget"] == f"SQ.{digest}"
    assert contigs["chrM"]["md5"] == hashlib.md5(bases).hexdigest()
    assert contigs["chr21"]["length"] == CONTIG_LENGTHS["chr21"]
    whole = faidx(folder / "reference.fa.gz", "chr21").encode()
    assert len(whole) == CONTIG_LENGTHS["chr21"]
    assert contigs["chr21"]["md5"] == hashlib.md5(whole).hexdigest()


def test_a_drawn_contig_is_named_synthetic_and_says_which_bases_are_real(contigs):
    assert contigs["chr21"]["bases"] == "synthetic"
    assert contigs["chr21"]["name"] == "SYNTHETIC-7-chr21"
    assert contigs["chr21"]["real"] == [[REAL.start, REAL.end]]


def test_bases_do_not_depend_on_regions(folder):
    whole = draw_reference(Block("chr21", 20_000_000, 20_140_000), 7)
    part = draw_reference(Block("chr21", 20_070_001, 20_070_900), 7)
    assert whole[70_001:70_900] == part
    assert draw_reference(Block("chr21", 20_070_001, 20_070_900), 8) != part
    assert draw_reference(Block("chr22", 20_070_001, 20_070_900), 7) != part


def test_a_users_fasta_takes_the_place_of_the_drawn_bases(folder, tmp_path):
    fasta = tmp_path / "own.fa"
    letters = ("acgtn" * 4_000)[: CONTIG_LENGTHS["chrM"]]
    fasta.write_text(f">MT\n{letters}\n".replace("MT", "M"))
    pysam.faidx(str(fasta))
    block = Block("chrM", 0, 16_569)
    out = tmp_path / "out.fa.gz", tmp_path / "contigs.json"
    write_reference(*out, [block], FastaReference(fasta))
    assert read_reference(out[0], block) == letters.upper()
    described = json.loads(out[1].read_text())["contigs"]["chrM"]
    assert (described["bases"], described["name"]) == ("given", "GIVEN-chrM")
    assert described["md5"] == hashlib.md5(letters.upper().encode()).hexdigest()
    with pytest.raises(InputError, match="chr21"):
        write_reference(*out, [Block("chr21", 0, 10)], FastaReference(fasta))


def test_a_run_has_n_in_the_gaps_of_grch38(root):
    genome = {"reference_fasta": None, "reference_bases": None, "masks": "config/masks.tsv"}
    source = planned_reference(genome, [], [], 1, root)
    beside = Block("chr22", 49_973_855, 49_975_375)  # the gap begins 10 bases later, ends 10 before
    bases = source.bases(beside).tobytes().decode()
    assert set(bases[10:-10]) == {"N"}
    assert "N" not in bases[:10] + bases[-10:]
