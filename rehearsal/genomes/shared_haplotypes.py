"""Carriers of a planted variant who share one founder's haplotype around it.

The carriers' haplotypes meet in one ancestor who lived a given number of generations ago. Around
the variant each of them has kept a stretch of the ancestor's haplotype: to either side up to the
first crossover in the generations since, at an exponential distance whose mean is one Morgan
divided by these generations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import msprime
import numpy as np
import tskit

Edges = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # left, right, parent, child


@dataclass(frozen=True)
class Genealogy:
    """Nodes and edges over a block, 0-based from its start. The first nodes are the samples."""

    time: np.ndarray  # (n_nodes,) generations ago
    population: np.ndarray  # (n_nodes,) int32
    edges: Edges
    samples: int

    def tables(self, length: float) -> tskit.TableCollection:
        """Build sorted tables, without populations.

        Args:
            length: Length of the block.
        """
        tables = tskit.TableCollection(length)
        flags = np.zeros(len(self.time), np.uint32)
        flags[: self.samples] = tskit.NODE_IS_SAMPLE
        tables.nodes.set_columns(flags=flags, time=self.time)
        left, right, parent, child = self.edges
        tables.edges.set_columns(
            left=left, right=right, parent=parent.astype(np.int32), child=child.astype(np.int32)
        )
        tables.sort()
        return tables


def share_haplotypes(
    genealogy: Genealogy,
    carriers: Sequence[tuple[int, Sequence[int]]],
    age: float,
    recombination: msprime.RateMap,
    rng: np.random.Generator,
) -> Genealogy:
    """Let the carriers of each variant descend from one haplotype.

    The ancestor's own ancestry is that of a person who does not carry the variant, of the first
    carrier's population where there is one.

    Args:
        genealogy: The founders' genealogy.
        carriers: For each variant, its position in the block and the samples that carry it.
        age: When the ancestor lived, in generations ago.
        recombination: Map of the block, in Morgans per base.
        rng: Source of random numbers.

    Returns:
        The changed genealogy, without nodes that no sample descends from.
    """
    several = [(position, nodes) for position, nodes in carriers if len(nodes) > 1]
    for position, nodes in several:
        genealogy = _joined(genealogy, position, nodes, age, recombination, rng)
    if not several:
        return genealogy
    tables = genealogy.tables(recombination.sequence_length)
    kept = tables.simplify(np.arange(genealogy.samples), keep_unary=True)
    population = np.empty(len(tables.nodes), np.int32)
    population[kept[kept >= 0]] = genealogy.population[kept >= 0]
    edges = tables.edges
    ends = edges.left.astype(np.int64), edges.right.astype(np.int64)
    return Genealogy(
        tables.nodes.time, population, (*ends, edges.parent, edges.child), genealogy.samples
    )


def kept_stretch(
    position: int, generations: float, recombination: msprime.RateMap, rng: np.random.Generator
) -> tuple[int, int]:
    """Draw the stretch around a position that no crossover has separated from it.

    Args:
        position: 0-based position in the block.
        generations: Number of meioses.
        recombination: Map of the block, in Morgans per base.
        rng: Source of random numbers.

    Returns:
        The stretch, 0-based half-open; it ends where the block ends.
    """
    mass = np.append(0, np.cumsum(np.nan_to_num(recombination.mass)))
    here = float(np.interp(position + 0.5, recombination.position, mass))
    before, after = rng.exponential(1 / generations, 2)
    left, right = 0, int(recombination.sequence_length)
    if before < here:
        left = int(np.interp(here - before, mass, recombination.position))
    if after < mass[-1] - here:
        right = int(np.ceil(np.interp(here + after, mass, recombination.position)))
    return min(left, position), max(right, position + 1)


def _joined(
    genealogy: Genealogy,
    position: int,
    nodes: Sequence[int],
    age: float,
    recombination: msprime.RateMap,
    rng: np.random.Generator,
) -> Genealogy:
    """Add the ancestor of some samples, and let them descend from it around a position."""
    time, edges = genealogy.time, genealogy.edges
    founder, oldest = len(time), len(time) + 1
    stretches = [kept_stretch(position, age - time[node], recombination, rng) for node in nodes]
    span = min(left for left, _ in stretches), max(right for _, right in stretches)
    model = _model_of(genealogy, nodes, rng)
    ts = genealogy.tables(recombination.sequence_length).tree_sequence()
    added = []
    for left, right, parent, root in _ancestors(ts, model, age, span):
        added.append((left, right, oldest if parent == tskit.NULL else parent, founder))
        if parent == tskit.NULL:  # all samples have met after the ancestor lived
            added.append((left, right, oldest, root))
    for node, (left, right) in zip(nodes, stretches, strict=True):
        edges = _without(edges, node, left, right)
        added.append((left, right, founder, node))
    new = np.array(added).T
    own = genealogy.population[nodes[0]]
    return Genealogy(
        np.append(time, [age, max(age, time.max()) + 1]),
        np.append(genealogy.population, [own, own]),
        (
            np.append(edges[0], new[0]),
            np.append(edges[1], new[1]),
            np.append(edges[2], new[2]),
            np.append(edges[3], new[3]),
        ),
        genealogy.samples,
    )


def _model_of(genealogy: Genealogy, nodes: Sequence[int], rng: np.random.Generator) -> int:
    """Choose the sample whose ancestry the ancestor has."""
    others = np.setdiff1d(np.arange(genealogy.samples), nodes)
    near = others[genealogy.population[others] == genealogy.population[nodes[0]]]
    choice = near if len(near) else others
    return int(rng.choice(choice)) if len(choice) else int(nodes[0])


def _ancestors(
    ts: tskit.TreeSequence, sample: int, age: float, span: tuple[int, int]
) -> Iterator[tuple[int, int, int, int]]:
    """Yield stretches of a span, the sample's first ancestor before ``age``, and its root if none.

    Ancestor and root are -1 where there is none or where it is not needed.
    """

    def of_trees() -> Iterator[tuple[int, int, int, int]]:
        tree = ts.at(span[0])
        while tree.index >= 0 and tree.interval.left < span[1]:
            last, above = tskit.NULL, sample
            while above != tskit.NULL and ts.nodes_time[above] <= age:
                last, above = above, tree.parent(above)
            ends = max(int(tree.interval.left), span[0]), min(int(tree.interval.right), span[1])
            yield *ends, above, last if above == tskit.NULL else tskit.NULL
            if not tree.next():
                break

    for (parent, root), group in groupby(of_trees(), key=lambda one: one[2:]):
        stretches = list(group)
        yield stretches[0][0], stretches[-1][1], parent, root


def _without(edges: Edges, child: int, start: int, end: int) -> Edges:
    """Cut a stretch out of the edges above a node."""
    left, right, parent, node = edges
    cut = (node == child) & (left < end) & (right > start)
    before, after = cut & (left < start), cut & (right > end)

    def joined(kept: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.concatenate([kept[~cut], first, second])

    return (
        joined(left, left[before], np.full(after.sum(), end)),
        joined(right, np.full(before.sum(), start), right[after]),
        joined(parent, parent[before], parent[after]),
        joined(node, node[before], node[after]),
    )
