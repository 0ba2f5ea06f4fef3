"""GFF3 in and out: what is written is read again, and files that cannot be right are refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal.errors import InputError
from rehearsal.genomes import odd_genes
from rehearsal.genomes.gene_model import read_gene_model, read_gff3
from rehearsal.genomes.gene_model_file import write_gene_model
from rehearsal.genomes.reading_frames import check_codons, keep_open_frames
from rehearsal.genomes.transcripts import Transcript, read_transcripts
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
    genes = [
        replace(one, protein=f"NP_{one.gene}.1", same_as=f"ENST{i}.2")
        for i, one in enumerate(two_genes())
    ]
    write_gene_model(genes, path)
    assert read_gff3(path, [BLOCK]) == genes
    assert (tmp_path / "genes.gff3.gz.tbi").is_file()


@pytest.mark.parametrize(
    ("references", "same"),
    [
        ("GeneID:672,Ensembl:ENST00000357654.9", "ENST00000357654.9"),  # NCBI's MANE files
        ("RefSeq:NM_007294.4", "NM_007294.4"),  # Ensembl's MANE files
        ("GeneID:672,Genbank:NM_007294.4", ""),
    ],
)
def test_the_same_transcript_of_the_other_database_is_read(
    tmp_path: Path, references: str, same: str
) -> None:
    text = HEAD + transcript(1, 60, f";Dbxref={references}")
    (found,) = read_gff3(gff3(tmp_path, text), [BLOCK])
    assert found.same_as == same


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
        (
            HEAD.replace("ID=", "Parent=t1;ID=") + transcript(1, 90),
            "line 2: Parent: expected a gene",
        ),
        (HEAD + transcript(1, 90).replace("\t90", "\t٩"), "expected start and end, 1-based"),
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
    ("text", "message"),
    [
        (
            "#!genome-build GRCh37.p13\n",
            "a GFF3 file of GRCh38, found 'GRCh37'$",
        ),
        ("##description: human genome (GRCh37), version 19\n", "found 'GRCh37'"),
        ("##sequence-region 22 1 51304566\n", "22 of GRCh38, 1 to 50818468, found 1 to 51304566"),
        ('chr22\tx\tgene\t1\t90\t.\t+\t.\tgene_id "G1"; gene_name "A";\n', "found GTF; convert"),
        (HEAD.replace("ID=g", "gene_id g"), "line 2: expected attributes of GFF3 .* found GTF"),
        (HEAD, "expected genes with transcripts .mRNA. and coding parts .CDS., found no CDS"),
    ],
)
def test_files_of_another_assembly_or_kind_are_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_gff3(gff3(tmp_path, text), [BLOCK])


def test_headers_of_the_assembly_are_accepted(tmp_path: Path) -> None:
    head = (
        "#!genome-build GRCh38.p14\n##sequence-region 22 1 50818468\n"
        "##description: human genome (GRCh38), version 44\n"
    )
    path = gff3(tmp_path, head + (HEAD + transcript(1, 90)).replace("chr22", "22"))
    assert [one.contig for one in read_gff3(path, [BLOCK])] == ["chr22"]


def test_a_known_gene_at_another_place_tells_of_another_assembly(tmp_path: Path) -> None:
    path = gff3(tmp_path, HEAD + transcript(1, 90))
    assert len(read_gff3(path, [BLOCK], {"A": Block(CONTIG, 50, 200)})) == 1
    with pytest.raises(InputError, match="A at chr22:5000-5100, where it is on GRCh38, found"):
        read_gff3(path, [BLOCK], {"A": Block(CONTIG, 5_000, 5_100)})


EXON = "chr22\tx\texon\t{first}\t{last}\t.\t+\t.\tParent=t1\n"
EXONS = EXON.format(first=1, last=30) + EXON.format(first=61, last=90)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD.replace("=A", "=A%0AB") + transcript(1, 90), "visible characters.*found 'A.nB'"),
        (HEAD.replace("=A", "=A%09B") + transcript(1, 90), "visible characters.*found 'A.tB'"),
        (HEAD + transcript(1, 90).replace("T1", "T%7C1"), "transcript: .*found 'T|1'"),
        (HEAD + transcript(1, 90).replace("+", "?"), r"strand: expected \+ or -, found '\?'"),
        (
            HEAD + transcript(1, 60) + CODING.format(n=1, end=30, phase=0).replace("+", "-"),
            "parts on chr22, strand \\+, of one transcript, found line 5, on chr22, strand -",
        ),
        (
            HEAD + transcript(1, 60) + WHOLE.format(n=1, tag="").replace("+", "-"),
            "of one transcript, found line 5, its identifier on chr22, strand -",
        ),
        (HEAD + transcript(1, 90) + EXONS, "CDS: expected coding parts .* that fill the exons"),
        (HEAD + transcript(1, 90) + EXONS.replace("90", "80"), "CDS: expected coding ends inside"),
    ],
)
def test_a_transcript_that_contradicts_itself_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_gff3(gff3(tmp_path, text), [BLOCK])
    assert "\n" not in str(caught.value)


def test_one_odd_gene_of_many_is_left_out_with_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    monkeypatch.setattr(odd_genes, "note", notes.append)
    text = HEAD + transcript(1, 61)
    for n in range(2, 9):
        gene = HEAD.replace("ID=g;gene_name=A", f"ID=g{n};gene_name=G{n}")
        text += gene + transcript(n, 90).replace("Parent=g;", f"Parent=g{n};")
    path = gff3(tmp_path, text)
    assert [one.gene for one in read_gff3(path, [BLOCK])] == [f"G{n}" for n in range(2, 9)]
    assert len(notes) == 1
    assert notes[0].startswith("gene A is left out: ")
    with pytest.raises(InputError, match="whole number of codons"):  # a query asks for it
        read_gff3(path, [BLOCK], {"A": Block(CONTIG, 0, 90)})


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

    def kept() -> list[Transcript]:
        return keep_open_frames(
            two_genes(), lambda b: bases[b.start : b.end], lambda _: "own.gff3", ()
        )

    assert kept() == two_genes()
    bases = bases[:place] + base + bases[place + len(base) :]
    with pytest.raises(InputError, match=message):
        kept()


def test_codons_that_the_reference_lacks_are_named() -> None:
    bases = bases_of_genes(1)
    own = replace(two_genes()[0], codons=((1, "ATG"), (2, "NNN")))
    check_codons([own], lambda b: bases[b.start : b.end], "own.tsv")
    for codons, message in (
        (((1, "ATC"),), "A NM_A.1: codons: expected ATC as codon 1 in the reference, found ATG"),
        (((85, "NNN"),), "expected NNN as codon 85 in the reference, found 84 codons"),
    ):
        with pytest.raises(InputError, match=message):
            check_codons([replace(own, codons=codons)], lambda b: bases[b.start : b.end], "own.tsv")
