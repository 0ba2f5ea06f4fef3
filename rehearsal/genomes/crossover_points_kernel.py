"""Compiled code of ``crossover_points``: new ends of edges, children before parents.

A node's edges run along with the samples below it. Where its children left it at one point and
others came at the same point, a gap opens between them if the former move left and the latter
right: nothing hangs on the node there, and the edges above it have the same gap.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Ends = tuple[NDArray[np.int64], NDArray[np.int32], int]  # ends, their points, and a sign
OUT_OF_SIGHT = 1 << 42  # beyond all positions


class Ancestry(NamedTuple):
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


class Gaps(NamedTuple):
    """Gaps in edges. Those of edge e: first[e], then next of that, until -1."""

    first: NDArray[np.int64]  # (n_edges,)
    next: NDArray[np.int64]  # (n_edges,) at most, as are the following
    edge: NDArray[np.int64]
    point: NDArray[np.int64]
    start: NDArray[np.int64]  # the gap's first base
    stop: NDArray[np.int64]  # the first base after it
    number: NDArray[np.int64]  # (1,)


@numba.njit(cache=True)
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


@numba.njit(cache=True)
def move_ends(
    tree: Ancestry, drawn: NDArray[np.int64], nodes: NDArray[np.int64], here: Here, gaps: Gaps
) -> None:
    """Move the ends of all edges that lie at points, except where roots join (``join_roots``).

    Args:
        tree: The ancestry. Changed in place.
        drawn: The base to which a crossover at each edge's left end moves, shape (n_edges,).
        nodes: Nodes from young to old.
        here: Room for what is known at points.
        gaps: Room for gaps. Changed in place.
    """
    for node in nodes:
        for e in range(tree.below[node, 0], tree.below[node, 1]):
            _note_begin(node, tree.left_point[e], tree.left[e], here)
            _note_end(node, tree.right_point[e], tree.right[e], here)
            gap = gaps.first[e]
            while gap >= 0:
                _note_end(node, gaps.point[gap], gaps.start[gap], here)
                _note_begin(node, gaps.point[gap], gaps.stop[gap], here)
                gap = gaps.next[gap]
        before = -1
        for k in range(tree.above[node, 0], tree.above[node, 1]):
            e = tree.by_child[k]
            point = tree.left_point[e]
            if before >= 0 and tree.right_point[before] == point:
                tree.right[before], tree.left[e] = _crossing(
                    node, point, drawn[e], tree, here, gaps
                )
            elif point >= 0:
                _set_left(node, e, tree, here, gaps)
            following = tree.by_child[k + 1] if k + 1 < tree.above[node, 1] else -1
            point = tree.right_point[e]
            if point < len(here.end) and (following < 0 or tree.left_point[following] != point):
                _set_right(node, e, tree, here, gaps)
            before = e
        _pass_gaps_on(node, tree, here, gaps)


@numba.njit(cache=True)
def _note_begin(node: int, point: int, base: int, here: Here) -> None:
    if point >= 0:
        same = here.begin_of[point] == node
        here.begin[point] = min(here.begin[point], base) if same else base
        here.begin_of[point] = node


@numba.njit(cache=True)
def _note_end(node: int, point: int, base: int, here: Here) -> None:
    if point < len(here.end):
        same = here.end_of[point] == node
        here.end[point] = max(here.end[point], base) if same else base
        here.end_of[point] = node


@numba.njit(cache=True)
def _crossing(
    node: int, point: int, drawn: int, tree: Ancestry, here: Here, gaps: Gaps
) -> tuple[int, int]:
    """Return where the edge before a crossover ends, and where the one after it begins."""
    if _has_gap(node, point, tree, here, gaps):
        return here.end[point], here.begin[point]
    return drawn, drawn


@numba.njit(cache=True)
def _has_gap(node: int, point: int, tree: Ancestry, here: Here, gaps: Gaps) -> bool:
    """Tell whether all children go at a point before others come."""
    if here.end_of[point] != node or here.begin_of[point] != node:
        return False
    if here.end[point] >= here.begin[point]:
        return False
    for e in range(tree.below[node, 0], tree.below[node, 1]):
        if tree.left_point[e] < point < tree.right_point[e] and _gap_at(e, point, gaps) < 0:
            return False
    return True


@numba.njit(cache=True)
def _gap_at(e: int, point: int, gaps: Gaps) -> int:
    """Find the gap of an edge at a point, -1 if none."""
    gap = gaps.first[e]
    while gap >= 0 and gaps.point[gap] != point:
        gap = gaps.next[gap]
    return gap


@numba.njit(cache=True)
def _add_gap(e: int, point: int, start: int, stop: int, gaps: Gaps) -> None:
    gap = gaps.number[0]
    gaps.edge[gap], gaps.point[gap] = e, point
    gaps.start[gap], gaps.stop[gap] = start, stop
    gaps.next[gap] = gaps.first[e]
    gaps.first[e] = gap
    gaps.number[0] += 1


@numba.njit(cache=True)
def _set_left(node: int, e: int, tree: Ancestry, here: Here, gaps: Gaps) -> None:
    """Set where an edge begins before which there is none above the node."""
    point = tree.left_point[e]
    if _lives(node, point - 1, tree):
        tree.left[e] = OUT_OF_SIGHT  # the node is the root to the left; join_roots sets it
        if _has_gap(node, point, tree, here, gaps):
            _add_gap(e, point, here.end[point], here.begin[point], gaps)
    else:
        tree.left[e] = here.begin[point]


@numba.njit(cache=True)
def _set_right(node: int, e: int, tree: Ancestry, here: Here, gaps: Gaps) -> None:
    """Set where an edge ends after which there is none above the node."""
    point = tree.right_point[e]
    if _lives(node, point, tree):
        tree.right[e] = -OUT_OF_SIGHT  # the node is the root to the right
        if _has_gap(node, point, tree, here, gaps):
            _add_gap(e, point, here.end[point], here.begin[point], gaps)
    else:
        tree.right[e] = here.end[point]


@numba.njit(cache=True)
def _lives(node: int, point: int, tree: Ancestry) -> bool:
    """Tell whether a node has children between a point and the next one."""
    for e in range(tree.below[node, 0], tree.below[node, 1]):
        if tree.left_point[e] <= point < tree.right_point[e]:
            return True
    return False


@numba.njit(cache=True)
def _pass_gaps_on(node: int, tree: Ancestry, here: Here, gaps: Gaps) -> None:
    """Note the gaps of a node in the edges above it that run across the point."""
    for e in range(tree.below[node, 0], tree.below[node, 1]):
        _pass_on(node, tree.right_point[e], tree, here, gaps)
        gap = gaps.first[e]
        while gap >= 0:
            _pass_on(node, gaps.point[gap], tree, here, gaps)
            gap = gaps.next[gap]


@numba.njit(cache=True)
def _pass_on(node: int, point: int, tree: Ancestry, here: Here, gaps: Gaps) -> None:
    if point >= len(here.end) or not _has_gap(node, point, tree, here, gaps):
        return
    for k in range(tree.above[node, 0], tree.above[node, 1]):
        e = tree.by_child[k]
        across = tree.left_point[e] < point < tree.right_point[e]
        if across and _gap_at(e, point, gaps) < 0:
            _add_gap(e, point, here.end[point], here.begin[point], gaps)


@numba.njit(cache=True)
def join_roots(
    tree: Ancestry, changes: NDArray[np.int64], roots: NDArray[np.int32], gaps: Gaps
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
    added = np.empty((len(changes), 4), np.int64)
    n_added = 0
    for k in range(len(changes)):
        one, other, point = roots[k], roots[k + 1], changes[k]
        if one == other:
            continue
        if _edge_at(one, point, tree.left_point, tree) >= 0:
            _lift(one, point, (tree.left, tree.left_point, -1), tree, gaps)
        elif _edge_at(other, point, tree.right_point, tree) >= 0:
            _lift(other, point, (tree.right, tree.right_point, 1), tree, gaps)
        else:
            last = _outermost(one, point, (tree.right, tree.right_point, 1), -1, tree)
            first = _outermost(other, point, (tree.left, tree.left_point, -1), -1, tree)
            if first < last:
                added[n_added, 0], added[n_added, 1] = first, last
                added[n_added, 2], added[n_added, 3] = one, other
                n_added += 1
    return added[:n_added]


@numba.njit(cache=True)
def _edge_at(node: int, point: int, points: NDArray[np.int32], tree: Ancestry) -> int:
    """Find the edge above a node that has an end at a point, -1 if none."""
    for k in range(tree.above[node, 0], tree.above[node, 1]):
        if points[tree.by_child[k]] == point:
            return tree.by_child[k]
    return -1


@numba.njit(cache=True)
def _outermost(node: int, point: int, ends: Ends, without: int, tree: Ancestry) -> int:
    """Find the outermost end at a point of the edges below a node: the least left or last right.

    ``ends`` has the ends, their points, and -1 for left or 1 for right ends.
    """
    end, points, sign = ends
    found = -sign * OUT_OF_SIGHT
    for e in range(tree.below[node, 0], tree.below[node, 1]):
        if points[e] == point and e != without and sign * end[e] > sign * found:
            found = end[e]
    return found


@numba.njit(cache=True)
def _lift(root: int, point: int, ends: Ends, tree: Ancestry, gaps: Gaps) -> None:
    """Set the ends of the edges from one side's root up to the other side's.

    The edge from a node of this path to the next one is needed where samples hang on any node
    further up, and where samples hang on any node up to this one: in a gap of the root, not on it.
    All bases are compared with the sign of left ends, -1, so that less is further out.
    """
    end, points, sign = ends
    path = _path(root, point, points, tree)
    length = len(path)
    hanging = np.empty(length + 1, np.int64)  # from where samples hang on each next node
    hanging[length] = OUT_OF_SIGHT
    for k in range(length):
        e = path[k]
        hanging[k] = -sign * _outermost(tree.parent[e], point, ends, e, tree)
    reach = hanging.copy()
    for k in range(length - 1, -1, -1):
        reach[k] = min(reach[k], reach[k + 1])
    gap = _gap_at(path[0], point, gaps)
    lower = OUT_OF_SIGHT
    for k in range(length):
        begin = reach[k]
        if gap >= 0:
            begin = _around_gap((gap, path[k], point), begin, lower, sign, gaps)
        end[path[k]] = -sign * begin
        lower = min(lower, hanging[k])
    if gap >= 0 and -sign * end[path[0]] >= min(-sign * gaps.start[gap], -sign * gaps.stop[gap]):
        gaps.stop[gap] = gaps.start[gap]  # the edge begins behind the gap


@numba.njit(cache=True)
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
        _add_gap(e, point, min(start, stop), max(start, stop), gaps)
    return begin


@numba.njit(cache=True)
def _path(root: int, point: int, points: NDArray[np.int32], tree: Ancestry) -> NDArray[np.int64]:
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
