"""Crossovers in the gametes that people of the cohort gave to their children."""

from __future__ import annotations

import numpy as np
import tskit


def count_crossovers(ts: tskit.TreeSequence) -> tuple[int, int]:
    """Crossovers, and gametes in which there could have been some.

    A gamete is a child's haplotype that comes from a parent of the cohort; it has a crossover
    where it changes from one haplotype of the parent to the other. A man's X cannot.
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
