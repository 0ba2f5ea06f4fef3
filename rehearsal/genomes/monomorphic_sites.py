"""Finds sites where all samples have the same allele, without counting samples tree by tree.

A mutation undone on its own branch leaves such a site, and so do rarer combinations. Counting the
samples below every mutation means moving through all trees, a fifth of a large block's time. Here
a site's alleles are proved instead: an allele is there if, going down from its mutation, one
sample is reached before another mutation. Most such walks take a few steps.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import tskit
from numpy.typing import NDArray

from rehearsal.genomes.reference import base_codes


class _Down(NamedTuple):
    """Children: the edges below node u are rows first[u] to last[u] of the edge table."""

    first: NDArray[np.int32]
    last: NDArray[np.int32]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    child: NDArray[np.int32]
    sample: NDArray[np.bool_]  # by node


class _Up(NamedTuple):
    """The edges above one sample and its ancestors, sorted by child and left end."""

    child: NDArray[np.int32]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    parent: NDArray[np.int32]
    ever: NDArray[np.bool_]  # by node: the sample, or its ancestor somewhere
    start: int  # the sample


class _Sites(NamedTuple):
    """Mutations of site s are rows offset[s] to offset[s + 1]; alleles are bases 0 to 3."""

    position: NDArray[np.float64]
    ancestral: NDArray[np.int8]
    offset: NDArray[np.int64]
    node: NDArray[np.int32]
    derived: NDArray[np.int8]


def one_allele_sites(ts: tskit.TreeSequence) -> NDArray[np.bool_]:
    """Which sites have a single allele among the samples; (sites,).

    The trees have one root wherever there are sites, the alleles are bases, and the mutations of
    a site stand parent before child, as tskit has them.
    """
    single = np.zeros(ts.num_sites, dtype=bool)
    offset = np.searchsorted(ts.mutations_site, np.arange(ts.num_sites + 1))
    several = np.flatnonzero(np.diff(offset) > 1)
    if several.size == 0:
        return single
    sites = _Sites(
        ts.sites_position,
        base_codes(ts.tables.sites.ancestral_state),
        offset,
        ts.mutations_node,
        base_codes(ts.tables.mutations.derived_state),
    )
    _find(several, sites, _down(ts), _up(ts), single)
    return single


def _down(ts: tskit.TreeSequence) -> _Down:
    parent = ts.edges_parent  # a parent's edges stand together
    first, last = (np.zeros(ts.num_nodes, np.int32) for _ in range(2))
    starts = np.flatnonzero(np.append(True, parent[1:] != parent[:-1]))
    first[parent[starts]] = starts
    last[parent[starts]] = np.append(starts[1:], len(parent))
    sample = (ts.nodes_flags & tskit.NODE_IS_SAMPLE) > 0
    return _Down(first, last, ts.edges_left, ts.edges_right, ts.edges_child, sample)


def _up(ts: tskit.TreeSequence) -> _Up:
    start = int(ts.samples()[0])
    ever = np.zeros(ts.num_nodes, dtype=bool)
    ever[start] = True
    _mark_ancestors(ts.edges_parent, ts.edges_child, ever)
    own = np.flatnonzero(ever[ts.edges_child])
    own = own[np.lexsort((ts.edges_left[own], ts.edges_child[own]))]
    return _Up(
        ts.edges_child[own],
        ts.edges_left[own],
        ts.edges_right[own],
        ts.edges_parent[own],
        ever,
        start,
    )


@numba.njit(cache=True)
def _mark_ancestors(
    parent: NDArray[np.int32], child: NDArray[np.int32], ever: NDArray[np.bool_]
) -> None:
    """Edges come in order of their parents' time, so one pass reaches the root."""
    for edge in range(parent.size):
        if ever[child[edge]]:
            ever[parent[edge]] = True


@numba.njit(cache=True)
def _parent_at(u: int, x: float, up: _Up) -> int:
    edge = np.searchsorted(up.child, u)
    while edge < up.child.size and up.child[edge] == u:
        if up.left[edge] <= x < up.right[edge]:
            return up.parent[edge]
        edge += 1
    return -1


@numba.njit(cache=True)
def _climb(x: float, mutated: NDArray[np.int64], up: _Up) -> tuple[int, int]:
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
    u: int, x: float, mutated: NDArray[np.int64], down: _Down, stack: NDArray[np.int32]
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
def _find(
    several: NDArray[np.int64], sites: _Sites, down: _Down, up: _Up, single: NDArray[np.bool_]
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
