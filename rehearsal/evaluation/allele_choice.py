"""Chooses the alleles of the cohort about which queries ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.evaluation.templates import QueryTemplate
from rehearsal.model import Variant
from rehearsal.truth.variant_classes import Extent, changed_bases, names_of

RARE_MAXIMUM = 0.01
COMMON_MINIMUM = 0.05


def sized_alleles(
    template: QueryTemplate, sites: pd.DataFrame, random: np.random.Generator
) -> Iterator[tuple[Variant, Extent]]:
    """Choose alleles of the template's class without repetition; contigs take turns.

    Args:
        template: The template.
        sites: Alleles of the pooled cohort.
        random: The template's random stream.

    Yields:
        Alleles with their extent.
    """
    sites = sites[_of_class(sites, template)]
    by_contig = {
        contig: iter(random.permutation(len(group)).tolist())
        for contig, group in sites.groupby("contig")
    }
    groups = dict(iter(sites.groupby("contig")))
    turns = [str(contig) for contig in random.permutation(sorted(by_contig))]
    while turns:
        for contig in tuple(turns):
            row = next(by_contig[contig], None)
            if row is None:
                turns.remove(contig)
                continue
            site = groups[contig].iloc[row]
            variant = Variant(contig, int(site["start"]), site["ref"], site["alt"])
            yield variant, Extent(int(site["end"]), int(site["svlen"]))


def _of_class(sites: pd.DataFrame, template: QueryTemplate) -> pd.Series:
    chosen = pd.Series(True, index=sites.index)
    frequency = sites["ac"] / sites["an"]
    if template.frequency == "singleton":
        chosen &= sites["ac"] == 1
    elif template.frequency == "rare":
        chosen &= (sites["ac"] > 1) & (frequency <= RARE_MAXIMUM)
    elif template.frequency == "common":
        chosen &= frequency >= COMMON_MINIMUM
    is_structural = sites["svlen"] > 0
    if template.shape == "structural":
        return chosen & is_structural
    if template.shape is not None:
        snv = (sites["ref"].str.len() == 1) & (sites["alt"].str.len() == 1)
        chosen &= snv if template.shape == "snv" else ~snv
    return chosen & ~is_structural  # a query cannot name a symbolic allele by its letters


def conditions_met(template: QueryTemplate, variant: Variant, extent: Extent) -> dict[str, Any]:
    """Return conditions that a variant meets, of the kinds that the template wants.

    Args:
        template: The template.
        variant: The variant.
        extent: Its extent.

    Returns:
        Request parameters.
    """
    conditions: dict[str, Any] = {}
    if template.typed:
        conditions["variantType"] = type_of(variant)
    if template.sized:
        length = extent.length or changed_bases(variant)
        conditions["variantMinLength"] = max(1, length // 2)
        conditions["variantMaxLength"] = 2 * length
    return conditions


def type_of(variant: Variant) -> str:
    """Return the type by which a query asks for a variant.

    Args:
        variant: The variant.
    """
    names = names_of(variant)
    known = ("SNP", "DEL", "INS", "DUP", "INV", "INDEL")
    return next((name for name in known if name in names), min(names))
