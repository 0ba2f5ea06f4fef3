"""Find sites where all samples have the same allele, without counting samples tree by tree.

A mutation that is undone on its own branch leaves such a site, and so do rarer combinations.
Counting the samples below every mutation means moving through all trees, which takes a fifth of a
large block's time. Here a site's alleles are proved instead: an allele is present if a walk down
from its mutation reaches a sample before another mutation. Most walks take a few steps.
"""

from __future__ import annotations

import numpy as np
import tskit
from numpy.typing import NDArray

from rehearsal.genomes.monomorphic_sites_kernel import (
    Ascents,
    Descents,
    SiteMutations,
    find_monomorphic,
    mark_ancestors,
)
from rehearsal.genomes.reference import base_codes


def find_monomorphic_sites(ts: tskit.TreeSequence) -> NDArray[np.bool_]:
    """Find the sites that have a single allele among the samples.

    Args:
        ts: A tree sequence whose trees have one root wherever there are sites. Its alleles are
            bases, and the mutations of a site stand parent before child, as tskit orders them.

    Returns:
        True for such sites, shape (n_sites,), bool.
    """
    single = np.zeros(ts.num_sites, dtype=bool)
    offset = np.searchsorted(ts.mutations_site, np.arange(ts.num_sites + 1))
    several = np.flatnonzero(np.diff(offset) > 1)
    if several.size == 0:
        return single
    sites = SiteMutations(
        ts.sites_position,
        base_codes(ts.tables.sites.ancestral_state),
        offset,
        ts.mutations_node,
        base_codes(ts.tables.mutations.derived_state),
    )
    find_monomorphic(several, sites, _down(ts), _up(ts), single)
    return single


def _down(ts: tskit.TreeSequence) -> Descents:
    parent = ts.edges_parent  # a parent's edges stand together
    first, last = (np.zeros(ts.num_nodes, np.int32) for _ in range(2))
    starts = np.flatnonzero(np.append(True, parent[1:] != parent[:-1]))
    first[parent[starts]] = starts
    last[parent[starts]] = np.append(starts[1:], len(parent))
    sample = (ts.nodes_flags & tskit.NODE_IS_SAMPLE) > 0
    return Descents(first, last, ts.edges_left, ts.edges_right, ts.edges_child, sample)


def _up(ts: tskit.TreeSequence) -> Ascents:
    start = int(ts.samples()[0])
    ever = np.zeros(ts.num_nodes, dtype=bool)
    ever[start] = True
    mark_ancestors(ts.edges_parent, ts.edges_child, ever)
    own = np.flatnonzero(ever[ts.edges_child])
    own = own[np.lexsort((ts.edges_left[own], ts.edges_child[own]))]
    return Ascents(
        ts.edges_child[own],
        ts.edges_left[own],
        ts.edges_right[own],
        ts.edges_parent[own],
        ever,
        start,
    )
