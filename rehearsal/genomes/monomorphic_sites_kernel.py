"""The search for sites with one allele, in compiled code."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray


class SiteMutations(NamedTuple):
    """Mutations of site s are rows offset[s] to offset[s + 1]; alleles are bases 0 to 3."""

    position: NDArray[np.float64]
    ancestral: NDArray[np.int8]
    offset: NDArray[np.int64]
    node: NDArray[np.int32]
    derived: NDArray[np.int8]


class Descents(NamedTuple):
    """Children: the edges below node u are rows first[u] to last[u] of the edge table."""

    first: NDArray[np.int32]
    last: NDArray[np.int32]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    child: NDArray[np.int32]
    sample: NDArray[np.bool_]  # by node


class Ascents(NamedTuple):
    """The edges above one sample and its ancestors, sorted by child and left end."""

    child: NDArray[np.int32]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    parent: NDArray[np.int32]
    ever: NDArray[np.bool_]  # by node: the sample, or its ancestor somewhere
    start: int  # the sample


@numba.njit(cache=True)
def mark_ancestors(
    parent: NDArray[np.int32], child: NDArray[np.int32], ever: NDArray[np.bool_]
) -> None:
    """Edges come in order of their parents' time, so one pass reaches the root."""
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
    """The nearest mutation at or above the sample (-1: none), and its root."""
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
    """Whether u is a sample or has one below with no mutation between."""
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
    """Sets ``single`` at those of the sites ``several`` that have one allele."""
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
