"""Compiled code that knows which haplotypes have lost the bases at the walk's position.

They are kept as *tops*: nodes of the present tree below which stand exactly the haplotypes of a
deletion. In the tree of the deletion's site it is the node of its mutation. Behind it, every edge
that ends or begins changes the tops near it only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import part
from rehearsal.genomes.local_tree_kernel import Edges, LocalTree

END, LAST = range(2)  # columns of ``Deletions.row``; LAST: its last entry, -1: none
ROW, NODE, KIND, NEXT, BEFORE, LATER, EARLIER = range(7)  # columns of ``Deletions.entry``
ENTRIES, FREE, ROWS, ACTIVE = range(4)  # of ``Deletions.used``
TOP, ALONE = range(2)  # kinds of entries; ALONE: a sample that has lost the bases, not all below it


class Deletions(NamedTuple):
    """The deletions that cover the walk's position, with entries by node and by deletion."""

    row: NDArray[np.int64]  # (capacity, 2) END is -1 where there is none
    entry: NDArray[np.int32]  # (capacity, 7) NEXT, BEFORE: at the node; LATER, EARLIER: of the row
    head: NDArray[np.int32]  # (n_nodes,) an entry at the node, -1: none
    lost: NDArray[np.int32]  # (n_nodes,) number of tops at the node less 1
    used: NDArray[np.int64]  # (4,) entries in use or free, first free one, rows, rows with an end
    oldest: NDArray[np.float64]  # (1,) no top is older, generations


@part
def no_deletions(nodes: int) -> Deletions:
    """Return an empty list.

    Args:
        nodes: Number of nodes.
    """
    return Deletions(
        np.full((64, 2), -1, np.int64),
        np.empty((4_096, 7), np.int32),
        np.full(nodes, -1, np.int32),
        np.full(nodes, -1, np.int32),
        np.array([0, -1, 0, 0]),
        np.full(1, -1.0),
    )


@part
def _put(d: int, node: int, kind: int, edges: Edges, deletions: Deletions) -> Deletions:
    """Add an entry."""
    row, entry, head, lost, used, oldest = deletions
    k = used[FREE]
    if k >= 0:
        used[FREE] = entry[k, NEXT]
    else:
        k = used[ENTRIES]
        used[ENTRIES] += 1
        if k == entry.shape[0]:
            more = np.empty((2 * k, entry.shape[1]), np.int32)
            more[:k] = entry
            entry = more
    entry[k, ROW], entry[k, NODE], entry[k, KIND] = d, node, kind
    entry[k, NEXT], entry[k, BEFORE] = head[node], -1
    if head[node] >= 0:
        entry[head[node], BEFORE] = k
    head[node] = k
    entry[k, EARLIER], entry[k, LATER] = row[d, LAST], -1
    if row[d, LAST] >= 0:
        entry[row[d, LAST], LATER] = k
    row[d, LAST] = k
    if kind == TOP:
        lost[node] += 1
        oldest[0] = max(oldest[0], edges.time[node])
    return Deletions(row, entry, head, lost, used, oldest)


@part
def _take_away(k: int, deletions: Deletions) -> None:
    """Remove an entry."""
    entry = deletions.entry
    d, node, following, before = entry[k, ROW], entry[k, NODE], entry[k, NEXT], entry[k, BEFORE]
    if before >= 0:
        entry[before, NEXT] = following
    else:
        deletions.head[node] = following
    if following >= 0:
        entry[following, BEFORE] = before
    later, earlier = entry[k, LATER], entry[k, EARLIER]
    if later >= 0:
        entry[later, EARLIER] = earlier
    else:
        deletions.row[d, LAST] = earlier
    if earlier >= 0:
        entry[earlier, LATER] = later
    if entry[k, KIND] == TOP:
        deletions.lost[node] -= 1
    entry[k, NEXT] = deletions.used[FREE]
    deletions.used[FREE] = k


@part
def _find(d: int, node: int, kind: int, deletions: Deletions) -> int:
    """Find a deletion's entry at a node, -1 if none."""
    k = deletions.head[node]
    while k >= 0 and (deletions.entry[k, ROW] != d or deletions.entry[k, KIND] != kind):
        k = deletions.entry[k, NEXT]
    return k


@part
def add_deletion(deletions: Deletions, end: int, node: int, edges: Edges) -> Deletions:
    """Add a deletion whose site is at the walk's position.

    Args:
        deletions: The deletions so far.
        end: Exclusive end of the lost bases, within the block.
        node: Node of its mutation.
        edges: The edges.

    Returns:
        All deletions.
    """
    row, entry, head, lost, used, oldest = deletions
    d = 0
    while d < used[ROWS] and row[d, END] >= 0:
        d += 1
    if d == row.shape[0]:
        row = np.full((2 * d, 2), -1, np.int64)
        row[:d] = deletions.row
    used[ROWS] = max(used[ROWS], d + 1)
    used[ACTIVE] += 1
    row[d, END], row[d, LAST] = end, -1
    return _put(d, node, TOP, edges, Deletions(row, entry, head, lost, used, oldest))


@part
def forget_deletions(deletions: Deletions, position: int) -> None:
    """Forget the deletions that end at or before a position.

    Args:
        deletions: Changed in place.
        position: Base of the block.
    """
    used = deletions.used
    for d in range(used[ROWS]):
        if 0 <= deletions.row[d, END] <= position:
            while deletions.row[d, LAST] >= 0:
                _take_away(deletions.row[d, LAST], deletions)
            deletions.row[d, END] = -1
            used[ACTIVE] -= 1
    if used[ACTIVE] == 0:
        used[ENTRIES], used[FREE], used[ROWS] = 0, -1, 0
        deletions.oldest[0] = -1.0


@part
def _all_below(d: int, v: int, x: int, edges: Edges, tree: LocalTree, deletions: Deletions) -> bool:
    """Tell whether all children of a node are tops of a deletion, and it too if it is a sample."""
    if edges.sample[v] and _find(d, v, ALONE, deletions) < 0:
        return False
    if tree.children[v] == 0:
        return edges.sample[v]
    for e in range(edges.first[v], edges.last[v]):
        c = edges.child[e]
        stands = edges.left[e] <= x < edges.right[e] and tree.parent[c] == v
        if stands and _find(d, c, TOP, deletions) < 0:
            return False
    return True


@part
def _rise(d: int, v: int, x: int, edges: Edges, tree: LocalTree, deletions: Deletions) -> Deletions:
    """Put one top above those of all children, as far up as there are any."""
    while v != -1 and _all_below(d, v, x, edges, tree, deletions):
        for e in range(edges.first[v], edges.last[v]):
            c = edges.child[e]
            if edges.left[e] <= x < edges.right[e] and tree.parent[c] == v:
                _take_away(_find(d, c, TOP, deletions), deletions)
        if edges.sample[v]:
            _take_away(_find(d, v, ALONE, deletions), deletions)
        deletions = _put(d, v, TOP, edges, deletions)
        v = tree.parent[v]
    return deletions


@part
def _cut(c: int, p: int, x: int, edges: Edges, tree: LocalTree, deletions: Deletions) -> Deletions:
    """Follow the end of the edge from p down to c; ``tree`` is without it, x is before its end."""
    v = p
    while v != -1 and edges.time[v] <= deletions.oldest[0]:
        k = deletions.head[v]
        while k >= 0:
            following = deletions.entry[k, NEXT]
            if deletions.entry[k, KIND] == TOP:
                deletions = _put(deletions.entry[k, ROW], c, TOP, edges, deletions)
            k = following
        v = tree.parent[v]
    # without this child, all others of p may be below one top
    known, kind = p, ALONE
    if not edges.sample[p]:
        known, kind = _first_child(p, x, edges, tree), TOP
    k = deletions.head[known] if known >= 0 else -1
    while k >= 0:
        following = deletions.entry[k, NEXT]
        if deletions.entry[k, KIND] == kind:
            deletions = _rise(deletions.entry[k, ROW], p, x, edges, tree, deletions)
        k = following
    return deletions


@part
def _first_child(v: int, x: int, edges: Edges, tree: LocalTree) -> int:
    if tree.children[v]:
        for e in range(edges.first[v], edges.last[v]):
            c = edges.child[e]
            if edges.left[e] <= x < edges.right[e] and tree.parent[c] == v:
                return c
    return -1


@part
def _break(
    d: int, top: int, c: int, x: int, edges: Edges, tree: LocalTree, deletions: Deletions
) -> Deletions:
    """Replace a top by those of all that stands below it except at and below c."""
    _take_away(_find(d, top, TOP, deletions), deletions)
    without = c
    while without != top:
        v = tree.parent[without]
        for e in range(edges.first[v], edges.last[v]):
            w = edges.child[e]
            if edges.left[e] <= x < edges.right[e] and tree.parent[w] == v and w != without:
                deletions = _put(d, w, TOP, edges, deletions)
        if edges.sample[v]:
            deletions = _put(d, v, ALONE, edges, deletions)
        without = v
    return deletions


@part
def _graft(
    c: int, p: int, x: int, edges: Edges, tree: LocalTree, deletions: Deletions
) -> Deletions:
    """Follow the start of the edge from p down to c; ``tree`` has it, x is its first base."""
    v = p
    while v != -1 and edges.time[v] <= deletions.oldest[0]:
        k = deletions.head[v]
        while k >= 0:
            following, d = deletions.entry[k, NEXT], deletions.entry[k, ROW]
            if deletions.entry[k, KIND] == TOP:
                covered = _find(d, c, TOP, deletions)
                if covered >= 0:
                    _take_away(covered, deletions)
                else:
                    deletions = _break(d, v, c, x, edges, tree, deletions)
            k = following
        v = tree.parent[v]
    k = deletions.head[c]
    while k >= 0:
        following = deletions.entry[k, NEXT]
        if deletions.entry[k, KIND] == TOP:
            deletions = _rise(deletions.entry[k, ROW], p, x, edges, tree, deletions)
        k = following
    return deletions


@part
def advance(position: float, edges: Edges, tree: LocalTree, deletions: Deletions) -> Deletions:
    """Move to the tree that covers a position at or after the present one.

    Args:
        position: 0-based, on the contig.
        edges: The edges.
        tree: Changed in place.
        deletions: The deletions, with their tops in the present tree.

    Returns:
        The deletions with their tops in the new tree.
    """
    j, k = tree.cursor
    n = edges.left.size
    active = deletions.used[ACTIVE] > 0
    while True:
        at = np.inf
        if k < n:
            at = edges.right[edges.removal[k]]
        if j < n:
            at = min(at, edges.left[edges.insertion[j]])
        if at > position or at == np.inf:
            break
        while k < n and edges.right[edges.removal[k]] == at:
            c, p = edges.child[edges.removal[k]], edges.parent[edges.removal[k]]
            tree.parent[c] = -1
            tree.children[p] -= 1
            if active:
                deletions = _cut(c, p, int(at) - 1, edges, tree, deletions)
            k += 1
        while j < n and edges.left[edges.insertion[j]] == at:
            c, p = edges.child[edges.insertion[j]], edges.parent[edges.insertion[j]]
            tree.parent[c] = p
            tree.children[p] += 1
            if active:
                deletions = _graft(c, p, int(at), edges, tree, deletions)
            j += 1
    tree.cursor[0], tree.cursor[1] = j, k
    return deletions


@part
def list_lost(
    deletions: Deletions, top: NDArray[np.int32], alone: NDArray[np.int32]
) -> tuple[int, int]:
    """List each node with tops, and each sample that has lost the bases although not all below it.

    Args:
        deletions: The deletions.
        top: Filled with the nodes, shape (n_nodes,).
        alone: Filled with the samples, shape (n_nodes,).

    Returns:
        How many nodes and samples there are.
    """
    tops, samples = 0, 0
    for d in range(deletions.used[ROWS]):
        k = deletions.row[d, LAST] if deletions.row[d, END] >= 0 else -1
        while k >= 0:
            node, kind = deletions.entry[k, NODE], deletions.entry[k, KIND]
            same = deletions.head[node]
            while deletions.entry[same, KIND] != kind:
                same = deletions.entry[same, NEXT]
            if same == k and kind == TOP:
                top[tops] = node
                tops += 1
            elif same == k:
                alone[samples] = node
                samples += 1
            k = deletions.entry[k, EARLIER]
    return tops, samples
