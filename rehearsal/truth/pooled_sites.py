"""The alleles of the pooled cohort and their counts, computed on the trees, without genotypes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import tskit

from rehearsal.logs import Progress
from rehearsal.model import Block, Variant
from rehearsal.truth.subcohort import Subcohort
from rehearsal.truth.variant_classes import Extent, alone, extents


def pooled_sites(trees: Mapping[Block, Path], subcohort: Subcohort | None = None) -> pd.DataFrame:
    """Count every alternate allele of the pooled cohort, in order of block and position.

    Counts are made on the trees, without genotypes: the copies of an allele are the samples under
    its mutations minus those under mutations of them.

    Args:
        trees: Tree-sequence files by block.
        subcohort: The people and alleles to count. None counts all.

    Returns:
        One row per allele, under the name that it has by itself: ``contig``, ``start`` (0-based),
        ``ref``, ``alt``, ``end`` (of the affected bases, exclusive), ``svlen`` (of a structural
        variant, else 0), ``ac`` (copies, above 0), ``an`` (genomes at that position).
    """
    rows: list[tuple[str, int, str, str, int, int, int, int]] = []
    for block, path in sorted(trees.items()):
        sequence = tskit.load(path)
        some = subcohort or Subcohort.whole(sequence.num_individuals)
        counted = some.samples_of(sequence)
        ends, lengths = extents(sequence)
        held = some.contains_alleles(block.contig, sequence.sites_position)
        progress = Progress(sequence.num_sites, f"sites of {block.contig}")
        for tree in sequence.trees(tracked_samples=counted):
            progress.step(tree.num_sites)
            for site in tree.sites():
                copies = _copies(tree, site) if held[site.id] else {}
                extent = Extent(int(ends[site.id]), int(lengths[site.id]))
                place = block.contig, int(site.position), site.ancestral_state
                for alt, ac in copies.items():
                    rows.append((*_named(Variant(*place, alt), extent), ac, len(counted)))
    columns = ["contig", "start", "ref", "alt", "end", "svlen", "ac", "an"]
    return pd.DataFrame(rows, columns=columns)


def _named(variant: Variant, extent: Extent) -> tuple[str, int, str, str, int, int]:
    """Return contig, start, REF and ALT by which an allele is known alone, its end and length."""
    own = alone(variant)
    end = extent.end if extent.length else own.start + len(own.ref)
    return own.contig, own.start, own.ref, own.alt, end, extent.length


def _copies(tree: tskit.Tree, site: Any) -> dict[str, int]:
    """Count the copies of each derived allele at a site that tracked samples have."""
    if len(site.mutations) == 1:
        mutation = site.mutations[0]
        copies = tree.num_tracked_samples(mutation.node)
        differs = mutation.derived_state != site.ancestral_state
        return {mutation.derived_state: copies} if copies and differs else {}
    found: dict[str, int] = {}
    state = {mutation.id: mutation.derived_state for mutation in site.mutations}
    for mutation in site.mutations:
        below = tree.num_tracked_samples(mutation.node)
        before = state.get(mutation.parent, site.ancestral_state)
        found[mutation.derived_state] = found.get(mutation.derived_state, 0) + below
        found[before] = found.get(before, 0) - below
    return {allele: ac for allele, ac in found.items() if ac > 0 and allele != site.ancestral_state}
