"""Compiled code of ``crossover_points``: edges that join the roots on both sides of a point.

``crossover_points_kernel`` has moved all other ends before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part
from rehearsal.genomes.crossover_points_kernel import (
    OUT_OF_SIGHT,
    EdgesAtPoints,
    Gaps,
    add_gap,
    gap_at,
    row_above,
)


class Ends(NamedTuple):
    """The left or the right ends of all edges."""

    end: NDArray[np.int64]  # (n_edges,) changed in place
    point: NDArray[np.int32]  # (n_edges,)
    rows: NDArray[np.int32]  # edges with an end at a point, by point
    start: NDArray[np.int64]  # (n_points + 1,) where those of each point begin in rows
    sign: int  # -1 for left ends, 1 for right ends


@part
def by_point(points: NDArray[np.int32], n_points: int) -> tuple[NDArray, NDArray]:
    """Group edges by the point at one of their ends.

    Args:
        points: The point of each edge, shape (n_edges,). Those outside of 0 to n_points - 1 are
            left out.
        n_points: Number of points.

    Returns:
        The edges by point, int32, and where those of each point begin, shape (n_points + 1,).
    """
    start = np.zeros(n_points + 1, np.int64)
    for point in points:
        if 0 <= point < n_points:
            start[point + 1] += 1
    start = np.cumsum(start)
    place = start.copy()
    rows = np.empty(start[-1], np.int32)
    for e in range(len(points)):
        if 0 <= points[e] < n_points:
            rows[place[points[e]]] = e
            place[points[e]] += 1
    return rows, start


@kernel()
def join_roots(
    tree: EdgesAtPoints, changes: NDArray[np.int64], roots: NDArray[np.int32], gaps: Gaps
) -> NDArray[np.int64]:
    """Connect the roots on both sides of each change of tree where samples hang on both.

    Args:
        tree: The ancestry, after ``move_ends``. Changed in place.
        changes: The point of each change of tree, shape (n_trees - 1,).
        roots: The root of each tree, shape (n_trees,).
        gaps: The gaps. Changed in place.

    Returns:
        Edges to add: left end, right end, and two nodes, the older of which is the parent. Shape
        (n_added, 4), int64.
    """
    n_points = changes.max() + 1 if len(changes) else 0
    left = Ends(tree.left, tree.left_point, *by_point(tree.left_point, n_points), -1)
    right = Ends(tree.right, tree.right_point, *by_point(tree.right_point, n_points), 1)
    added = np.empty((len(changes), 4), np.int64)
    n_added = 0
    for k in range(len(changes)):
        one, other, point = roots[k], roots[k + 1], changes[k]
        if one == other:
            continue
        if _edge_at(one, point, tree.left_point, tree) >= 0:
            _lift(one, point, left, tree, gaps)
        elif _edge_at(other, point, tree.right_point, tree) >= 0:
            _lift(other, point, right, tree, gaps)
        else:
            last = _outermost(one, point, right, -1, tree)
            first = _outermost(other, point, left, -1, tree)
            if first < last:
                added[n_added, 0], added[n_added, 1] = first, last
                added[n_added, 2], added[n_added, 3] = one, other
                n_added += 1
    return added[:n_added]


@part
def _edge_at(node: int, point: int, points: NDArray[np.int32], tree: EdgesAtPoints) -> int:
    """Find the edge above a node that has an end at a point, -1 if none."""
    k = row_above(node, point, points, tree)
    if k < tree.above[node, 1] and points[tree.by_child[k]] == point:
        return tree.by_child[k]
    return -1


@part
def _outermost(node: int, point: int, ends: Ends, without: int, tree: EdgesAtPoints) -> int:
    """Find the outermost end at a point of the edges below a node: the least left or last right."""
    found = -ends.sign * OUT_OF_SIGHT
    for k in range(ends.start[point], ends.start[point + 1]):
        e = ends.rows[k]
        further = ends.sign * ends.end[e] > ends.sign * found
        if tree.parent[e] == node and e != without and further:
            found = ends.end[e]
    return found


@part
def _lift(root: int, point: int, ends: Ends, tree: EdgesAtPoints, gaps: Gaps) -> None:
    """Set the ends of the edges from one side's root up to the other side's.

    The edge from a node of this path to the next one is needed where samples hang on any node
    further up, and where samples hang on any node up to this one: in a gap of the root, not on it.
    All bases are compared with the sign of left ends, -1, so that less is further out.
    """
    end, sign = ends.end, ends.sign
    path = _path(root, point, ends.point, tree)
    length = len(path)
    hanging = np.empty(length + 1, np.int64)  # from where samples hang on each next node
    hanging[length] = OUT_OF_SIGHT
    for k in range(length):
        e = path[k]
        hanging[k] = -sign * _outermost(tree.parent[e], point, ends, e, tree)
    reach = hanging.copy()
    for k in range(length - 1, -1, -1):
        reach[k] = min(reach[k], reach[k + 1])
    gap = gap_at(path[0], point, gaps)
    lower = OUT_OF_SIGHT
    for k in range(length):
        begin = reach[k]
        if gap >= 0:
            begin = _around_gap((gap, path[k], point), begin, lower, sign, gaps)
        end[path[k]] = -sign * begin
        lower = min(lower, hanging[k])
    if gap >= 0 and -sign * end[path[0]] >= min(-sign * gaps.start[gap], -sign * gaps.stop[gap]):
        gaps.stop[gap] = gaps.start[gap]  # the edge begins behind the gap


@part
def _around_gap(gap_of: tuple[int, int, int], begin: int, lower: int, sign: int, gaps: Gaps) -> int:
    """Return where an edge of the path begins, and note the root's gap in it if it begins before.

    ``gap_of`` has the root's gap, the edge and the point; ``lower`` is from where samples hang on
    nodes between the root and this edge.
    """
    gap, e, point = gap_of
    opens = min(-sign * gaps.start[gap], -sign * gaps.stop[gap])
    closes = max(-sign * gaps.start[gap], -sign * gaps.stop[gap])
    resumes = max(begin, min(closes, lower))
    if begin >= opens:
        return resumes
    if resumes > opens and gaps.edge[gap] != e:
        start, stop = -sign * opens, -sign * resumes
        add_gap(e, point, min(start, stop), max(start, stop), gaps)
    return begin


@part
def _path(
    root: int, point: int, points: NDArray[np.int32], tree: EdgesAtPoints
) -> NDArray[np.int64]:
    """List the edges with an end at a point from a root of one side up to the other side's."""
    length = 0
    e = _edge_at(root, point, points, tree)
    while e >= 0:
        length += 1
        e = _edge_at(tree.parent[e], point, points, tree)
    path = np.empty(length, np.int64)
    e = _edge_at(root, point, points, tree)
    for k in range(length):
        path[k] = e
        e = _edge_at(tree.parent[e], point, points, tree)
    return path
