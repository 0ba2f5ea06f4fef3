"""The project's genes on a drawn reference, and the planted variants with their published names."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from rehearsal.genomes.drawn_reference import planned_reference
from rehearsal.genomes.gene_bases import GeneBases
from rehearsal.genomes.transcripts import read_transcripts
from rehearsal.model import Block, PlantedVariant, Variant

CONFIG = Path(__file__).parents[4] / "config"
# names of ClinVar and of config/variants.tsv: name of the transcript, of the protein, identifier
PUBLISHED = [
    ("NM_007294.4:c.68_69del", "NP_009225.1:p.Glu23ValfsTer17", "chr17-43124027-ACT-A"),
    ("NM_007294.4:c.5266dup", "NP_009225.1:p.Gln1756ProfsTer74", "chr17-43057062-T-TG"),
    ("NM_000059.4:c.5946del", "NP_000050.3:p.Ser1982ArgfsTer22", "chr13-32340300-GT-G"),
    ("NM_004333.6:c.1799T>A", "NP_004324.2:p.Val600Glu", "chr7-140753336-A-T"),
    ("NM_000314.8:c.388C>T", "NP_000305.3:p.Arg130Ter", "chr10-87933147-C-T"),
    ("NM_006446.5:c.521T>C", "NP_006437.3:p.Val174Ala", "chr12-21178615-T-C"),
    ("NM_006623.4:c.2T>C", "NP_006614.2:p.Met1?", "chr1-119712024-T-C"),
    ("NM_016562.4:c.644A>G", "NP_057646.1:p.Asn215Ser", "chrX-12886152-A-G"),
    ("NM_016562.4:c.2383G>T", "NP_057646.1:p.Val795Phe", "chrX-12887891-G-T"),
]


@cache
def planted() -> tuple[Variant, ...]:
    """The planted variants of the shipped configuration."""
    with (CONFIG / "variants.tsv").open(newline="") as table:
        return tuple(
            Variant(row["contig"], int(row["position"]) - 1, row["ref"], row["alt"])
            for row in csv.DictReader(table, delimiter="\t")
        )


@cache
def transcripts():
    return read_transcripts(CONFIG / "transcripts.tsv")


@cache
def _reference():
    variants = [PlantedVariant(one, "", "", "", "", {}) for one in planted()]
    genome = {"reference_fasta": None, "masks": None, "reference_bases": "reference_bases.fa"}
    return planned_reference(genome, variants, transcripts(), 1, CONFIG)


def read(block: Block) -> str:
    """Bases of the reference, real ones around the planted variants."""
    return _reference().bases(block).tobytes().decode()


@cache
def genes() -> GeneBases:
    """The gene model with its bases."""
    return GeneBases(transcripts(), read)
