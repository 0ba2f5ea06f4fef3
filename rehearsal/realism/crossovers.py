"""Crossovers in the gametes from which people of the cohort had children."""

from __future__ import annotations

import numpy as np
import tskit


def count_crossovers(ts: tskit.TreeSequence) -> tuple[int, int]:
    """Count crossovers, and the gametes in which they can occur.

    A gamete is a child's haplotype that comes from a parent of the cohort. It has a crossover where
    it changes from one haplotype of the parent to the other. A man's X has none.

    Args:
        ts: The tree sequence of a block.

    Returns:
        The number of crossovers and the number of gametes.
    """
    owner = ts.nodes_individual
    inherited = (owner[ts.edges_child] != tskit.NULL) & (owner[ts.edges_parent] != tskit.NULL)
    child, parent = ts.edges_child[inherited], ts.edges_parent[inherited]
    haplotypes = np.bincount(owner[ts.samples()], minlength=ts.num_individuals)
    able = haplotypes[owner[parent]] == 2
    child, parent, left = child[able], parent[able], ts.edges_left[inherited][able]
    order = np.lexsort((left, child))
    child, parent = child[order], parent[order]
    switches = (child[1:] == child[:-1]) & (parent[1:] != parent[:-1])
    return int(switches.sum()), len(np.unique(child))
