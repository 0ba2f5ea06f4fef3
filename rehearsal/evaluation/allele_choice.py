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


def classes_of(sites: pd.DataFrame) -> dict[str, pd.Series]:
    """Tell which alleles belong to the classes that templates name.

    Args:
        sites: Alleles of the pooled cohort.

    Returns:
        For each name of a frequency or shape, whether each allele has it.
    """
    frequency = sites["ac"] / sites["an"]
    structural = sites["svlen"] > 0
    snv = (sites["ref"].str.len() == 1) & (sites["alt"].str.len() == 1)
    return {
        "singleton": sites["ac"] == 1,
        "rare": (sites["ac"] > 1) & (frequency <= RARE_MAXIMUM),
        "common": frequency >= COMMON_MINIMUM,
        "structural": structural,
        "snv": snv & ~structural,
        "indel": ~snv & ~structural,
    }


def _of_class(sites: pd.DataFrame, template: QueryTemplate) -> pd.Series:
    """Mark the alleles that a template may draw; evenly, where the table is a sample."""
    classes = classes_of(sites)
    # a query cannot name a symbolic allele by its letters
    chosen = classes[template.shape] if template.shape else ~classes["structural"]
    if template.frequency:
        chosen &= classes[template.frequency]
    if "below" in sites:
        below = sites["below"].where(chosen).groupby(sites["contig"]).transform("min")
        chosen &= sites["number"] < below
    return chosen


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
