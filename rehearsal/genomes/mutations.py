"""Mutations of all classes on the branches of a block, as sites of a tree sequence.

Mutations fall as a Poisson process whose rates follow the block's bases: transitions in CpG ten
times as often, changes of repeats by whole units, other small indels, structural variants. All of a
block is one pass over its edges and one walk along its trees. Memory is a few arrays by node, base
and mutation.
"""

from __future__ import annotations

import numpy as np
import tskit
from numpy.typing import NDArray

from rehearsal.genomes.allele_text_kernel import measure_alleles, write_alleles
from rehearsal.genomes.local_tree_kernel import Edges, LocalTree
from rehearsal.genomes.mutation_kernel import (
    Branches,
    Mutations,
    Sizes,
    drop_mutations,
    expected_mutations,
    order_mutations,
)
from rehearsal.genomes.mutation_rates import MutationRates
from rehearsal.genomes.site_kernel import Memory, Sites, drop_crossing, settle_sites
from rehearsal.genomes.structural import SITE_SCHEMA
from rehearsal.genomes.variant_classes import ALU, SVA, SYMBOLS, indel_lengths, size_table
from rehearsal.genomes.variant_codes_kernel import STRUCTURAL
from rehearsal.model import Block

SYMBOL_TEXTS = (*SYMBOLS, "<CN0>", "<CN1>", "<CN2>", "<CN3>")


def add_mutations(
    tables: tskit.TableCollection, block: Block, rates: MutationRates, rng: np.random.Generator
) -> None:
    """Add sites and mutations to tables that have none.

    Args:
        tables: Sorted and indexed tables of the block. Changed in place.
        block: The block.
        rates: Rates of mutations along the block.
        rng: Source of random numbers.
    """
    tables.sites.metadata_schema = SITE_SCHEMA
    if not len(tables.edges):  # one haplotype alone, which has no ancestor to differ from
        return
    edges = _edges(tables)
    mutations = _drop(edges, block, rates, rng)
    _drop_crossing(mutations)
    order = order_mutations(block.length, mutations.position, mutations.time)
    nodes = len(edges.time)
    tree = LocalTree(np.full(nodes, -1, np.int32), np.zeros(nodes, np.int32), np.zeros(2, np.int64))
    memory = _memory(nodes, _most_at_one_base(mutations.position[order]))
    sites = settle_sites(block.start, order, mutations, rates.code, edges, tree, memory)
    _write(tables, block, sites, rates.code)


def _edges(tables: tskit.TableCollection) -> Edges:
    edges, nodes, index = tables.edges, tables.nodes, tables.indexes
    parent = edges.parent  # a parent's edges stand together
    first, last = (np.zeros(len(nodes), np.int32) for _ in range(2))
    starts = np.flatnonzero(np.append(True, parent[1:] != parent[:-1]))
    first[parent[starts]] = starts
    last[parent[starts]] = np.append(starts[1:], len(parent))
    return Edges(
        *(edges.left, edges.right, parent, edges.child),
        *(index.edge_insertion_order, index.edge_removal_order, first, last),
        *(nodes.time, (nodes.flags & tskit.NODE_IS_SAMPLE) > 0),
    )


def _drop(edges: Edges, block: Block, rates: MutationRates, rng: np.random.Generator) -> Mutations:
    """Drop the mutations: their number first, then their places as a Poisson process has them."""
    branches = Branches(edges.left, edges.right, edges.parent, edges.child, edges.time)
    expected = expected_mutations(block.start, branches, rates.total)
    number = int(rng.poisson(expected))
    gap = rng.standard_exponential(number + 1)
    gap *= expected / gap.sum()
    out = Mutations(
        np.empty(number, np.int32),
        np.empty(number, np.int32),
        np.empty(number),
        np.empty(number, np.int8),
        np.empty(number, np.int64),
    )
    sizes = Sizes(indel_lengths(), size_table())
    drop_mutations(block.start, branches, rates, sizes, gap[:-1], rng, out)
    return out


def _drop_crossing(mutations: Mutations) -> None:
    rows = np.flatnonzero((mutations.kind == STRUCTURAL) & (mutations.position >= 0))
    rows = rows[np.lexsort((-mutations.time[rows], mutations.position[rows]))]
    kind, length = mutations.change[rows] & 0xFF, mutations.change[rows] >> 8
    inserted = (kind >= ALU) & (kind <= SVA)
    end = mutations.position[rows] + 1 + np.where(inserted, 0, length)
    drop_crossing(rows, mutations, end.astype(np.int64))


def _most_at_one_base(position: NDArray[np.int32]) -> int:
    """Count the mutations at the base that has most of them, for positions in order."""
    starts = np.flatnonzero(np.append(True, position[1:] != position[:-1]))
    return int(np.diff(np.append(starts, len(position))).max())


def _memory(nodes: int, mutations: int) -> Memory:
    """Make room for a site's mutations and for one back to the reference at each node."""

    def of(kind: type, size: int = nodes + mutations) -> NDArray:
        return np.empty(size, kind)

    i = np.int32
    return Memory(
        *(np.full(nodes, -1, i), of(i, nodes), of(i, nodes), of(i, nodes)),
        *(of(i), of(np.float64), of(np.int64), of(i), of(np.int64)),
    )


def _write(
    tables: tskit.TableCollection, block: Block, sites: Sites, code: NDArray[np.int8]
) -> None:
    """Fill the tables of sites and mutations."""
    number = len(sites.position)
    symbols = np.zeros((len(SYMBOL_TEXTS), max(map(len, SYMBOL_TEXTS))), np.int8)
    for row, text in enumerate(SYMBOL_TEXTS):
        symbols[row, : len(text)] = np.frombuffer(text.encode(), np.int8)
    symbol_size = np.array([len(text) for text in SYMBOL_TEXTS])
    ref, alt = np.empty(number + 1, np.uint64), np.empty(len(sites.node) + 1, np.uint64)
    measure_alleles(sites, symbol_size, ref, alt)
    ref_text, alt_text = np.empty(int(ref[-1]), np.int8), np.empty(int(alt[-1]), np.int8)
    write_alleles(sites, code, symbols, symbol_size, ref, alt, ref_text, alt_text)
    position = sites.position.astype(np.int64) + block.start
    metadata, metadata_offset = _metadata(sites, position)
    tables.sites.set_columns(
        position=position.astype(float),
        ancestral_state=ref_text,
        ancestral_state_offset=ref,
        metadata=metadata,
        metadata_offset=metadata_offset,
    )
    tables.mutations.set_columns(
        site=np.repeat(np.arange(number, dtype=np.int32), np.diff(sites.offset)),
        node=sites.node,
        time=sites.time,
        derived_state=alt_text,
        derived_state_offset=alt,
        parent=sites.above,
    )


def _metadata(
    sites: Sites, position: NDArray[np.int64]
) -> tuple[NDArray[np.int8], NDArray[np.uint64]]:
    """Pack end and length of structural variants as ``SITE_SCHEMA`` does."""
    structural = sites.kind == STRUCTURAL
    type_ = sites.state[sites.offset[:-1][structural]] - 1
    inserted = (type_ >= ALU) & (type_ <= SVA)
    length = sites.length[structural].astype(np.int64)
    row = np.empty((len(length), 2), "<i4")
    row[:, 0] = position[structural] + 1 + np.where(inserted, 0, length)
    row[:, 1] = length
    offset = np.zeros(len(position) + 1, np.uint64)
    offset[1:] = np.cumsum(structural) * 8
    return row.view(np.int8).ravel(), offset
