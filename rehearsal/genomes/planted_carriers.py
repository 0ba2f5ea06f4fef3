"""Read the carriers of planted variants from tree sequences.

Uses plain tskit, and code that shares nothing with the planting.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import tskit

from rehearsal.genomes.transcripts import Transcript
from rehearsal.model import PlantedVariant

CARRIER_COLUMNS = ("gene", "name", "contig", "start", "ref", "alt", "individual", "copies")


def find_planted_carriers(
    ts: tskit.TreeSequence, people: pd.DataFrame, planted: Sequence[PlantedVariant]
) -> pd.DataFrame:
    """Find the carriers of the planted variants in a block's tree sequence.

    Args:
        ts: Tree sequence of a block.
        people: The people table. Row i is individual i of ``ts``.
        planted: Planted variants. Those of other contigs are skipped.

    Returns:
        One row per variant and carrier with ``CARRIER_COLUMNS``, in order of position, then of
        people. ``start`` is 0-based.
    """
    ids = people["id"].to_numpy()
    rows = []
    contig = ts.metadata["contig"]
    for asked in sorted(planted, key=lambda v: v.variant):
        variant = asked.variant
        if variant.contig != contig:
            continue
        for site in ts.variants(left=variant.start, right=variant.start + 1):
            if site.site.ancestral_state != variant.ref or variant.alt not in site.alleles:
                continue
            carrying = site.genotypes == site.alleles.index(variant.alt)
            individual = ts.nodes_individual[ts.samples()[carrying]]
            copies = np.bincount(individual, minlength=ts.num_individuals)
            label = (asked.gene, asked.name, *_parts(asked))
            rows += [(*label, ids[k], int(copies[k])) for k in np.flatnonzero(copies)]
    return pd.DataFrame(rows, columns=list(CARRIER_COLUMNS))


def with_genes(carriers: pd.DataFrame, transcripts: Sequence[Transcript]) -> pd.DataFrame:
    """Name the gene in which a variant lies where the variant was planted without a gene.

    Args:
        carriers: Rows with ``CARRIER_COLUMNS``.
        transcripts: The gene model.

    Returns:
        The rows with ``gene`` filled: the first gene by position, still empty outside genes.
    """
    genes = {
        (contig, start): _gene_at(contig, start, transcripts)
        for contig, start in set(zip(carriers["contig"], carriers["start"], strict=True))
    }
    rows = zip(carriers["gene"], carriers["contig"], carriers["start"], strict=True)
    return carriers.assign(gene=[gene or genes[contig, start] for gene, contig, start in rows])


def _gene_at(contig: str, start: int, transcripts: Sequence[Transcript]) -> str:
    own = [one for one in transcripts if one.contig == contig and one.start <= start < one.end]
    return min(own, key=lambda one: one.start).gene if own else ""


def _parts(planted: PlantedVariant) -> tuple[str, int, str, str]:
    variant = planted.variant
    return variant.contig, variant.start, variant.ref, variant.alt
