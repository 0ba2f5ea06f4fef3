"""The ancestry of the founders on one block: recent generations of people, then msprime.

msprime goes on from the lineages that the recent generations leave. It needs a tree sequence in
which each of them is a root wherever it has segments. A small one is made for it
(:func:`hand_over`), because msprime reads a large one slowly.
"""

from __future__ import annotations

from dataclasses import dataclass

import msprime
import numpy as np
import tskit

from rehearsal.genomes.hand_over_kernel import assign_leaves
from rehearsal.genomes.recent_generations import (
    Lineages,
    RecentAncestry,
    simulate_recent_generations,
)
from rehearsal.seeds import derive_seed


@dataclass(frozen=True, slots=True)
class Ancestry:
    """Nodes and edges over ``[0, length)``. At every base all samples have one root.

    The first nodes are the samples.
    """

    time: np.ndarray  # (n_nodes,) generations ago
    population: np.ndarray  # (n_nodes,) int32
    left: np.ndarray  # (n_edges,) int64, first base
    right: np.ndarray  # (n_edges,) int64, the first base after it
    parent: np.ndarray  # (n_edges,) int32, edges are grouped by it
    child: np.ndarray  # (n_edges,) int32
    changes: np.ndarray  # (n_roots - 1,) int64, ascending places where the root may change
    roots: np.ndarray  # (n_roots,) int32, the root up to each of these places, and after the last

    @classmethod
    def of(cls, ts: tskit.TreeSequence) -> Ancestry:
        """Read the ancestry from a tree sequence.

        Args:
            ts: The tree sequence. Its samples are its first nodes, and its trees have one root.

        Returns:
            The ancestry.
        """
        return cls(
            ts.nodes_time,
            ts.nodes_population,
            ts.edges_left.astype(np.int64),
            ts.edges_right.astype(np.int64),
            ts.edges_parent,
            ts.edges_child,
            ts.breakpoints(as_array=True)[1:-1].astype(np.int64),
            np.array([tree.root for tree in ts.trees()], np.int32),
        )


def simulate_ancestry(
    samples: np.ndarray,
    time: int,
    demography: msprime.Demography,
    recombination: msprime.RateMap,
    seed: int,
) -> Ancestry:
    """Simulate the ancestry of haplotypes.

    Args:
        samples: The population of each sample as its number in the model, shape (n_samples,).
        time: When they live, in generations ago.
        demography: The model. Its people are diploid.
        recombination: The map, in Morgans per base, from base 0 to the length of the sequence.
        seed: Seed of the draws. The same arguments give the same ancestry.

    Returns:
        The ancestry. A crossover changes the parent of one node only, because nodes are above all
        that they are ancestors of, also where only one child lies below them.
    """
    recent = simulate_recent_generations(
        samples, time, demography, recombination, derive_seed(seed, "recent generations")
    )
    ts = msprime.sim_ancestry(
        initial_state=hand_over(recent.lineages, int(recombination.sequence_length), demography),
        start_time=recent.lineages.time,
        demography=demography,
        recombination_rate=recombination,
        coalescing_segments_only=False,  # nodes are above all that they are ancestors of
        ploidy=2,  # sets the time scale
        random_seed=derive_seed(seed, "older generations"),
        record_provenance=False,
    )
    return _joined(recent, Ancestry.of(ts), ts.num_samples)


def hand_over(
    lineages: Lineages, length: int, demography: msprime.Demography
) -> tskit.TableCollection:
    """Make tables in which lineages are the roots, for ``msprime.sim_ancestry(initial_state=...)``.

    Below each lineage hang leaves, which stand for all samples. A leaf changes to the next lineage
    where one ends, and hangs below any lineage where it is not needed.

    Args:
        lineages: The lineages. At every base there is one.
        length: The length of the sequence.
        demography: The model.

    Returns:
        The tables. The first nodes are the leaves, which are samples; then come the lineages in
        their order.
    """
    segments = lineages.segments[np.lexsort((lineages.segments[:, 2], lineages.segments[:, 0]))]
    leaf, leaves = assign_leaves(segments, np.argsort(segments[:, 1], kind="stable"))
    spare_leaf, spare = _spare_leaves(segments, leaf, leaves, length)
    tables = tskit.TableCollection(length)
    tables.time_units = "generations"
    demography.insert_populations(tables)
    number = len(lineages.node)
    sample, none = np.full(leaves, tskit.NODE_IS_SAMPLE), np.zeros(number)
    tables.nodes.set_columns(
        flags=np.concatenate([sample, none]).astype(np.uint32),
        time=np.repeat([lineages.time - 1, lineages.time], [leaves, number]),
        population=np.concatenate([np.zeros(leaves, np.int32), lineages.population]),
    )
    left, right, lineage = np.concatenate([segments, spare]).T
    tables.edges.set_columns(
        left=left.astype(float),
        right=right.astype(float),
        parent=(leaves + lineage).astype(np.int32),
        child=np.concatenate([leaf, spare_leaf]).astype(np.int32),
    )
    tables.sort()
    return tables


def _spare_leaves(
    segments: np.ndarray, leaf: np.ndarray, leaves: int, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """List the leaf and the segment of lineages below which leaves hang that are not needed."""
    cover = np.array(_cover(segments, length))  # (n, 3): segments that touch
    by_leaf = np.lexsort((segments[:, 0], leaf))
    first = np.searchsorted(leaf[by_leaf], np.arange(leaves))
    begin = np.insert(segments[by_leaf, 1], first, 0)  # each leaf's parts between its segments
    end = np.insert(segments[by_leaf, 0], np.append(first[1:], len(leaf)), length)
    owner = np.insert(leaf[by_leaf], first, np.arange(leaves))
    empty = begin < end
    begin, end, owner = begin[empty], end[empty], owner[empty]
    low = np.searchsorted(cover[:, 0], begin, side="right") - 1
    pieces = np.searchsorted(cover[:, 0], end, side="left") - low
    part = np.repeat(np.arange(len(begin)), pieces)
    k = low[part] + np.arange(len(part)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    left, right = np.maximum(cover[k, 0], begin[part]), np.minimum(cover[k, 1], end[part])
    return owner[part], np.column_stack([left, right, cover[k, 2]])


def _cover(segments: np.ndarray, length: int) -> list[tuple[int, int, int]]:
    """Choose few segments, sorted by left end, that cover all bases; each up to the next one."""
    furthest = np.maximum.accumulate(segments[:, 1])
    found, base = [], 0
    while base < length:
        last = np.searchsorted(segments[:, 0], base, side="right")
        k = np.searchsorted(furthest[:last], furthest[last - 1])  # the first one that gets so far
        found.append((base, int(segments[k, 1]), int(segments[k, 2])))
        base = int(segments[k, 1])
    return found


def _joined(recent: RecentAncestry, older: Ancestry, leaves: int) -> Ancestry:
    """Join the recent ancestry with that of its lineages, which follow the leaves in ``older``."""
    lineages = recent.lineages.node
    new = leaves + len(lineages)  # the first node of older generations
    renumbered = np.concatenate(
        [np.full(leaves, -1), lineages, len(recent.time) + np.arange(len(older.time) - new)]
    ).astype(np.int32)
    own = older.child >= leaves  # not those of hand_over
    left, right, parent, child = recent.edges.T
    return Ancestry(
        np.concatenate([recent.time, older.time[new:]]),
        np.concatenate([recent.population, older.population[new:]]),
        np.concatenate([left, older.left[own]]),
        np.concatenate([right, older.right[own]]),
        np.concatenate([parent, renumbered[older.parent[own]]]),
        np.concatenate([child, renumbered[older.child[own]]]),
        older.changes,
        renumbered[older.roots],
    )
