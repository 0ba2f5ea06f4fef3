"""GFF3 in and out: what is written is read again, and files that cannot be right are refused."""

from pathlib import Path

import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.gene_model import read_gene_model, read_gff3
from rehearsal.genomes.gene_model_file import write_gene_model
from rehearsal.genomes.reading_frames import check_reading_frames
from rehearsal.genomes.transcripts import read_transcripts
from rehearsal.model import Block
from tests.unit.genomes.gene_model import CONTIG, LENGTH, bases_of_genes, two_genes

ROOT = Path(__file__).resolve().parents[3]
TABLE = ROOT / "config/transcripts.tsv"
BLOCK = Block(CONTIG, 0, LENGTH)

HEAD = "chr22\tx\tgene\t1\t90\t.\t+\t.\tID=g;gene_name=A\n"
WHOLE = "chr22\tx\tmRNA\t1\t90\t.\t+\t.\tID=t{n};Parent=g;Name=T{n}{tag}\n"
CODING = "chr22\tx\tCDS\t1\t{end}\t.\t+\t{phase}\tParent=t{n}\n"


def gff3(folder: Path, text: str) -> Path:
    path = folder / "own.gff3"
    path.write_text("##gff-version 3\n" + text)
    return path


def transcript(n: int, end: int, tag: str = "", phase: int = 0) -> str:
    return WHOLE.format(n=n, tag=tag) + CODING.format(n=n, end=end, phase=phase)


def test_a_written_gene_model_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "genes.gff3.gz"
    write_gene_model(two_genes(), path)
    assert read_gff3(path, [BLOCK]) == two_genes()
    assert (tmp_path / "genes.gff3.gz.tbi").is_file()


def test_genes_of_the_table_are_not_taken_from_the_file(tmp_path: Path) -> None:
    own = next(t for t in read_transcripts(TABLE) if t.gene == "PTEN")
    path = tmp_path / "genes.gff3.gz"
    write_gene_model([own, *two_genes()], path)
    blocks = [Block("chr10", 87_900_000, 87_910_000), BLOCK]
    assert read_gene_model(TABLE, path, blocks) == [own, *two_genes()]
    assert read_gene_model(TABLE, None, blocks) == [own]


def test_the_main_transcript_is_the_tagged_one_then_the_longest(tmp_path: Path) -> None:
    longest = gff3(tmp_path, HEAD + transcript(1, 60) + transcript(2, 90))
    assert [t.name for t in read_gff3(longest, [BLOCK])] == ["T2"]
    tagged = gff3(tmp_path, HEAD + transcript(1, 60, ";tag=basic,MANE_Select") + transcript(2, 90))
    assert [t.name for t in read_gff3(tagged, [BLOCK])] == ["T1"]
    cut = gff3(tmp_path, HEAD + transcript(1, 60) + transcript(2, 90, phase=1))
    assert [t.name for t in read_gff3(cut, [BLOCK])] == ["T1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + transcript(1, 61), "line 3: T1: CDS: expected a whole number of codons"),
        ("chrZ" + HEAD[5:], "seqid: expected a contig of GRCh38 in the first column"),
        (HEAD + "chr22\tx\n", "line 3: expected nine columns"),
        (HEAD.replace("\t90", "\t0"), "line 2: expected start and end, 1-based"),
        (HEAD + (transcript(1, 90)).replace("90", "60000000"), "at most 50818468, the length"),
    ],
)
def test_impossible_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_gff3(gff3(tmp_path, text), [Block(CONTIG, 0, 50_000_000)])


def test_a_gene_outside_of_the_blocks_is_not_checked(tmp_path: Path) -> None:
    path = gff3(tmp_path, HEAD + transcript(1, 61))
    assert read_gff3(path, [Block(CONTIG, 100, 200)]) == []


@pytest.mark.parametrize(
    ("place", "base", "message"),
    [
        (151, "C", "NM_A.1: .*found no start codon but one of T"),
        (153, "TAA", "NM_A.1: .*found a stop at codon 2 of 84"),
        (599, "CAA", "NM_A.1: .*found no stop at the end"),
    ],
)
def test_a_reference_that_contradicts_the_genes_is_named(
    place: int, base: str, message: str
) -> None:
    bases = bases_of_genes(1)
    check_reading_frames(two_genes(), lambda b: bases[b.start : b.end], "own.gff3")
    bases = bases[:place] + base + bases[place + len(base) :]
    with pytest.raises(InputError, match=message):
        check_reading_frames(two_genes(), lambda b: bases[b.start : b.end], "own.gff3")
