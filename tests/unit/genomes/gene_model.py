"""A small gene model on random bases, for tests: one gene on either strand."""

from __future__ import annotations

import numpy as np

from rehearsal.genomes.coding_sequence import CODE, reverse_complement
from rehearsal.genomes.transcripts import Transcript

CONTIG = "chr22"
LENGTH = 3_000
EXONS = ((100, 200), (300, 400), (500, 650))


def two_genes() -> list[Transcript]:
    """Return gene A on the forward strand and gene B, 1 kb further, on the reverse strand."""
    forward = Transcript("A", "NM_A.1", CONTIG, "+", EXONS, 150, 602)
    exons = tuple((a + 1_000, b + 1_000) for a, b in EXONS)
    return [forward, Transcript("B", "NM_B.1", CONTIG, "-", exons, 1_150, 1_602)]


def bases_of_genes(seed: int) -> str:
    """Draw bases in which both genes have an open reading frame and introns from GT to AG."""
    rng = np.random.default_rng(seed)
    bases = rng.choice(list("ACGT"), LENGTH)
    for transcript in two_genes():
        codons = [codon for codon in CODE if CODE[codon] != "*"]
        inner = rng.choice(codons, transcript.coding_length // 3 - 2)
        text = "ATG" + "".join(inner) + "TAA"
        text = text if transcript.forward else reverse_complement(text)
        places = [p for a, b in transcript.coding for p in range(a, b)]
        bases[places] = list(text)
        for a, b in transcript.introns:
            bases[a : a + 2] = list("GT" if transcript.forward else "CT")
            bases[b - 2 : b] = list("AG" if transcript.forward else "AC")
    return "".join(bases)
