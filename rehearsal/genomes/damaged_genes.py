"""Find who has damaged copies of genes: planted variants and loss-of-function alleles.

A copy of a gene is a haplotype. Two alleles on one haplotype damage one copy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd
import tskit
from numpy.typing import NDArray

from rehearsal.genomes.allele_names import states_by_name
from rehearsal.genomes.consequence_terms import LOSS_OF_FUNCTION
from rehearsal.model import PlantedVariant

HAPLOTYPE_COLUMNS = ("gene", "individual", "haplotype")


def find_damaged_haplotypes(
    ts: tskit.TreeSequence,
    people: pd.DataFrame,
    planted: Sequence[PlantedVariant],
    consequences: pd.DataFrame,
    genes: Collection[str],
) -> pd.DataFrame:
    """Find the haplotypes of a block on which genes are damaged.

    Args:
        ts: Tree sequence of the block.
        people: The people table. Row i is individual i of ``ts``.
        planted: Planted variants. Each damages its gene, whatever its consequence.
        consequences: The table of ``annotate_block`` of the block.
        genes: Symbols of the genes that are asked about.

    Returns:
        One row per gene and damaged haplotype with ``HAPLOTYPE_COLUMNS``: 0 for the mother's
        haplotype (or the only one), 1 for the father's.
    """
    contig, inside = ts.metadata["contig"], (ts.metadata["start"], ts.metadata["end"])
    alleles = {
        (one.gene, one.variant.start, one.variant.ref, one.variant.alt)
        for one in planted
        if one.variant.contig == contig and inside[0] <= one.variant.start < inside[1]
    }
    losses = consequences[consequences["consequence"].isin(LOSS_OF_FUNCTION)]
    columns = (losses[name] for name in ("gene", "position", "ref", "alt"))
    alleles |= set(zip(*columns, strict=True))
    asked = sorted((one for one in alleles if one[0] in genes), key=lambda one: one[1])
    individual = pd.Series(ts.nodes_individual[ts.samples()])
    haplotype = individual.groupby(individual).cumcount().to_numpy()
    ids = people["id"].to_numpy()
    found: set[tuple[str, str, int]] = set()
    variant = tskit.Variant(ts)  # goes along the trees once: the alleles are in order
    for gene, position, *name in asked:
        has = _samples_with(variant, position, *name)
        found |= {(gene, ids[individual[k]], int(haplotype[k])) for k in has}
    return pd.DataFrame(sorted(found), columns=list(HAPLOTYPE_COLUMNS))


def _samples_with(variant: tskit.Variant, position: int, ref: str, alt: str) -> NDArray[np.int64]:
    """List the samples that have an allele, by decoding its site."""
    positions = variant.tree_sequence.sites_position
    site = int(np.searchsorted(positions, position))
    if site == positions.size or positions[site] != position:
        return np.empty(0, np.int64)
    variant.decode(site)
    state = states_by_name(variant.alleles).get((ref, alt))
    if state is None:
        return np.empty(0, np.int64)
    return np.flatnonzero(variant.genotypes == variant.alleles.index(state))


def count_damaged_copies(blocks: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Count each person's damaged copies of each gene.

    Args:
        blocks: The tables of ``find_damaged_haplotypes``. A gene may lie in several blocks.

    Returns:
        One row per gene and person with at least one: gene, individual, copies.
    """
    whole = pd.concat(blocks, ignore_index=True).drop_duplicates()
    return (
        whole.groupby(["gene", "individual"], as_index=False)
        .size()
        .rename(columns={"size": "copies"})
    )
