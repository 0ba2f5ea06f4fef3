"""The genotypes of all people who permit an analysis, in one matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tskit
from numpy.typing import NDArray

from rehearsal.model import Block, Variant
from rehearsal.truth.decoded_genotypes import DecodedGenotypes, cells
from rehearsal.truth.gene_consequences import GeneTruth
from rehearsal.truth.subcohort import Subcohort
from rehearsal.truth.variant_classes import Extent

NO_COPY = -9  # of a person who has no chromosome of the kind

Copies = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class PooledGenotypes:
    """Alleles in the order of contigs and positions, and who carries them."""

    alleles: list[tuple[Variant, Extent]]
    copies: Copies  # shape (n_alleles, n_people): 0, 1, 2, or NO_COPY
    unnamed: PooledGenotypes | None = None  # alleles of genes that no node names

    @property
    def is_autosomal(self) -> NDArray[np.bool_]:
        """Whether each allele is on an autosome."""
        names = [variant.contig.removeprefix("chr") for variant, _ in self.alleles]
        return np.array([name.isdigit() for name in names], dtype=bool)


def read_genotypes(
    trees: Mapping[Block, Path],
    people: pd.DataFrame,
    permitted: NDArray[np.bool_],
    least: int,
    genes: GeneTruth,
) -> PooledGenotypes:
    """Read the alleles that a node would name.

    A node names an allele if at least ``least`` of its people carry it, and if nobody or at least
    ``least`` have another one. One copy of a contig of which a person has one counts as two.

    Args:
        trees: Tree-sequence files by block.
        people: All people of the run.
        permitted: Who permits the analysis, shape (people,).
        least: The smallest count that a node tells.
        genes: The genes of the run.

    Returns:
        Alleles that the node of at least one country names, with the copies of those who permit;
        and those within genes that none names.
    """
    country = pd.factorize(people["country"][permitted])[0]
    nobody = np.zeros((0, int(permitted.sum())), np.int8)
    listed, unnamed = (PooledGenotypes([], nobody) for _ in range(2))
    parts: tuple[list[Copies], list[Copies]] = ([nobody], [nobody])
    for block, path in sorted(trees.items()):
        tree_sequence = tskit.load(path)
        person = tree_sequence.nodes_individual[tree_sequence.samples()]
        ploidy = np.bincount(person, minlength=len(people))[permitted]
        genotypes = DecodedGenotypes(
            block.contig, tree_sequence, cells(people), Subcohort(permitted)
        )
        for some in genotypes.within([(block.start, block.end)]):
            copies = some.of_everybody(len(people))[:, permitted]
            copies[:, ploidy == 1] *= 2
            copies[:, ploidy == 0] = NO_COPY
            named = _named(copies, country, least)
            near = ~named & (copies > 0).any(axis=1)
            near &= _is_within(some.alleles, genes.spans(block.contig))
            for found, part, chosen in zip((listed, unnamed), parts, (named, near), strict=True):
                found.alleles.extend(some.alleles[i] for i in np.flatnonzero(chosen).tolist())
                part.append(copies[chosen])
    return PooledGenotypes(
        listed.alleles,
        np.concatenate(parts[0]),
        PooledGenotypes(unnamed.alleles, np.concatenate(parts[1])),
    )


def _is_within(
    alleles: Sequence[tuple[Variant, Extent]], spans: Sequence[tuple[int, int]]
) -> NDArray[np.bool_]:
    """Say which alleles overlap a span, or touch its ends; shape (n_alleles,)."""
    found = [
        any(variant.start <= end and extent.end >= start for start, end in spans)
        for variant, extent in alleles
    ]
    return np.array(found, dtype=bool)


def _named(copies: Copies, country: NDArray[np.int64], least: int) -> NDArray[np.bool_]:
    """Say which alleles the node of some country names, shape (n_alleles,)."""
    order = np.argsort(country, kind="stable")
    starts = np.searchsorted(country[order], np.arange(country.max() + 1))
    ordered = copies[:, order]
    carriers = np.add.reduceat(ordered > 0, starts, axis=1, dtype=np.int64)
    others = np.add.reduceat((ordered >= 0) & (ordered < 2), starts, axis=1, dtype=np.int64)
    return ((carriers >= max(least, 1)) & ((others == 0) | (others >= least))).any(axis=1)
