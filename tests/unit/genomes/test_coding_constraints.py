"""Drawn coding bases make proteins, keep what is known, and use codons as human genes do."""

from collections import Counter
from pathlib import Path

import numpy as np

from rehearsal.genomes.coding_constraints import Stretch, coding_constraints
from rehearsal.genomes.coding_sequence import CODE, CodingSequence
from rehearsal.genomes.codon_usage import CODON_USAGE
from rehearsal.genomes.consequences import small_effect
from rehearsal.genomes.transcripts import Transcript, read_transcripts
from tests.unit.genomes.gene_model import CONTIG, two_genes

TRANSCRIPTS = read_transcripts(Path(__file__).resolve().parents[3] / "config/transcripts.tsv")


def applied(contig: str, length: int, stretches: list[Stretch]) -> str:
    bases = np.full(length, "A")
    for place, start, text in stretches:
        if place == contig:
            bases[start : start + len(text)] = list(text)
    return "".join(bases)


def coding(transcript: Transcript, stretches: list[Stretch]) -> CodingSequence:
    offset = transcript.start
    moved = [(c, start - offset, text) for c, start, text in stretches]
    bases = applied(transcript.contig, transcript.end - offset, moved)
    return CodingSequence.of(transcript, lambda a, b: bases[a - offset : b - offset])


def test_each_gene_reads_from_a_start_to_one_stop() -> None:
    stretches = coding_constraints(TRANSCRIPTS, [], 3)
    for transcript in TRANSCRIPTS:
        protein = coding(transcript, stretches).protein
        assert protein[0] == "M"
        assert protein.find("*") == len(protein) - 1


def test_introns_begin_with_gt_and_end_with_ag() -> None:
    bases = applied(CONTIG, 3_000, coding_constraints(two_genes(), [], 3))
    forward, backward = two_genes()
    assert {(bases[a : a + 2], bases[b - 2 : b]) for a, b in forward.introns} == {("GT", "AG")}
    assert {(bases[a : a + 2], bases[b - 2 : b]) for a, b in backward.introns} == {("CT", "AC")}


def test_known_bases_stay() -> None:
    known = [(CONTIG, 140, "CCCCCCCCCCATGCA"), (CONTIG, 195, "TAGCAGGGG"), (CONTIG, 1_590, "GT")]
    stretches = coding_constraints(two_genes(), known, 3)
    bases = applied(CONTIG, 3_000, stretches)
    assert bases[150:155] == "ATGCA"
    assert bases[195:200] == "TAGCA"
    assert bases[200:202] == "GG"
    assert bases[1_590:1_592] == "GT"


def test_planted_variants_change_the_amino_acids_that_their_names_say() -> None:
    planted = {
        "BRAF": (140753335, "A", "T", "p.Val600Glu"),
        "PTEN": (87933146, "C", "T", "p.Arg130Ter"),
        "SLCO1B1": (21178614, "T", "C", "p.Val174Ala"),
        "PHGDH": (119712023, "T", "C", "p.Met1?"),
    }
    known = [("chrX", 12886151, "A"), ("chrX", 12887890, "G")]
    stretches = coding_constraints(TRANSCRIPTS, known, 3)
    for transcript in TRANSCRIPTS:
        sequence = coding(transcript, stretches)
        if transcript.gene == "TLR7":
            for start, alt, name in ((12886151, "G", "Asn215Ser"), (12887890, "T", "Val795Phe")):
                effect = small_effect(transcript, sequence, start, start + 1, alt)
                assert effect.protein == f"p.{name}"
        if transcript.gene in planted:
            start, ref, alt, name = planted[transcript.gene]
            index = sequence.index(start)
            there = sequence.bases[index]
            assert there == (ref if transcript.forward else {"A": "T"}[ref])
            assert small_effect(transcript, sequence, start, start + 1, alt).protein == name


def test_codons_are_used_as_often_as_in_human_genes() -> None:
    stretches = coding_constraints(TRANSCRIPTS, [], 5)
    used = Counter(
        bases[i : i + 3]
        for bases in (coding(t, stretches).bases for t in TRANSCRIPTS)
        for i in range(0, len(bases), 3)
    )
    number = sum(used.values())
    for codon, share in CODON_USAGE.items():
        if CODE[codon] != "*":
            expected = number * share / 1_000
            assert abs(used[codon] - expected) < 5 * expected**0.5


def test_bases_depend_on_seed_and_transcript_only() -> None:
    alone = coding_constraints(two_genes()[1:], [], 3)
    both = coding_constraints(two_genes(), [], 3)
    assert [s for s in both if s[1] >= 1_000] == alone
    assert coding_constraints(two_genes(), [], 4) != both
