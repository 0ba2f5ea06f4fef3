"""Compiled code that knows which haplotypes have lost the bases at the walk's position.

They are kept as *tops*: nodes of the present tree below which stand exactly the haplotypes of a
deletion. In the tree of the deletion's site it is the node of its mutation. Behind a recombination
they are found anew, once in each tree.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from rehearsal.genomes.local_tree_kernel import Edges, LocalTree, cover, samples_below

SITE, END, NODE, TREE, FIRST, TOPS, ALONE, ROOM = range(8)  # columns of ``Deletions.row``


class Memory(NamedTuple):
    """Working memory by node and of the mutations of one site."""

    marked: NDArray[np.int32]  # (n_nodes,) -1, or the site's latest mutation at the node
    lost: NDArray[np.int32]  # (n_nodes,) -1, or 0 at the tops of the haplotypes with a deletion
    met: NDArray[np.int32]  # (n_nodes,) zeros
    stack: NDArray[np.int32]  # (n_nodes,)
    touched: NDArray[np.int32]  # (n_nodes,)
    found: NDArray[np.int32]  # (n_nodes,)
    top: NDArray[np.int32]  # (n_nodes,) nodes with 0 in ``lost``
    alone: NDArray[np.int32]  # (n_nodes,) samples with a deletion that no such node covers
    node: NDArray[np.int32]  # (n_nodes,) of each mutation of the site
    time: NDArray[np.float64]  # (n_nodes,)
    change: NDArray[np.int64]  # (n_nodes,) as packed; -1: back to the reference
    above: NDArray[np.int32]  # (n_nodes,) the site's mutation above it, -1: none
    state: NDArray[np.int64]  # (n_nodes,)


class Deletions(NamedTuple):
    """The deletions that cover the walk's position."""

    row: NDArray[np.int64]  # (capacity, 8) see the columns above; TREE: that of the tops
    pool: NDArray[np.int32]  # tops of each deletion, then samples that none of them covers
    used: NDArray[np.int64]  # (2,) rows and entries of the pool in use


class Lost(NamedTuple):
    """What is marked in ``Memory``."""

    tops: int  # entries of ``Memory.top``
    alone: int  # entries of ``Memory.alone``
    oldest: float  # age of the oldest top, generations


@numba.njit(cache=True)
def no_deletions() -> Deletions:
    """Return an empty list."""
    return Deletions(np.empty((64, 8), np.int64), np.empty(4_096, np.int32), np.zeros(2, np.int64))


@numba.njit(cache=True)
def _reserve(deletions: Deletions, rows: int, entries: int) -> Deletions:
    """Make room for more rows and entries."""
    row, pool = deletions.row, deletions.pool
    if deletions.used[0] + rows > row.shape[0]:
        row = np.empty((2 * row.shape[0], 8), np.int64)
        row[: deletions.used[0]] = deletions.row[: deletions.used[0]]
    needed = deletions.used[1] + entries
    if needed > pool.size:
        pool = np.empty(2 * needed, np.int32)
        pool[: deletions.used[1]] = deletions.pool[: deletions.used[1]]
    return Deletions(row, pool, deletions.used)


@numba.njit(cache=True)
def add_deletion(deletions: Deletions, site: int, end: int, node: int, tree: int) -> Deletions:
    """Add a deletion whose site is at the walk's position.

    Args:
        deletions: The deletions so far.
        site: Base of the block at its site.
        end: Exclusive end of the lost bases, within the block.
        node: Node of its mutation.
        tree: Number of the present tree.

    Returns:
        All deletions.
    """
    deletions = _reserve(deletions, 1, 1)
    row = deletions.row[deletions.used[0]]
    row[SITE], row[END], row[NODE], row[TREE] = site, end, node, tree
    row[FIRST], row[TOPS], row[ALONE], row[ROOM] = deletions.used[1], 1, 0, 1
    deletions.pool[deletions.used[1]] = node
    deletions.used[0] += 1
    deletions.used[1] += 1
    return deletions


@numba.njit(cache=True)
def forget_deletions(deletions: Deletions, position: int) -> None:
    """Forget the deletions that end at or before a position.

    Args:
        deletions: Changed in place.
        position: Base of the block.
    """
    kept = 0
    for d in range(deletions.used[0]):
        if deletions.row[d, END] > position:
            deletions.row[kept] = deletions.row[d]
            kept += 1
    deletions.used[0] = kept
    if kept == 0:
        deletions.used[1] = 0


@numba.njit(cache=True)
def follow_deletions(
    start: int, deletions: Deletions, edges: Edges, tree: LocalTree, s: Memory
) -> Deletions:
    """Find the tops of all deletions in the present tree.

    Args:
        start: The block's first base on the contig.
        deletions: The deletions.
        edges: The edges.
        tree: The present tree.
        s: Working memory.

    Returns:
        The deletions with their tops.
    """
    for d in range(deletions.used[0]):
        if deletions.row[d, TREE] == tree.cursor[2]:
            continue
        node, x = deletions.row[d, NODE], start + deletions.row[d, SITE]
        below = samples_below(node, x, edges, s.stack)
        tops, alone = cover(s.stack[:below], edges, tree, s.met, s.touched, s.found)
        if tops + alone > deletions.row[d, ROOM]:
            deletions = _reserve(deletions, 0, tops + alone)
            deletions.row[d, FIRST], deletions.row[d, ROOM] = deletions.used[1], tops + alone
            deletions.used[1] += tops + alone
        row = deletions.row[d]
        row[TREE], row[TOPS], row[ALONE] = tree.cursor[2], tops, alone
        for i in range(tops):
            deletions.pool[row[FIRST] + i] = s.found[i]
        for i in range(alone):
            deletions.pool[row[FIRST] + tops + i] = s.found[s.found.size - 1 - i]
    return deletions


@numba.njit(cache=True)
def mark_lost(deletions: Deletions, time: NDArray[np.float64], s: Memory) -> Lost:
    """Mark the tops of all deletions in ``s.lost`` and list them in ``s.top`` and ``s.alone``.

    Args:
        deletions: The deletions, with their tops in the present tree.
        time: Age of each node, shape (n_nodes,).
        s: Working memory. Changed in place.

    Returns:
        How many there are, and the age of the oldest.
    """
    tops, alone, oldest = 0, 0, -1.0
    for d in range(deletions.used[0]):
        first, end = deletions.row[d, FIRST], deletions.row[d, FIRST] + deletions.row[d, TOPS]
        for i in range(first, end):
            node = deletions.pool[i]
            if s.lost[node] < 0:
                s.lost[node] = 0
                s.top[tops] = node
                oldest = max(oldest, time[node])
                tops += 1
        for i in range(end, end + deletions.row[d, ALONE]):
            s.alone[alone] = deletions.pool[i]
            alone += 1
    return Lost(tops, alone, oldest)
