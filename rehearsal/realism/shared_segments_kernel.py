"""Compiled code of ``recent_kin``: the stretches of which two haplotypes have one recent ancestor.

A walk along the trees knows the most recent common ancestor of every pair that has a recent one.
Where an edge ends or begins, it looks again at the pairs of the samples below.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part

NONE = -1


class YoungEdges(NamedTuple):
    """Edges whose parents are recent. The first nodes are the samples."""

    left: NDArray[np.float64]  # (n_edges,)
    right: NDArray[np.float64]  # (n_edges,)
    parent: NDArray[np.int32]  # (n_edges,)
    child: NDArray[np.int32]  # (n_edges,)
    insertion: NDArray[np.int64]  # (n_edges,) by left end
    removal: NDArray[np.int64]  # (n_edges,) by right end


class Tree(NamedTuple):
    """The trees of recent ancestors at a place; -1 for none."""

    parent: NDArray[np.int32]  # (n_nodes,)
    first: NDArray[np.int32]  # (n_nodes,) a child
    next: NDArray[np.int32]  # (n_nodes,) the next child of the same parent
    stack: NDArray[np.int32]  # (n_nodes,) working memory


class Pairs(NamedTuple):
    """What is known of pairs of samples."""

    ancestor: NDArray[np.int32]  # (n, n) their recent common ancestor at the walk's place
    since: NDArray[np.float64]  # (n, n) where it became their ancestor
    seen: NDArray[np.int64]  # (n,) the last visit at which a sample was a relative


@kernel()
def walk_pairs(
    edges: YoungEdges, nodes: int, pairs: Pairs, found: NDArray[np.float64], shortest: float
) -> tuple[NDArray[np.float64], int]:
    """List the stretches of pairs of samples with one common ancestor.

    Args:
        edges: The edges.
        nodes: Number of nodes.
        pairs: Room for all pairs: no ancestors, places and visits.
        found: Room for stretches, shape (capacity, 4). It grows.
        shortest: Stretches with fewer bases are left out.

    Returns:
        Rows of two samples, the first one less than the second, start and end; and how many.
    """
    tree = Tree(
        np.full(nodes, NONE, np.int32),
        np.full(nodes, NONE, np.int32),
        np.full(nodes, NONE, np.int32),
        np.empty(nodes, np.int32),
    )
    samples = len(pairs.seen)
    changed = np.zeros(samples, np.int64)  # the last place at which a sample's pairs may change
    listed, affected = np.empty(samples, np.int32), np.empty(samples, np.int32)
    begun = ended = place = visit = number = 0
    total = len(edges.left)
    while ended < total:
        x = edges.right[edges.removal[ended]]
        if begun < total:
            x = min(x, edges.left[edges.insertion[begun]])
        place += 1
        n = 0
        while ended < total and edges.right[edges.removal[ended]] == x:
            e = edges.removal[ended]
            n = _note_samples(edges.child[e], place, tree, changed, listed, affected, n)
            _remove(edges.parent[e], edges.child[e], tree)
            ended += 1
        while begun < total and edges.left[edges.insertion[begun]] == x:
            e = edges.insertion[begun]
            _insert(edges.parent[e], edges.child[e], tree)
            n = _note_samples(edges.child[e], place, tree, changed, listed, affected, n)
            begun += 1
        for k in range(n):
            visit += 1
            if number + samples > len(found):
                longer = np.empty((2 * len(found) + samples, 4))
                longer[:number] = found[:number]
                found = longer
            number = _look_again(
                affected[k], visit, x, tree, listed, pairs, found, number, shortest
            )
    return found, number


@part
def _insert(parent: int, child: int, tree: Tree) -> None:
    tree.parent[child] = parent
    tree.next[child] = tree.first[parent]
    tree.first[parent] = child


@part
def _remove(parent: int, child: int, tree: Tree) -> None:
    tree.parent[child] = NONE
    if tree.first[parent] == child:
        tree.first[parent] = tree.next[child]
    else:
        before = tree.first[parent]
        while tree.next[before] != child:
            before = tree.next[before]
        tree.next[before] = tree.next[child]
    tree.next[child] = NONE


@part
def _list_samples(node: int, tree: Tree, samples: int, listed: NDArray[np.int32]) -> int:
    """List the samples at and below a node. Returns how many there are."""
    tree.stack[0] = node
    size, n = 1, 0
    while size:
        size -= 1
        u = tree.stack[size]
        if u < samples:
            listed[n] = u
            n += 1
        v = tree.first[u]
        while v != NONE:
            tree.stack[size] = v
            size += 1
            v = tree.next[v]
    return n


@part
def _note_samples(
    node: int,
    place: int,
    tree: Tree,
    changed: NDArray[np.int64],
    listed: NDArray[np.int32],
    affected: NDArray[np.int32],
    n: int,
) -> int:
    """Note the samples at and below a node. Returns how many are noted at this place."""
    for k in range(_list_samples(node, tree, len(changed), listed)):
        u = listed[k]
        if changed[u] != place:
            changed[u] = place
            affected[n] = u
            n += 1
    return n


@part
def _look_again(
    sample: int,
    visit: int,
    x: float,
    tree: Tree,
    listed: NDArray[np.int32],
    pairs: Pairs,
    found: NDArray[np.float64],
    number: int,
    shortest: float,
) -> int:
    """Find the relatives of a sample, and end what has changed. Returns the number of stretches."""
    samples = len(pairs.seen)
    below, ancestor = sample, tree.parent[sample]
    while ancestor != NONE:
        branch = tree.first[ancestor]
        while branch != NONE:
            n = _list_samples(branch, tree, samples, listed) if branch != below else 0
            for k in range(n):
                pairs.seen[listed[k]] = visit
                number = _set(sample, listed[k], ancestor, x, pairs, found, number, shortest)
            branch = tree.next[branch]
        below, ancestor = ancestor, tree.parent[ancestor]
    for other in range(samples):
        if pairs.ancestor[sample, other] != NONE and pairs.seen[other] != visit:
            number = _set(sample, other, NONE, x, pairs, found, number, shortest)
    return number


@part
def _set(
    one: int,
    other: int,
    ancestor: int,
    x: float,
    pairs: Pairs,
    found: NDArray[np.float64],
    number: int,
    shortest: float,
) -> int:
    """Set a pair's ancestor from a place on. Returns the number of stretches."""
    before, since = pairs.ancestor[one, other], pairs.since[one, other]
    if before == ancestor:
        return number
    if before != NONE and x - since >= shortest:
        found[number, 0], found[number, 1] = min(one, other), max(one, other)
        found[number, 2], found[number, 3] = since, x
        number += 1
    pairs.ancestor[one, other] = pairs.ancestor[other, one] = ancestor
    pairs.since[one, other] = pairs.since[other, one] = x
    return number
