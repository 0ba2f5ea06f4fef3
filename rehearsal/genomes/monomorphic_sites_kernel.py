"""Compiled code for the search for sites with one allele."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray


class SiteMutations(NamedTuple):
    """Sites and their mutations: those of site s are the rows ``offset[s]:offset[s + 1]``."""

    position: NDArray[np.float64]  # (n_sites,) 0-based
    ancestral: NDArray[np.int8]  # (n_sites,) base, 0 to 3
    offset: NDArray[np.int64]  # (n_sites + 1,)
    node: NDArray[np.int32]  # (n_mutations,)
    derived: NDArray[np.int8]  # (n_mutations,) base, 0 to 3


class Descents(NamedTuple):
    """Links to children: the edges below node u are the rows ``first[u]:last[u]``."""

    first: NDArray[np.int32]  # (n_nodes,)
    last: NDArray[np.int32]  # (n_nodes,) exclusive
    left: NDArray[np.float64]  # (n_edges,) 0-based, inclusive
    right: NDArray[np.float64]  # (n_edges,) exclusive
    child: NDArray[np.int32]  # (n_edges,)
    sample: NDArray[np.bool_]  # (n_nodes,) whether the node is a sample


class Ascents(NamedTuple):
    """The edges above one sample and its ancestors, sorted by child and left end."""

    child: NDArray[np.int32]  # (n_own_edges,)
    left: NDArray[np.float64]  # (n_own_edges,) 0-based, inclusive
    right: NDArray[np.float64]  # (n_own_edges,) exclusive
    parent: NDArray[np.int32]  # (n_own_edges,)
    ever: NDArray[np.bool_]  # (n_nodes,) the sample itself, or its ancestor in some tree
    start: int  # node of the sample


@numba.njit(cache=True)
def mark_ancestors(
    parent: NDArray[np.int32], child: NDArray[np.int32], ever: NDArray[np.bool_]
) -> None:
    """Mark all ancestors of the nodes that are marked already.

    Edges come in order of their parents' time, so one pass reaches the root.

    Args:
        parent: Parent node of each edge, shape (n_edges,).
        child: Child node of each edge, shape (n_edges,).
        ever: Marks by node, shape (n_nodes,). Changed in place.
    """
    for edge in range(parent.size):
        if ever[child[edge]]:
            ever[parent[edge]] = True


@numba.njit(cache=True)
def _parent_at(u: int, x: float, up: Ascents) -> int:
    edge = np.searchsorted(up.child, u)
    while edge < up.child.size and up.child[edge] == u:
        if up.left[edge] <= x < up.right[edge]:
            return up.parent[edge]
        edge += 1
    return -1


@numba.njit(cache=True)
def _climb(x: float, mutated: NDArray[np.int64], up: Ascents) -> tuple[int, int]:
    """Find the nearest mutation at or above the sample (-1: none), and the sample's root."""
    nearest, root, u = -1, -1, up.start
    while u != -1:
        if nearest < 0:
            nearest = mutated[u]
        root = u
        u = _parent_at(u, x, up)
    return nearest, root


@numba.njit(cache=True)
def _reaches_a_sample(
    u: int, x: float, mutated: NDArray[np.int64], down: Descents, stack: NDArray[np.int32]
) -> bool:
    """Tell whether u is a sample or has one below with no mutation between."""
    if down.sample[u]:
        return True
    stack[0] = u
    size = 1
    while size:
        size -= 1
        v = stack[size]
        for edge in range(down.first[v], down.last[v]):
            if down.left[edge] <= x < down.right[edge]:
                c = down.child[edge]
                if mutated[c] >= 0:
                    continue
                if down.sample[c]:
                    return True
                stack[size] = c
                size += 1
    return False


@numba.njit(cache=True)
def find_monomorphic(
    several: NDArray[np.int64],
    sites: SiteMutations,
    down: Descents,
    up: Ascents,
    single: NDArray[np.bool_],
) -> None:
    """Mark those of the given sites that have one allele among the samples.

    Args:
        several: Sites to look at, those with several mutations, shape (n,).
        sites: All sites and their mutations.
        down: Links from nodes to their children.
        up: Links from one sample to its ancestors.
        single: Set to True at the sites found, shape (n_sites,). Changed in place.
    """
    mutated = np.full(down.sample.size, -1, np.int64)  # by node: its last mutation at this site
    stack = np.empty(down.sample.size, np.int32)
    for site in several:
        x = sites.position[site]
        first, end = sites.offset[site], sites.offset[site + 1]
        climbs = False
        for m in range(first, end):
            mutated[sites.node[m]] = m
            climbs |= up.ever[sites.node[m]]
        known, root = sites.ancestral[site], -1  # the allele of one sample, and its root
        if climbs:
            nearest, root = _climb(x, mutated, up)
            if nearest >= 0:
                known = sites.derived[nearest]
        two = False
        for m in range(first, end):
            u = sites.node[m]
            if mutated[u] == m and sites.derived[m] != known:
                two = _reaches_a_sample(u, x, mutated, down, stack)
                if two:
                    break
        if not two and known != sites.ancestral[site] and mutated[root] < 0:
            two = _reaches_a_sample(root, x, mutated, down, stack)
        single[site] = not two
        for m in range(first, end):
            mutated[sites.node[m]] = -1
