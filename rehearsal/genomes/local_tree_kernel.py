"""Compiled code that walks along the trees of a block and tells who descends from whom."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import part


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
    cursor: NDArray[np.int64]  # (2,) edges inserted, edges removed


@part
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


@part
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
