"""Compiled code of ``crossover_points``: new ends of edges, children before parents.

A node's edges run along with the samples below it. Where its children left it at one point and
others came at the same point, a gap opens between them if the former move left and the latter
right: nothing hangs on the node there, and the edges above it have the same gap.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part

OUT_OF_SIGHT = 1 << 42  # beyond all positions


class EdgesAtPoints(NamedTuple):
    """Edges in the order of a tree sequence. Points are indices; the block's ends are no points."""

    left: NDArray[np.int64]  # (n_edges,) changed in place
    right: NDArray[np.int64]  # (n_edges,) changed in place
    parent: NDArray[np.int32]  # (n_edges,)
    child: NDArray[np.int32]  # (n_edges,)
    left_point: NDArray[np.int32]  # (n_edges,) -1: the block's start
    right_point: NDArray[np.int32]  # (n_edges,) n_points: the block's end
    by_child: NDArray[np.int64]  # (n_edges,) edges by child and left end
    above: NDArray[np.int64]  # (n_nodes, 2) rows of by_child with the edges above each node
    below: NDArray[np.int64]  # (n_nodes, 2) the edges below each node


class Here(NamedTuple):
    """What is known at each point about the children of one node, the last one that wrote there."""

    begin: NDArray[np.int64]  # (n_points,) where the first one comes that comes at this point
    end: NDArray[np.int64]  # (n_points,) where the last one goes that goes at this point
    begin_of: NDArray[np.int64]  # (n_points,) the node that begin is of
    end_of: NDArray[np.int64]  # (n_points,) the node that end is of
    gaps: NDArray[np.int64]  # (n_points,) how many edges below have a gap within them
    gaps_of: NDArray[np.int64]  # (n_points,) the node that gaps is of
    passed_of: NDArray[np.int64]  # (n_points,) the last node whose gap was passed on


class Below(NamedTuple):
    """The edges below one node, as points in ascending order."""

    left: NDArray[np.int32]  # (n,) points at their left ends
    right: NDArray[np.int32]  # (n,) points at their right ends


class Gaps(NamedTuple):
    """Gaps in edges. Those of edge e: first[e], then next of that, until -1."""

    first: NDArray[np.int64]  # (n_edges,)
    next: NDArray[np.int64]  # (n_edges,) at most, as are the following
    edge: NDArray[np.int64]
    point: NDArray[np.int64]
    start: NDArray[np.int64]  # the gap's first base
    stop: NDArray[np.int64]  # the first base after it
    number: NDArray[np.int64]  # (1,)


@kernel()
def ranges_of(node: NDArray[np.int32], order: NDArray[np.int64], n_nodes: int) -> NDArray[np.int64]:
    """Find the rows of each node's edges in an order that groups edges by node.

    Args:
        node: Node of each edge, shape (n_edges,).
        order: Edges in that order, shape (n_edges,).
        n_nodes: Number of nodes.

    Returns:
        First row and the one after the last, shape (n_nodes, 2); 0 and 0 without edges.
    """
    ranges = np.zeros((n_nodes, 2), np.int64)
    for k in range(len(order)):
        owner = node[order[k]]
        if ranges[owner, 1] == 0:
            ranges[owner, 0] = k
        ranges[owner, 1] = k + 1
    return ranges


@kernel()
def move_ends(
    tree: EdgesAtPoints, drawn: NDArray[np.int64], nodes: NDArray[np.int64], here: Here, gaps: Gaps
) -> None:
    """Move the ends of all edges that lie at points, except where roots join (``join_roots``).

    Args:
        tree: The ancestry. Changed in place.
        drawn: The base to which a crossover at each edge's left end moves, shape (n_edges,).
        nodes: Nodes from young to old.
        here: Room for what is known at points.
        gaps: Room for gaps. Changed in place.
    """
    lefts, rights = np.empty_like(tree.left_point), np.empty_like(tree.right_point)
    for node in nodes:
        first, last = tree.below[node]
        below = Below(lefts[: last - first], rights[: last - first])
        for e in range(first, last):
            _note_begin(node, tree.left_point[e], tree.left[e], here)
            _note_end(node, tree.right_point[e], tree.right[e], here)
            gap = gaps.first[e]
            while gap >= 0:
                point = gaps.point[gap]
                _note_end(node, point, gaps.start[gap], here)
                _note_begin(node, point, gaps.stop[gap], here)
                if tree.left_point[e] < point < tree.right_point[e]:
                    _note_gap(node, point, here)
                gap = gaps.next[gap]
            below.left[e - first], below.right[e - first] = tree.left_point[e], tree.right_point[e]
        below.left.sort()
        below.right.sort()
        before = -1
        for k in range(tree.above[node, 0], tree.above[node, 1]):
            e = tree.by_child[k]
            point = tree.left_point[e]
            if before >= 0 and tree.right_point[before] == point:
                tree.right[before], tree.left[e] = _crossing(node, point, drawn[e], below, here)
            elif point >= 0:
                _set_left(node, e, tree, below, here, gaps)
            following = tree.by_child[k + 1] if k + 1 < tree.above[node, 1] else -1
            point = tree.right_point[e]
            if point < len(here.end) and (following < 0 or tree.left_point[following] != point):
                _set_right(node, e, tree, below, here, gaps)
            before = e
        _pass_gaps_on(node, tree, below, here, gaps)


@part
def _note_begin(node: int, point: int, base: int, here: Here) -> None:
    if point >= 0:
        same = here.begin_of[point] == node
        here.begin[point] = min(here.begin[point], base) if same else base
        here.begin_of[point] = node


@part
def _note_end(node: int, point: int, base: int, here: Here) -> None:
    if point < len(here.end):
        same = here.end_of[point] == node
        here.end[point] = max(here.end[point], base) if same else base
        here.end_of[point] = node


@part
def _note_gap(node: int, point: int, here: Here) -> None:
    here.gaps[point] = here.gaps[point] + 1 if here.gaps_of[point] == node else 1
    here.gaps_of[point] = node


@part
def _crossing(node: int, point: int, drawn: int, below: Below, here: Here) -> tuple[int, int]:
    """Return where the edge before a crossover ends, and where the one after it begins."""
    if _has_gap(node, point, below, here):
        return here.end[point], here.begin[point]
    return drawn, drawn


@part
def _has_gap(node: int, point: int, below: Below, here: Here) -> bool:
    """Tell whether all children go at a point before others come."""
    if here.end_of[point] != node or here.begin_of[point] != node:
        return False
    if here.end[point] >= here.begin[point]:
        return False
    across = np.searchsorted(below.left, point) - np.searchsorted(below.right, point, "right")
    return across == (here.gaps[point] if here.gaps_of[point] == node else 0)


@part
def gap_at(e: int, point: int, gaps: Gaps) -> int:
    """Find the gap of an edge at a point, -1 if none.

    Args:
        e: The edge.
        point: The point.
        gaps: All gaps.
    """
    gap = gaps.first[e]
    while gap >= 0 and gaps.point[gap] != point:
        gap = gaps.next[gap]
    return gap


@part
def add_gap(e: int, point: int, start: int, stop: int, gaps: Gaps) -> None:
    """Add a gap to an edge.

    Args:
        e: The edge.
        point: The point at which it opens.
        start: Its first base.
        stop: The first base after it.
        gaps: All gaps.
    """
    gap = gaps.number[0]
    gaps.edge[gap], gaps.point[gap] = e, point
    gaps.start[gap], gaps.stop[gap] = start, stop
    gaps.next[gap] = gaps.first[e]
    gaps.first[e] = gap
    gaps.number[0] += 1


@part
def _set_left(node: int, e: int, tree: EdgesAtPoints, below: Below, here: Here, gaps: Gaps) -> None:
    """Set where an edge begins before which there is none above the node."""
    point = tree.left_point[e]
    if np.searchsorted(below.left, point) > np.searchsorted(below.right, point):
        # The node has children before the point. It is the root there, and join_roots sets the end.
        tree.left[e] = OUT_OF_SIGHT
        if _has_gap(node, point, below, here):
            add_gap(e, point, here.end[point], here.begin[point], gaps)
    else:
        tree.left[e] = here.begin[point]


@part
def _set_right(
    node: int, e: int, tree: EdgesAtPoints, below: Below, here: Here, gaps: Gaps
) -> None:
    """Set where an edge ends after which there is none above the node."""
    point = tree.right_point[e]
    begun = np.searchsorted(below.left, point, "right")
    if begun > np.searchsorted(below.right, point, "right"):
        tree.right[e] = -OUT_OF_SIGHT  # the node has children behind the point and is the root
        if _has_gap(node, point, below, here):
            add_gap(e, point, here.end[point], here.begin[point], gaps)
    else:
        tree.right[e] = here.end[point]


@part
def _pass_gaps_on(node: int, tree: EdgesAtPoints, below: Below, here: Here, gaps: Gaps) -> None:
    """Note the gaps of a node in the edges above it that run across the point."""
    for e in range(tree.below[node, 0], tree.below[node, 1]):
        _pass_on(node, tree.right_point[e], tree, below, here, gaps)
        gap = gaps.first[e]
        while gap >= 0:
            _pass_on(node, gaps.point[gap], tree, below, here, gaps)
            gap = gaps.next[gap]


@part
def _pass_on(
    node: int, point: int, tree: EdgesAtPoints, below: Below, here: Here, gaps: Gaps
) -> None:
    if point >= len(here.end) or here.passed_of[point] == node:
        return
    if not _has_gap(node, point, below, here):
        return
    here.passed_of[point] = node
    k = row_above(node, point, tree.left_point, tree) - 1  # the last one that begins before
    if k >= tree.above[node, 0] and tree.right_point[tree.by_child[k]] > point:
        add_gap(tree.by_child[k], point, here.end[point], here.begin[point], gaps)


@part
def row_above(node: int, point: int, points: NDArray[np.int32], tree: EdgesAtPoints) -> int:
    """Find the first row of ``by_child`` with an edge above a node whose end is not before a point.

    The edges above a node do not overlap, so both their left and their right ends ascend.

    Args:
        node: The node.
        point: The point.
        points: The point of one end of each edge, left or right, shape (n_edges,).
        tree: The ancestry.
    """
    low, high = tree.above[node]
    while low < high:
        middle = (low + high) // 2
        if points[tree.by_child[middle]] < point:
            low = middle + 1
        else:
            high = middle
    return low
