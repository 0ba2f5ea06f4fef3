"""Crossovers at any base, simulated at few places.

msprime's time grows with the number of places where recombination can happen, so a block is
simulated with all recombination of a short interval at one point (:func:`draw_points`). Afterwards
each crossover moves to a base of its own within the interval, drawn from the map
(:func:`spread_crossovers`).

The ancestry has every node over all that it is an ancestor of, also where only one child lies below
it. Then a crossover changes the parent of one node only, and nodes move independently. What begins
or ends because a crossover below or above it does moves along with it, so that at every base all
samples have one root.

What is neglected: a lineage that has just recombined in an interval cannot recombine in the same
interval again before it meets the other half. Intervals are so short that this is rare.
"""

from __future__ import annotations

from dataclasses import dataclass

import msprime
import numpy as np

from rehearsal.errors import InputError
from rehearsal.genomes.ancestry import Ancestry
from rehearsal.genomes.crossover_points_kernel import (
    EdgesAtPoints,
    Gaps,
    Here,
    move_ends,
    ranges_of,
)
from rehearsal.genomes.recombination import covers
from rehearsal.genomes.root_join_kernel import join_roots
from rehearsal.model import Block
from rehearsal.seeds import derive_seed

MORGANS_PER_POINT = 1.5e-5  # at most about this much recombination at one point
BASES_PER_POINT = 3_000  # and at most about so many bases


@dataclass(frozen=True, slots=True)
class Points:
    """The intervals of a block whose recombination is simulated at one point each.

    Positions are relative to the block. A crossover at base x separates x - 1 from x.
    """

    edges: np.ndarray  # (n + 1,) int64, borders of the intervals, from 1 to the block's length
    mass: np.ndarray  # (n + 1,) Morgans from the block's start to each border
    recombination: msprime.RateMap  # the block's own map, not concentrated

    def concentrated(self) -> msprime.RateMap:
        """Build the map that has all recombination of an interval at its first base.

        Returns:
            A map over the block with the same total, except for that of its first base, before
            which nothing can recombine.
        """
        first, length = self.edges[:-1], self.edges[-1]
        position = np.unique(np.concatenate(([0, length], first, first + 1)))
        rate = np.zeros(len(position) - 1)
        rate[np.searchsorted(position, first)] = np.diff(self.mass)
        return msprime.RateMap(position=position, rate=rate)


def draw_points(block: Block, contig_map: msprime.RateMap, seed: int) -> Points:
    """Divide a block into intervals of little recombination at random places.

    Args:
        block: The block, 0-based half-open.
        contig_map: Map of the whole contig, in Morgans per base.
        seed: The run's root seed.

    Returns:
        The intervals.

    Raises:
        InputError: The map does not cover the block.
    """
    if not covers(contig_map, block):
        expected = f"a map that covers the block {block.region}"
        raise InputError("recombination map", block.contig, expected, "bases without a rate")
    own = contig_map.slice(block.start, block.end, trim=True)
    rng = np.random.default_rng(derive_seed(seed, "crossover points", block.id))
    along = own.position / BASES_PER_POINT
    if own.total_mass > 0:
        along = along + own.get_cumulative_mass(own.position) / MORGANS_PER_POINT
    number = int(along[-1])
    cuts = np.arange(number) + rng.random(number)
    inner = np.interp(cuts, along, own.position).astype(np.int64)
    edges = np.unique(np.clip(np.append(inner, [1, block.length]), 1, block.length))
    return Points(edges, own.get_cumulative_mass(edges), own)


def spread_crossovers(
    ancestry: Ancestry, points: Points, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Move each crossover of an ancestry to a base of its own within its interval.

    Args:
        ancestry: The ancestry of a block, simulated with ``points.concentrated()`` (times a
            factor).
        points: The intervals.
        seed: Seed of the draws.

    Returns:
        Left end, right end, parent and child of each edge, in no order, shape (n_edges,). At every
        base all samples have one root.
    """
    first = points.edges[:-1]
    tree = _at_points(ancestry, first)
    drawn = _drawn(points, tree.left_point, np.random.default_rng(seed))
    here = Here(*np.full((7, len(first)), -1))
    gaps = _no_gaps(len(tree.left))
    move_ends(tree, drawn, np.argsort(ancestry.time, kind="stable"), here, gaps)
    changes = np.searchsorted(first, ancestry.changes)
    joined = join_roots(tree, changes, ancestry.roots, gaps)
    behind = _split_at_gaps(tree, gaps)
    older = ancestry.time[joined[:, 2]] > ancestry.time[joined[:, 3]]
    one, other = joined[:, 2], joined[:, 3]
    return (
        np.concatenate([tree.left, behind[0], joined[:, 0]]),
        np.concatenate([tree.right, behind[1], joined[:, 1]]),
        np.concatenate([tree.parent, behind[2], np.where(older, one, other)]).astype(np.int32),
        np.concatenate([tree.child, behind[3], np.where(older, other, one)]).astype(np.int32),
    )


def _at_points(ancestry: Ancestry, first: np.ndarray) -> EdgesAtPoints:
    """List the edges of an ancestry with the points at their ends, and the edges of each node."""
    left, right = ancestry.left.copy(), ancestry.right.copy()
    by_child = np.lexsort((left, ancestry.child))
    nodes = len(ancestry.time)
    return EdgesAtPoints(
        left=left,
        right=right,
        parent=ancestry.parent,
        child=ancestry.child,
        left_point=np.where(left == 0, -1, np.searchsorted(first, left)).astype(np.int32),
        right_point=np.searchsorted(first, right).astype(np.int32),
        by_child=by_child,
        above=ranges_of(ancestry.child, by_child, nodes),
        below=ranges_of(ancestry.parent, np.arange(len(left)), nodes),
    )


def _no_gaps(edges: int) -> Gaps:
    """Make room for gaps. Memory that is not used is not taken."""
    following, edge, point, start, stop = (np.empty(edges, np.int64) for _ in range(5))
    number = np.zeros(1, np.int64)
    return Gaps(np.full(edges, -1), following, edge, point, start, stop, number)


def _split_at_gaps(tree: EdgesAtPoints, gaps: Gaps) -> tuple[np.ndarray, ...]:
    """End the edges with gaps at their first gap; return the parts behind the gaps."""
    number = gaps.number[0]
    real = np.flatnonzero(gaps.start[:number] < gaps.stop[:number])
    order = real[np.lexsort((gaps.start[real], gaps.edge[real]))]
    edge, start, stop = gaps.edge[order], gaps.start[order], gaps.stop[order]
    same = np.append(edge[1:] == edge[:-1], False)[: len(edge)]
    right = np.where(same, np.append(start[1:], 0)[: len(edge)], tree.right[edge])
    opening = ~np.append(False, same[:-1])[: len(edge)]
    tree.right[edge[opening]] = start[opening]
    return stop, right, tree.parent[edge], tree.child[edge]


def _drawn(points: Points, point: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a base from the map within the interval of each point. -1 means no point."""
    if len(points.edges) < 2:  # a block of one base has no place for a crossover
        return np.full(len(point), -1)
    recombination, index = points.recombination, np.maximum(point, 0)
    low, high = points.mass[index], points.mass[index + 1]
    mass = low + rng.random(len(point)) * (high - low)
    cumulative = recombination.get_cumulative_mass(recombination.position)
    place = np.interp(mass, cumulative, recombination.position).astype(np.int64)
    return np.clip(place, points.edges[index], points.edges[index + 1] - 1)
