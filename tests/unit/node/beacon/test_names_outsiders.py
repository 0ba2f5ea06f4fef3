"""The names of alleles beside those of the package hgvs (biocommons), where it is installed."""

from functools import partial

import numpy as np
import pytest

from rehearsal.genomes.annotation import annotate_alleles
from rehearsal.genomes.coding_sequence import reverse_complement
from rehearsal.genomes.gene_bases import GeneBases
from rehearsal.genomes.genomic_names import describe
from rehearsal.node.beacon.transcript_names import CodingQuery, on_gene_model
from tests.unit.genomes.gene_model import CONTIG, bases_of_genes, two_genes

from .named_genes import PUBLISHED

GENOME = "NC_000022.11"


class Sequences:
    """What hgvs asks for transcripts and bases, from the transcripts of a test."""

    data_version, schema_version = "test", "1.1"

    def __init__(self, transcripts, bases):
        self._transcripts, self._bases = {one.name: one for one in transcripts}, bases

    def get_seq(self, accession, start=None, end=None):
        if accession == GENOME:
            return self._bases[start:end]
        one = self._transcripts[accession]
        text = "".join(self._bases[a:b] for a, b in one.exons)
        return (text if one.forward else reverse_complement(text))[start:end]

    def get_tx_identity_info(self, accession):
        one = self._transcripts[accession]
        sizes = [b - a for a, b in one.exons]
        before = sum(max(0, min(b, one.cds_start) - a) for a, b in one.exons)
        if not one.forward:
            before = sum(max(0, b - max(a, one.cds_end)) for a, b in one.exons)
        return {
            **{"tx_ac": accession, "hgnc": one.gene, "lengths": sizes, "translation_table": "1"},
            **{"cds_start_i": before, "cds_end_i": before + one.coding_length},
        }

    def get_tx_info(self, accession, alt_ac, method):
        return self.get_tx_identity_info(accession)

    def get_tx_exons(self, accession, alt_ac, method):
        one = self._transcripts[accession]
        strand = {"alt_ac": alt_ac, "alt_aln_method": method, "alt_strand": -1 + 2 * one.forward}
        rows, done = [], 0
        for number, (a, b) in enumerate(one.exons if one.forward else one.exons[::-1]):
            ends = {"tx_start_i": done, "tx_end_i": done + b - a}
            about = {"ord": number, "cigar": f"{b - a}=", "alt_start_i": a, "alt_end_i": b}
            rows.append(about | ends | strand)
            done += b - a
        return sorted(rows, key=lambda row: row["alt_start_i"])

    def get_pro_ac_for_tx_ac(self, accession):
        return f"NP_{accession}"


def test_published_names_are_parsed_as_they_are():
    parser = pytest.importorskip("hgvs.parser", reason="hgvs is not installed").Parser()
    for coding, protein, _ in PUBLISHED:
        assert str(parser.parse_c_variant(coding)) == coding
        assert parser.parse_p_variant(protein).format() == protein


def test_random_alleles_have_the_names_that_hgvs_gives_them():
    """Those of transcripts all agree. hgvs says ``p.?`` of what touches an intron."""
    pytest.importorskip("hgvs", reason="hgvs is not installed")
    from hgvs.normalizer import Normalizer
    from hgvs.parser import Parser
    from hgvs.variantmapper import VariantMapper

    bases, transcripts = bases_of_genes(11), two_genes()
    sequences = Sequences(transcripts, bases)
    genes = GeneBases(transcripts, partial(read, bases))
    parser, mapper = Parser(), VariantMapper(sequences)
    # the 3' end of a transcript on the reverse strand is to the left on the genome
    normalizer = {s: Normalizer(sequences, shuffle_direction=d) for s, d in (("+", 3), ("-", 5))}
    proteins = 0
    for transcript, start, ref, alt in random_alleles(bases, transcripts):
        table = annotate_alleles(CONTIG, [(start, ref, alt)], partial(read, bases), [transcript])
        if table.empty or not table["hgvs_c"][0]:
            continue
        variant = parser.parse_g_variant(describe(CONTIG, start, ref, alt))
        theirs = mapper.g_to_c(normalizer[transcript.strand].normalize(variant), transcript.name)
        ours = f"{transcript.name}:{table['hgvs_c'][0]}"
        if "inv" in str(theirs):  # bases that are replaced by their reverse complement
            assert (
                on_gene_model(CodingQuery(str(theirs)), genes)[0]
                == (on_gene_model(CodingQuery(ours), genes)[0])
            )
            continue
        assert str(theirs) == ours
        protein = str(mapper.c_to_p(theirs, "NP_1.1")).replace("(", "").replace(")", "")
        if table["hgvs_p"][0] not in ("", "p.?") and not protein.endswith(":p.?"):
            assert protein == f"NP_1.1:{table['hgvs_p'][0]}"
            proteins += 1
    assert proteins > 300


def read(bases, block):
    return bases[block.start : block.end]


def random_alleles(bases, transcripts):
    """A substitution, insertion, deletion or delins at every base of the transcripts."""
    rng = np.random.default_rng(5)
    for transcript in transcripts:
        for start in range(transcript.start + 5, transcript.end - 15):
            removed, added = (int(one) for one in rng.integers(0, 4, 2))
            ref = bases[start : start + removed + 1]
            alt = ref[0] + "".join(rng.choice(list("ACGT"), added))
            if ref != alt:
                yield transcript, start, ref, alt
