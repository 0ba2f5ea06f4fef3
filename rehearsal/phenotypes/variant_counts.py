"""Count each person's variants by kind: one pass over a block, then a sum over blocks.

GA4GH's WGS quality figures of a call set are computed from these counts.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import tskit
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel
from rehearsal.genomes.carriers import Alleles, Haplotypes, carrier_chunks

COUNTS = (
    "heterozygous_snvs",
    "homozygous_snvs",
    "transitions",
    "transversions",
    "insertions",
    "deletions",
)
TRANSITION, TRANSVERSION, INSERTION, DELETION, OTHER = range(5)
TRANSITIONS = ({"A", "G"}, {"C", "T"})


def variant_counts(ts: tskit.TreeSequence) -> pd.DataFrame:
    """Count the alternate alleles that each person carries, by kind.

    An allele counts once per person, whatever the number of copies. A person with two different
    alternate alleles of a site is heterozygous for both. A single copy of a haploid contig counts
    as homozygous, so use autosomes only. The ancestral allele is the reference, as in the BCF
    files.

    Args:
        ts: Tree sequence of a block on an autosome.

    Returns:
        One row per individual of the tree sequence, with the columns ``COUNTS``, int32.
    """
    haplotypes = Haplotypes.of(ts)
    counts = np.zeros((ts.num_individuals, len(COUNTS)), np.int32)
    kinds: NDArray[np.int8] | None = None
    for chunk in carrier_chunks(ts, haplotypes):
        kinds = allele_kinds(chunk.table) if kinds is None else kinds
        first = chunk.table.site_offset[chunk.first_site : chunk.first_site + chunk.positions.size]
        _count(
            chunk.indptr,
            chunk.haplotype,
            chunk.allele,
            first,
            kinds,
            haplotypes.individual,
            haplotypes.ploidy,
            counts,
        )
    return pd.DataFrame(counts, columns=list(COUNTS))


def add_up(parts: Iterable[pd.DataFrame], people: int) -> pd.DataFrame:
    """Add up the counts of blocks.

    Args:
        parts: Results of :func:`variant_counts`, one per block.
        people: Number of people.

    Returns:
        One row per person, with the columns ``COUNTS``, int64. Zeros without parts.
    """
    total = np.zeros((people, len(COUNTS)), np.int64)
    for part in parts:
        total += part[list(COUNTS)].to_numpy()
    return pd.DataFrame(total, columns=list(COUNTS))


def quality_figures(counts: pd.DataFrame) -> pd.DataFrame:
    """Compute GA4GH WGS-QC figures of each person's variants, rounded to two digits as GA4GH asks.

    A ratio to zero is null. Definitions: github.com/ga4gh/quality-control-wgs,
    metrics_definitions.md (its spelling of the het/hom ratio is kept).

    Args:
        counts: One row per person, with the columns ``COUNTS``.

    Returns:
        One row per person.
    """
    ratios = {
        "ratio_heterozygous_homzygous_snv": ("heterozygous_snvs", "homozygous_snvs"),
        "ratio_insertion_deletion": ("insertions", "deletions"),
        "ratio_transitions_transversions_snv": ("transitions", "transversions"),
    }
    figures = {
        "count_snvs": counts["heterozygous_snvs"] + counts["homozygous_snvs"],
        "count_insertions": counts["insertions"],
        "count_deletions": counts["deletions"],
    }
    for name, (above, below) in ratios.items():
        divisor = counts[below].where(counts[below] > 0)
        figures[name] = (counts[above] / divisor).round(2)
    return pd.DataFrame(figures)


def allele_kinds(table: Alleles) -> NDArray[np.int8]:
    """Classify alleles by comparison with the first allele of their site.

    Args:
        table: The alleles of a block.

    Returns:
        ``TRANSITION``, ``TRANSVERSION``, ``INSERTION``, ``DELETION`` or ``OTHER`` of each allele,
        shape (n_alleles,), int8. Structural variants are ``OTHER``: they have no bases.
    """
    length = np.diff(table.text_offset)
    alleles = table.site_offset[1:] - table.site_offset[:-1]
    reference = np.repeat(table.site_offset[:-1], alleles)
    change = length - length[reference]
    letter = table.text[np.minimum(table.text_offset[:-1], max(table.text.size - 1, 0))]
    has_bases = letter != ord("<")
    conditions = [has_bases & (change > 0), has_bases & (change < 0)]
    kinds = np.select(conditions, [INSERTION, DELETION], OTHER).astype(np.int8)
    single = (length == 1) & (length[reference] == 1)
    other = letter[reference]
    same_class = np.zeros(length.size, bool)
    for pair in TRANSITIONS:
        members = [ord(base) for base in pair]
        same_class |= np.isin(letter, members) & np.isin(other, members)
    return np.where(single, np.where(same_class, TRANSITION, TRANSVERSION), kinds).astype(np.int8)


@kernel()
def _count(
    indptr: NDArray[np.int64],
    haplotype: NDArray[np.int32],
    allele: NDArray[np.uint8],
    first_allele: NDArray[np.int64],
    kinds: NDArray[np.int8],
    individual: NDArray[np.int32],
    ploidy: NDArray[np.int8],
    counts: NDArray[np.int32],
) -> None:
    """Add the sites of a chunk to ``counts``, whose columns are ``COUNTS``."""
    for site in range(indptr.size - 1):
        q, end = indptr[site], indptr[site + 1]
        while q < end:
            who = individual[haplotype[q]]
            kind = kinds[first_allele[site] + allele[q]]
            two = q + 1 < end and individual[haplotype[q + 1]] == who
            alike = two and allele[q + 1] == allele[q]
            if kind < 2:
                counts[who, 1 if alike or ploidy[who] == 1 else 0] += 1
            if kind < 4:
                counts[who, 2 + kind] += 1
            q += 2 if alike else 1
