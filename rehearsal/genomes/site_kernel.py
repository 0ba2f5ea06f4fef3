"""Compiled code that turns mutations into sites: one class a site, states, no alleles in deletions.

A haplotype that has lost bases carries the reference allele at every site within them. Mutations
below a deletion are dropped. Where an older mutation stands above, the haplotypes with the deletion
get the reference allele back.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part
from rehearsal.genomes.deletion_kernel import (
    ACTIVE,
    Deletions,
    add_deletion,
    advance,
    forget_deletions,
    list_lost,
    no_deletions,
)
from rehearsal.genomes.local_tree_kernel import Edges, LocalTree, nearest_above, reaches_a_sample
from rehearsal.genomes.mutation_kernel import Mutations
from rehearsal.genomes.variant_classes import LOSS
from rehearsal.genomes.variant_codes_kernel import (
    STRUCTURAL,
    allele_key,
    changed_state,
    deleted_bases,
    reference_state,
)


class Memory(NamedTuple):
    """Working memory by node and of the mutations of one site.

    ``n_most`` is the number of nodes and of the most mutations at one base.
    """

    marked: NDArray[np.int32]  # (n_nodes,) -1, or the site's latest mutation at the node
    stack: NDArray[np.int32]  # (n_nodes,)
    top: NDArray[np.int32]  # (n_nodes,) nodes below which all have lost the site's base
    alone: NDArray[np.int32]  # (n_nodes,) samples that have lost it and no such node covers
    node: NDArray[np.int32]  # (n_most,) of each mutation of the site
    time: NDArray[np.float64]  # (n_most,)
    change: NDArray[np.int64]  # (n_most,) as packed; -1: back to the reference
    above: NDArray[np.int32]  # (n_most,) the site's mutation above it, -1: none
    state: NDArray[np.int64]  # (n_most,)


class Sites(NamedTuple):
    """Sites of a block and their mutations, in order; a mutation stands after those above it."""

    position: NDArray[np.int32]  # (n,) base of the block
    kind: NDArray[np.int8]  # (n,)
    length: NDArray[np.int32]  # (n,) of the structural variant, 0: none
    offset: NDArray[np.int64]  # (n + 1,) first mutation of each site
    node: NDArray[np.int32]  # (m,)
    time: NDArray[np.float64]  # (m,)
    above: NDArray[np.int32]  # (m,) row of the mutation above, -1: none
    state: NDArray[np.int64]  # (m,)


@kernel()
def drop_crossing(order: NDArray[np.int64], mutations: Mutations, end: NDArray[np.int64]) -> None:
    """Drop structural variants that cross others: the younger of two of which one is no deletion.

    Nested ones stay. Deletions may cross, as no haplotype keeps an allele within a deletion.

    Args:
        order: The structural mutations by position, shape (n,).
        mutations: All mutations. Dropped ones get the position -1.
        end: Exclusive end of each one's bases, by ``order``, shape (n,).
    """
    for i in range(order.size):
        one = order[i]
        for j in range(i + 1, order.size):
            two = order[j]
            if mutations.position[one] < 0 or mutations.position[two] >= end[i]:
                break
            if mutations.position[two] < 0 or end[j] <= end[i]:
                continue
            if (mutations.change[one] & 0xFF) == 0 and (mutations.change[two] & 0xFF) == 0:
                continue
            younger = one if mutations.time[one] < mutations.time[two] else two
            mutations.position[younger] = -1


@part
def _take(group: NDArray[np.int32], mutations: Mutations, memory: Memory) -> tuple[int, int]:
    """Copy the mutations of a position that can stand at one site. Returns number and class.

    A structural variant comes before small ones. Otherwise the oldest mutation decides the class.
    """
    chosen = group[0]
    for m in group:
        if mutations.kind[m] == STRUCTURAL:
            chosen = m
            break
    kind, first = mutations.kind[chosen], mutations.change[chosen]
    n = 0
    for m in group:
        change = mutations.change[m]
        if mutations.kind[m] != kind:
            continue
        # changes of copy number recur at their places; other structural variants do not
        if kind == STRUCTURAL and m != chosen and ((change & 0xFF) < LOSS or (first & 0xFF) < LOSS):
            continue
        memory.node[n], memory.time[n] = mutations.node[m], mutations.time[m]
        memory.change[n] = change
        n += 1
    return n, kind


@part
def _oldest(n: int, edges: Edges, s: Memory) -> float:
    """Find the age of the oldest node with a mutation, generations."""
    oldest = -1.0
    for i in range(n):
        oldest = max(oldest, edges.time[s.node[i]])
    return oldest


@part
def _relate(
    n: int,
    kind: int,
    anchor: int,
    code: NDArray[np.int8],
    edges: Edges,
    tree: LocalTree,
    s: Memory,
) -> int:
    """Find states and the mutations above, and drop mutations that change nothing."""
    reference = reference_state(kind, anchor, code)
    oldest = _oldest(n, edges, s)
    kept = 0
    for i in range(n):
        above = -1
        if i:
            above = nearest_above(s.node[i], s.marked, tree.parent, edges.time, oldest)
        before = reference if above < 0 else s.state[above]
        after = reference if s.change[i] == -1 else changed_state(kind, s.change[i], before)
        if after == before:
            continue
        s.node[kept], s.time[kept], s.change[kept] = s.node[i], s.time[i], s.change[i]
        s.above[kept], s.state[kept] = above, after
        s.marked[s.node[kept]] = kept
        kept += 1
    return kept


@part
def _unmark(n: int, s: Memory) -> None:
    for i in range(n):
        s.marked[s.node[i]] = -1


@part
def _drop_lost(n: int, deletions: Deletions, edges: Edges, tree: LocalTree, s: Memory) -> int:
    """Drop the mutations on haplotypes that have lost the position."""
    oldest = deletions.oldest[0]
    kept = 0
    for i in range(n):
        if nearest_above(s.node[i], deletions.lost, tree.parent, edges.time, oldest) < 0:
            s.node[kept], s.time[kept], s.change[kept] = s.node[i], s.time[i], s.change[i]
            kept += 1
    return kept


@part
def _undo_older(n: int, tops: int, reference: int, edges: Edges, tree: LocalTree, s: Memory) -> int:
    """Add mutations back to the reference at the tops that inherit another allele."""
    more = n
    oldest = _oldest(n, edges, s)
    for i in range(tops):
        c = s.top[i]
        if edges.time[c] >= oldest:
            continue
        above = nearest_above(c, s.marked, tree.parent, edges.time, oldest)
        if above < 0 or s.state[above] == reference:
            continue
        time = (edges.time[c] + edges.time[tree.parent[c]]) / 2
        k = more
        while k > 0 and s.time[k - 1] < time:
            s.node[k], s.time[k], s.change[k] = s.node[k - 1], s.time[k - 1], s.change[k - 1]
            k -= 1
        s.node[k], s.time[k], s.change[k] = c, time, -1
        more += 1
    return more


@part
def _inherits(alone: int, reference: int, edges: Edges, tree: LocalTree, s: Memory) -> bool:
    """Tell whether a sample that lost the position and has no top carries another allele."""
    for i in range(alone):
        above = nearest_above(s.alone[i], s.marked, tree.parent, edges.time, np.inf)
        if above >= 0 and s.state[above] != reference:
            return True
    return False


@part
def _has_two_alleles(
    n: int,
    kind: int,
    anchor: int,
    x: float,
    code: NDArray[np.int8],
    edges: Edges,
    tree: LocalTree,
    s: Memory,
    sample: int,
) -> bool:
    """Tell whether the samples have two alleles or more.

    An allele is present if a walk down from its mutation reaches a sample before another mutation.
    Most walks take a few steps.
    """
    oldest = _oldest(n, edges, s)
    if n == 1 and nearest_above(sample, s.marked, tree.parent, edges.time, oldest) < 0:
        return True  # this sample is not below the only mutation, and others are
    reference = allele_key(kind, reference_state(kind, anchor, code), anchor, code)
    root, u = sample, sample
    while u != -1:
        root = u
        u = tree.parent[u]
    above = nearest_above(sample, s.marked, tree.parent, edges.time, np.inf)
    known = reference if above < 0 else allele_key(kind, s.state[above], anchor, code)
    for i in range(n):
        latest = s.marked[s.node[i]] == i and allele_key(kind, s.state[i], anchor, code) != known
        if latest and reaches_a_sample(s.node[i], x, s.marked, edges, s.stack):
            return True
    if known != reference and s.marked[root] < 0:
        return reaches_a_sample(root, x, s.marked, edges, s.stack)
    return False


@part
def _settle_site(
    n: int,
    kind: int,
    p: int,
    start: int,
    code: NDArray[np.int8],
    edges: Edges,
    tree: LocalTree,
    s: Memory,
    deletions: Deletions,
    sample: int,
) -> int:
    """Settle the mutations of one site in the present tree. Returns how many are left."""
    if deletions.used[ACTIVE]:
        n = _drop_lost(n, deletions, edges, tree, s)
    n = _relate(n, kind, p, code, edges, tree, s)
    reference = reference_state(kind, p, code)
    if n and deletions.used[ACTIVE]:
        tops, alone = list_lost(deletions, s.top, s.alone)
        if _inherits(alone, reference, edges, tree, s):
            _unmark(n, s)
            return 0
        more = _undo_older(n, tops, reference, edges, tree, s)
        if more > n:
            _unmark(more, s)
            n = _relate(more, kind, p, code, edges, tree, s)
    if n and not _has_two_alleles(n, kind, p, start + p, code, edges, tree, s, sample):
        _unmark(n, s)
        return 0
    _unmark(n, s)
    return n


@part
def _grown(values: NDArray, needed: int) -> NDArray:
    if needed <= values.size:
        return values
    more = np.empty(max(needed, 2 * values.size), values.dtype)
    more[: values.size] = values
    return more


@kernel()
def settle_sites(
    start: int,
    order: NDArray[np.int32],
    mutations: Mutations,
    code: NDArray[np.int8],
    edges: Edges,
    tree: LocalTree,
    s: Memory,
) -> Sites:
    """Make sites of mutations.

    Args:
        start: The block's first base on the contig.
        order: The mutations by position, the oldest of a position first.
        mutations: The mutations.
        code: The block's bases.
        edges: The edges.
        tree: The tree before the first edge. Changed in place.
        s: Working memory.

    Returns:
        The sites that have two alleles or more among the samples.
    """
    size = order.size
    position, kinds = np.empty(size, np.int32), np.empty(size, np.int8)
    length, offset = np.empty(size, np.int32), np.zeros(size + 1, np.int64)
    node, time = np.empty(size + 64, np.int32), np.empty(size + 64, np.float64)
    above, state = np.empty(size + 64, np.int32), np.empty(size + 64, np.int64)
    deletions = no_deletions(edges.time.size)
    sites, rows, q = 0, 0, 0
    sample = int(np.argmax(edges.sample))
    while q < size:
        p = mutations.position[order[q]]
        end = q + 1
        while end < size and mutations.position[order[end]] == p:
            end += 1
        n, kind = _take(order[q:end], mutations, s)
        bases = s.change[0] >> 8 if kind == STRUCTURAL else 0
        forget_deletions(deletions, p)
        deletions = advance(start + p, edges, tree, deletions)
        n = _settle_site(n, kind, p, start, code, edges, tree, s, deletions, sample)
        q = end
        if n == 0:
            continue
        node, time = _grown(node, rows + n), _grown(time, rows + n)
        above, state = _grown(above, rows + n), _grown(state, rows + n)
        for i in range(n):
            node[rows + i], time[rows + i], state[rows + i] = s.node[i], s.time[i], s.state[i]
            above[rows + i] = s.above[i] + rows if s.above[i] >= 0 else -1
            until = p + 1 + deleted_bases(kind, s.state[i], bases)
            if q < size and mutations.position[order[q]] < until:
                deletions = add_deletion(deletions, until, s.node[i], edges)
        position[sites], kinds[sites], length[sites] = p, kind, bases
        rows += n
        sites += 1
        offset[sites] = rows
    return Sites(
        position[:sites],
        kinds[:sites],
        length[:sites],
        offset[: sites + 1],
        node[:rows],
        time[:rows],
        above[:rows],
        state[:rows],
    )
