"""Who carries planted variants, read from tree sequences.

With plain tskit, by code that shares nothing with the planting.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import tskit

from rehearsal.model import PlantedVariant

CARRIER_COLUMNS = ("gene", "name", "contig", "start", "ref", "alt", "individual", "copies")


def find_planted_carriers(
    ts: tskit.TreeSequence, people: pd.DataFrame, planted: Sequence[PlantedVariant]
) -> pd.DataFrame:
    """Who carries the planted variants that stand in a block's tree sequence.

    ``people``: a row an individual of ``ts``. A row a variant and carrier, in order of position,
    then of people, with ``CARRIER_COLUMNS``; ``start`` is 0-based.
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


def _parts(planted: PlantedVariant) -> tuple[str, int, str, str]:
    variant = planted.variant
    return variant.contig, variant.start, variant.ref, variant.alt
