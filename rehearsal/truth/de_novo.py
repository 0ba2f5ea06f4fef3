"""De novo mutations: alleles of children that arose in a parent's germ cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import tskit

from rehearsal.model import Block, Variant
from rehearsal.truth.variant_classes import alone

COLUMNS = ("individual", "contig", "start", "ref", "alt", "parent")


def list_de_novo(trees: Mapping[Block, Path], people: pd.DataFrame) -> pd.DataFrame:
    """List the alleles that arose between a parent and a child.

    They are the mutations on the branch from a child's haplotype to the parent's haplotype that it
    was made from. Children of the child may have inherited them; they are listed once.

    Args:
        trees: Tree-sequence files by block; individual *i* is row *i* of ``people``.
        people: All people of the run.

    Returns:
        One row per child and allele with ``COLUMNS``, in order of block and position. ``start`` is
        0-based, and ``parent`` is the person in whose germ cell the allele arose.
    """
    ids = people["id"].to_numpy()
    rows = [
        (ids[child], block.contig, allele.start, allele.ref, allele.alt, ids[parent])
        for block, path in sorted(trees.items())
        for child, parent, allele in _of_block(block.contig, tskit.load(path))
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({"start": "int64"})


def _of_block(contig: str, ts: tskit.TreeSequence) -> Iterator[tuple[int, int, Variant]]:
    """Yield child, parent and allele of each de novo mutation."""
    has_parents = np.diff(ts.tables.individuals.parents_offset.astype(np.int64)) > 0
    person = ts.nodes_individual[ts.mutations_node]
    of_child = (person >= 0) & has_parents[person]
    edges = np.flatnonzero(np.isin(ts.edges_child, ts.mutations_node[of_child]))
    child, left, right = ts.edges_child[edges], ts.edges_left[edges], ts.edges_right[edges]
    for number in np.flatnonzero(of_child):
        mutation = ts.mutation(int(number))
        site = ts.site(mutation.site)
        is_above = (child == mutation.node) & (left <= site.position) & (site.position < right)
        parent = int(ts.nodes_individual[ts.edges_parent[edges[is_above][0]]])
        if mutation.derived_state != site.ancestral_state:  # else the reference's base is back
            allele = Variant(
                contig, int(site.position), site.ancestral_state, mutation.derived_state
            )
            yield int(person[number]), parent, alone(allele)
