"""Compiled code that walks along the trees of a block and tells who descends from whom."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray


class Edges(NamedTuple):
    """Edges, tskit's two orders of them, and where those below each node stand."""

    left: NDArray[np.float64]  # (n_edges,) 0-based on the contig
    right: NDArray[np.float64]  # (n_edges,) exclusive
    parent: NDArray[np.int32]  # (n_edges,)
    child: NDArray[np.int32]  # (n_edges,)
    insertion: NDArray[np.int32]  # (n_edges,) by left end
    removal: NDArray[np.int32]  # (n_edges,) by right end
    first: NDArray[np.int32]  # (n_nodes,) the edges below a node are the rows first:last
    last: NDArray[np.int32]  # (n_nodes,)
    time: NDArray[np.float64]  # (n_nodes,) generations ago
    sample: NDArray[np.bool_]  # (n_nodes,) whether the node is a sample


class LocalTree(NamedTuple):
    """The tree at the walk's position."""

    parent: NDArray[np.int32]  # (n_nodes,) -1: none
    children: NDArray[np.int32]  # (n_nodes,) number of children
    cursor: NDArray[np.int64]  # (3,) edges inserted, edges removed, trees seen


@numba.njit(cache=True)
def advance(position: float, edges: Edges, tree: LocalTree) -> None:
    """Move to the tree that covers a position at or after the present one.

    Args:
        position: 0-based, on the contig.
        edges: The edges.
        tree: Changed in place.
    """
    j, k, number = tree.cursor
    n = edges.left.size
    moved = False
    while True:
        at = np.inf
        if k < n:
            at = edges.right[edges.removal[k]]
        if j < n:
            at = min(at, edges.left[edges.insertion[j]])
        if at > position or at == np.inf:
            break
        moved = True
        while k < n and edges.right[edges.removal[k]] == at:
            e = edges.removal[k]
            tree.parent[edges.child[e]] = -1
            tree.children[edges.parent[e]] -= 1
            k += 1
        while j < n and edges.left[edges.insertion[j]] == at:
            e = edges.insertion[j]
            tree.parent[edges.child[e]] = edges.parent[e]
            tree.children[edges.parent[e]] += 1
            j += 1
    tree.cursor[0], tree.cursor[1], tree.cursor[2] = j, k, number + moved


@numba.njit(cache=True)
def nearest_above(
    u: int,
    marked: NDArray[np.int32],
    parent: NDArray[np.int32],
    time: NDArray[np.float64],
    oldest: float,
) -> int:
    """Find the mark of the nearest marked node at or above a node.

    Args:
        u: The node, -1 for none.
        marked: A mark by node, -1: not marked, shape (n_nodes,).
        parent: Parent of each node, shape (n_nodes,).
        time: Age of each node, shape (n_nodes,).
        oldest: Age of the oldest marked node; older nodes are not looked at.

    Returns:
        The mark, or -1.
    """
    while u != -1 and time[u] <= oldest:
        if marked[u] >= 0:
            return marked[u]
        u = parent[u]
    return -1


@numba.njit(cache=True)
def reaches_a_sample(
    u: int, x: float, marked: NDArray[np.int32], edges: Edges, stack: NDArray[np.int32]
) -> bool:
    """Tell whether a node is a sample or has one below it with no marked node between.

    Args:
        u: The node.
        x: Position on the contig.
        marked: A mark by node, -1: not marked, shape (n_nodes,).
        edges: The edges.
        stack: Working memory, shape (n_nodes,).
    """
    if edges.sample[u]:
        return True
    stack[0] = u
    size = 1
    while size:
        size -= 1
        v = stack[size]
        for e in range(edges.first[v], edges.last[v]):
            if edges.left[e] <= x < edges.right[e]:
                c = edges.child[e]
                if marked[c] >= 0:
                    continue
                if edges.sample[c]:
                    return True
                stack[size] = c
                size += 1
    return False


@numba.njit(cache=True)
def samples_below(u: int, x: float, edges: Edges, out: NDArray[np.int32]) -> int:
    """List the samples at or below a node.

    Args:
        u: The node.
        x: Position on the contig.
        edges: The edges.
        out: Filled with the samples, shape (n_nodes,). Also working memory from its end.

    Returns:
        How many there are.
    """
    found, top = 0, out.size - 1
    out[top] = u
    while top < out.size:
        v = out[top]
        top += 1
        if edges.sample[v]:
            out[found] = v
            found += 1
        for e in range(edges.first[v], edges.last[v]):
            if edges.left[e] <= x < edges.right[e]:
                top -= 1
                out[top] = edges.child[e]
    return found


@numba.njit(cache=True)
def cover(
    samples: NDArray[np.int32],
    edges: Edges,
    tree: LocalTree,
    met: NDArray[np.int32],
    touched: NDArray[np.int32],
    tops: NDArray[np.int32],
) -> tuple[int, int]:
    """Find the fewest nodes of the present tree below which stand exactly the given samples.

    A sample with children that are not given is no such node, and is listed apart.

    Args:
        samples: Nodes of the samples.
        edges: The edges.
        tree: The present tree.
        met: Zeros, shape (n_nodes,). Working memory, zero again at the end.
        touched: Working memory, shape (n_nodes,).
        tops: Filled from its beginning with those nodes, and from its end with the samples that
            none of them covers. Shape (n_nodes,).

    Returns:
        The number of nodes and the number of samples that they do not cover.
    """
    n = 0
    for s in samples:
        v = s
        while True:
            if met[v] == 0:
                touched[n] = v
                n += 1
            met[v] += 1
            if met[v] < tree.children[v] + int(edges.sample[v]) or tree.parent[v] == -1:
                break
            v = tree.parent[v]
    covering, alone = 0, 0
    for i in range(n):
        v = touched[i]
        p = tree.parent[v]
        full = met[v] == tree.children[v] + int(edges.sample[v])
        if full and (p == -1 or met[p] < tree.children[p] + int(edges.sample[p])):
            tops[covering] = v
            covering += 1
    for s in samples:
        if met[s] < tree.children[s] + 1:
            alone += 1
            tops[tops.size - alone] = s
    for i in range(n):
        met[touched[i]] = 0
    return covering, alone
