"""Real bases of the project and of users, and what contradicts them."""

from pathlib import Path

import numpy as np
import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.coding_sequence import reverse_complement, translate
from rehearsal.genomes.drawn_reference import DrawnReference
from rehearsal.genomes.known_bases import (
    BasesByPlace,
    KnownBases,
    read_known_bases,
    with_planted,
)
from rehearsal.genomes.transcripts import read_transcripts
from rehearsal.model import Block, PlantedVariant, Variant

CONFIG = Path(__file__).parents[3] / "config"
SHIPPED, TRANSCRIPTS = CONFIG / "reference_bases.fa", CONFIG / "transcripts.tsv"


def planted(contig: str, position: int, ref: str, alt: str) -> PlantedVariant:
    return PlantedVariant(Variant(contig, position - 1, ref, alt), "GENE", "v", "", "", {})


@pytest.fixture(scope="module")
def shipped():
    return read_known_bases(SHIPPED)


def real(shipped, contig: str, first: int, last: int) -> str:
    """Bases of a 1-based region, both ends included."""
    stretch = next(s for s in shipped if s.contig == contig and s.start < first <= last <= s.end)
    return stretch.bases[first - 1 - stretch.start : last - stretch.start]


def test_shipped_bases_have_the_repeats_that_published_names_imply(shipped):
    # g.43057065dup is left-aligned T>TG at 43057062, so GGG and no further G follow
    assert real(shipped, "chr17", 43_057_062, 43_057_066) == "TGGGA"
    # g.43124030_43124031del is left-aligned ACT>A at 43124027: CTCT, deleted on the right
    assert real(shipped, "chr17", 43_124_027, 43_124_031) == "ACTCT"
    # c.5946del is g.32340301del: a single T after G
    assert real(shipped, "chr13", 32_340_300, 32_340_302) == "GTG"
    # bases that dbSNP has as reference alleles: rs1799949, rs144848, rs11571833
    assert real(shipped, "chr17", 43_093_449, 43_093_449) == "G"
    assert real(shipped, "chr13", 32_332_592, 32_332_592) == "A"
    assert real(shipped, "chr13", 32_398_489, 32_398_489) == "A"
    assert all("github.com" in one.source or "PyPI" in one.source for one in shipped)


def shipped_protein(shipped, gene: str) -> str:
    """The protein of a transcript of the table, X where a codon is not known."""
    (transcript,) = [one for one in read_transcripts(TRANSCRIPTS) if one.gene == gene]
    parts = []
    for start, end in transcript.coding:
        bases = np.full(end - start, ord("N"), np.uint8)
        BasesByPlace(shipped).write_to(bases, Block(transcript.contig, start, end))
        parts.append(bases.tobytes().decode())
    return translate("".join(parts) if transcript.forward else reverse_complement("".join(parts)))


def test_shipped_bases_of_braf_and_pten_are_their_whole_proteins(shipped):
    # lengths, ends and motifs of P15056 and P60484 (UniProt), with the stop
    braf, pten = shipped_protein(shipped, "BRAF"), shipped_protein(shipped, "PTEN")
    assert (len(braf), braf[:8], braf[-7:]) == (767, "MAALSGGG", "GAFPVH*")
    assert braf[593:600] == "DFGLATV"
    assert (len(pten), pten[:8], pten[-7:]) == (404, "MTAIIKEI", "TQITKV*")
    assert pten[122:130] == "HCKAGKGR"
    assert all("*" not in protein[:-1] and "X" not in protein for protein in (braf, pten))


def test_the_shipped_exon_of_slco1b1_has_the_codon_of_the_planted_variant(shipped):
    assert shipped_protein(shipped, "SLCO1B1")[173] == "V"
    assert real(shipped, "chr12", 21_178_613, 21_178_617) == "TGTGT"


def test_real_bases_win_over_those_that_a_model_asks_for():
    own = KnownBases("chr22", 20_000_010, "ACGTA", "real")
    model = KnownBases("chr22", 20_000_005, "TTTTTTTTTTTT", "model")
    block = Block("chr22", 20_000_000, 20_000_030)
    drawn = DrawnReference(1).bases(block).tobytes().decode()
    found = DrawnReference(1, real=[own], constrained=[model]).bases(block).tobytes().decode()
    assert found == drawn[:5] + "TTTTTACGTATT" + drawn[17:]


def test_a_ref_fills_what_is_not_known_and_must_fit_what_is():
    known = [KnownBases("chr22", 100, "ACGT", "real")]
    added = with_planted(known, [planted("chr22", 103, "GTAA", "G")], "own.fa")
    assert [(one.start, one.bases) for one in added] == [(100, "ACGT"), (104, "AA")]
    with pytest.raises(InputError, match=r"variants\.tsv: GENE v .*of own\.fa .*, GT, in REF"):
        with_planted(known, [planted("chr22", 103, "CTAA", "C")], "own.fa")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ACGT\n", "line 1: expected a name after >"),
        (">chr99:1-4 x\nACGT\n", "a region of GRCh38 as name"),
        (">chr22:1-5 x\nACGT\n", "chr22:1-5: expected 5 bases, found 4"),
        (">chr22:1-4 x\nACGN\n", "the bases A, C, G and T, found 'N'"),
        (">chr22:0-3 x\nACGT\n", "a region within chr22"),
        (">chr22:1-4 x\nACGT\n>chr22:4-5 y\nAC\n", "stretches that do not overlap"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path, text, message):
    path = tmp_path / "own.fa"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_known_bases(path)
    with pytest.raises(InputError, match="a FASTA file of text"):
        read_known_bases(tmp_path / "none.fa")


def test_letters_in_lower_case_and_long_lines_are_read(tmp_path):
    path = tmp_path / "own.fa"
    path.write_text(">chr22:11-18 from somewhere\nacgt\nACGT\n")
    assert read_known_bases(path) == [KnownBases("chr22", 10, "ACGTACGT", "from somewhere")]
    assert np.array_equal(
        DrawnReference(1, real=read_known_bases(path)).bases(Block("chr22", 12, 14)),
        np.frombuffer(b"GT", np.uint8),
    )
