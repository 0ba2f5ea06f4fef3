"""The ancestry of a sample on one block: crossovers at any base, all demes models.

Lineages are followed back from the sample. The recent generations are discrete, in a Wright-Fisher
model of people: a haplotype comes from one person, and the parts that a crossover divides are on
that person's two haplotypes. This is what msprime calls DTWF (Nelson et al. 2020,
doi:10.1371/journal.pgen.1008619). When little happens in a generation, Hudson's coalescent in
continuous time goes on, which is the same where lineages are few among many people.

A node is written where two lineages with bases in common meet. It then is above all that its
lineage carries, also where only one child lies below it: this makes fewer edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import demes
import msprime
import numpy as np
import tskit

from rehearsal.demography.periods import Period, periods
from rehearsal.errors import mismatch
from rehearsal.genomes import generations_kernel, hudson_kernel
from rehearsal.genomes.generations_kernel import Parents
from rehearsal.genomes.lineages_kernel import (
    CHILD,
    EDGES,
    LEFT,
    NODES,
    NONE,
    PARENT,
    PLACE,
    RIGHT,
    SEGMENTS,
    Record,
)
from rehearsal.genomes.root_kernel import drop_single, ends_of, lower_roots

LEAST_GENERATIONS = 100  # that are discrete
EVENTS = 0.05  # per lineage and generation: below this, continuous time is faster
FEW = 200  # lineages, for which both are fast
SEARCH = 50  # generations between searches for bases with a root


@dataclass(frozen=True, slots=True)
class Ancestry:
    """Nodes and edges over ``[0, length)``. At every base all samples have one root.

    The first nodes are the samples, in the order in which they were given.
    """

    time: np.ndarray  # (n_nodes,) generations ago
    deme: np.ndarray  # (n_nodes,) int32, index of the deme
    left: np.ndarray  # (n_edges,) int32, first base
    right: np.ndarray  # (n_edges,) int32, the first base after it
    parent: np.ndarray  # (n_edges,) int32
    child: np.ndarray  # (n_edges,) int32


def simulate_ancestry(
    sample_demes: np.ndarray,
    time: int,
    graph: demes.Graph,
    recombination: msprime.RateMap,
    seed: int,
    size_factor: float = 1.0,
) -> Ancestry:
    """Simulate the ancestry of haplotypes.

    Args:
        sample_demes: The deme of each sample as its index in the model, shape (n_samples,).
        time: When they live, in generations ago.
        graph: The model, in generations.
        recombination: The map, in Morgans per base, from base 0 to the length of the sequence.
        seed: Seed of the draws. The same arguments give the same ancestry.
        size_factor: Factor of all sizes of the model.

    Returns:
        The ancestry.

    Raises:
        ValueError: Samples have no ancestors in common.
    """
    history = list(periods(graph))[::-1]  # from the present
    walk = _Walk(sample_demes, time, recombination, seed)
    if walk.number == 1:
        walk.drop_rooted()
    _follow_generations(walk, history, size_factor)
    while walk.number:
        _follow_continuously(walk, history, size_factor)
    return walk.ancestry()


def as_trees(found: Ancestry, samples: int, length: int) -> tskit.TreeSequence:
    """Make a tree sequence of an ancestry alone.

    Args:
        found: The ancestry.
        samples: The number of its samples.
        length: The length of the sequence in bases.

    Returns:
        The trees. Populations are demes, without names.
    """
    tables = tskit.TableCollection(length)
    for _ in range(found.deme.max() + 1):
        tables.populations.add_row()
    flags = np.zeros(len(found.time), np.uint32)
    flags[:samples] = tskit.NODE_IS_SAMPLE
    tables.nodes.set_columns(flags=flags, time=found.time, population=found.deme)
    tables.edges.set_columns(
        left=found.left, right=found.right, parent=found.parent, child=found.child
    )
    tables.sort()
    return tables.tree_sequence()


class _Walk:
    """Lineages on their way back, and all that was written."""

    def __init__(
        self, sample_demes: np.ndarray, time: float, recombination: msprime.RateMap, seed: int
    ) -> None:
        n, length = len(sample_demes), int(recombination.sequence_length)
        every, none = np.arange(n, dtype=np.int32), np.full(n, NONE, np.int32)
        deme = sample_demes.astype(np.int32)
        position = np.array(recombination.position, float)
        self.record = Record(
            segments=np.column_stack([0 * every, 0 * every + length, every, none]),
            nodes=np.column_stack([deme, none]),
            time=np.full(n, float(time)),
            edges=np.empty((0, 5), np.int32),
            counts=np.array([NONE, n, n, 0]),
            random=np.random.default_rng(seed).integers(0, 2**64, 1, np.uint64),
            position=position,
            morgans=recombination.get_cumulative_mass(position),
        )
        self.lineages = np.column_stack([every, deme])
        self.morgans = np.full(n, -1.0)
        self.number = n
        self.time = float(time)
        self.period = 0

    def make_room(self, segments: int, nodes: int, edges: int) -> None:
        """Make room for so many more of each."""
        record, counts = self.record, self.record.counts
        self.record = record._replace(
            segments=_longer(record.segments, counts[SEGMENTS] + segments),
            nodes=_longer(record.nodes, counts[NODES] + nodes),
            time=_longer(record.time, counts[NODES] + nodes),
            edges=_longer(record.edges, counts[EDGES] + edges),
        )

    def measure(self) -> float:
        """Measure all lineages. Returns their sum in Morgans."""
        return generations_kernel.measure(self.number, self.lineages, self.morgans, self.record)

    def by_deme(self, demes: int) -> np.ndarray:
        """Count lineages by deme."""
        return np.bincount(self.lineages[: self.number, PLACE], minlength=demes)

    def enter(self, period: int, move: np.ndarray) -> None:
        """Begin an older period: lineages move to the demes from which theirs came."""
        self.period = period
        place = self.lineages[: self.number, PLACE]
        moving = np.flatnonzero(np.diagonal(move)[place] < 1)
        if len(moving):
            rng = np.random.default_rng(self.record.random.copy())
            shares = np.cumsum(move, axis=1)
            drawn = rng.random(len(moving)) * shares[place[moving], -1]
            for deme in np.unique(place[moving]):
                own = place[moving] == deme
                place_of = np.searchsorted(shares[deme], drawn[own], side="right")
                place[moving[own]] = place_of
            self.record.random[0] = rng.integers(0, 2**64, dtype=np.uint64)

    def drop_rooted(self) -> None:
        """Drop the bases that one lineage has and no other: they have their root."""
        counts = self.record.counts
        ends = np.empty(2 * counts[SEGMENTS], np.int64)
        ends = ends[: ends_of(self.number, self.lineages, ends, self.record)]
        ends.sort()
        depth = np.cumsum(2 * (ends & 1) - 1)
        base = ends >> 1
        alone = np.flatnonzero((depth[:-1] == 1) & (base[:-1] < base[1:]))
        if not len(alone):
            return
        single = np.column_stack([base[alone], base[alone + 1]])
        self.make_room(len(single), 0, len(single))
        roots = np.empty((2 * len(single) + 64, 3), np.int32)
        self.number = drop_single(
            self.number, self.lineages, self.morgans, single, roots, self.record
        )
        left = len(single)
        while left := lower_roots(left, roots, self.record):
            roots = _longer(roots, left + 64)
            self.make_room(0, 0, left + 64)

    def ancestry(self) -> Ancestry:
        """Return what was written."""
        record, n_edges = self.record, self.record.counts[EDGES]
        edges = record.edges[:n_edges]
        edges = edges[edges[:, LEFT] < edges[:, RIGHT]]
        n_nodes = record.counts[NODES]
        columns = (edges[:, column].copy() for column in (LEFT, RIGHT, PARENT, CHILD))
        return Ancestry(record.time[:n_nodes], record.nodes[:n_nodes, 0].copy(), *columns)


def _longer(array: np.ndarray, size: int) -> np.ndarray:
    if size <= len(array):
        return array
    longer = np.empty((3 * size // 2 + 16, *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


def _people(period: Period, time: float, factor: float) -> np.ndarray:
    """Return the sizes of the demes at a time within a period, 0 for those that do not exist."""
    people = np.where(np.isfinite(period.end_sizes), period.end_sizes, 0) * factor
    return people * np.exp(-_growth(period) * (time - period.end))


def _growth(period: Period) -> np.ndarray:
    """Return the e-folds per generation of each deme, towards the present."""
    exists = np.isfinite(period.end_sizes) & np.isfinite(period.start)
    sizes = np.where(exists, [period.start_sizes, period.end_sizes], 1.0)
    return np.log(sizes[1] / sizes[0]) / (period.start - period.end)


def _leaving(period: Period) -> tuple[np.ndarray, np.ndarray]:
    """Return the rates at which lineages leave each deme, in all and to each other one."""
    rates = period.generator.copy()
    np.fill_diagonal(rates, 0.0)
    return rates.sum(axis=1), rates


def _follow_generations(walk: _Walk, history: Sequence[Period], factor: float) -> None:
    """Follow lineages in discrete generations, until continuous time is faster."""
    none = np.empty(0, np.int32)
    room = Parents(np.empty((0, 2), np.int32), np.empty(0), np.empty(0, np.int64), none, none)
    begin, steps = walk.time, 0
    rates = _leaving(history[walk.period])
    while walk.number:
        while history[walk.period].start <= walk.time + 1:
            walk.enter(walk.period + 1, history[walk.period + 1].move)
            rates = _leaving(history[walk.period])
        people = _people(history[walk.period], walk.time + 1, factor)
        morgans = walk.measure()
        enough = walk.time - begin >= LEAST_GENERATIONS
        if enough and _little_happens(walk, people, morgans, rates[0]):
            return
        walk.time += 1
        haplotypes = np.where(people > 0, 2 * np.maximum(np.rint(people), 1), 0).astype(np.int64)
        generation = generations_kernel.Generation(
            float(walk.time), np.cumsum(haplotypes) - haplotypes, haplotypes, *rates
        )
        room = _step_back(walk, generation, morgans, room)
        steps += walk.number
        if steps > SEARCH * walk.number:
            walk.drop_rooted()
            steps = 0


def _little_happens(walk: _Walk, people: np.ndarray, morgans: float, leaving: np.ndarray) -> bool:
    if walk.number < FEW:
        return True
    count = walk.by_deme(len(people))
    pairs = count * (count - 1) / 4
    meeting = np.divide(pairs, people, out=np.zeros(len(people)), where=count > 0)
    return float(morgans + meeting.sum() + count @ leaving) < EVENTS * walk.number


def _step_back(
    walk: _Walk, generation: generations_kernel.Generation, morgans: float, room: Parents
) -> Parents:
    """Follow lineages to their parents. Returns room for the next generation."""
    crossovers = int(morgans + 20 * np.sqrt(morgans) + 100)  # more are as good as impossible
    size = walk.number + crossovers
    walk.make_room(crossovers, size, walk.record.counts[SEGMENTS] + crossovers)
    slots = 1 << max(10, int(2 * size - 1).bit_length())
    parents = Parents(
        _longer(room.lineages, size), _longer(room.morgans, size), _longer(room.haplotype, size),
        _longer(room.node, size),
        room.table if len(room.table) == slots else np.empty(slots, np.int32),
    )  # fmt: skip
    parents.table.fill(NONE)
    number = generations_kernel.step_back(
        walk.number, walk.lineages, walk.morgans, generation, parents, walk.record
    )
    after = parents._replace(lineages=walk.lineages, morgans=walk.morgans)
    walk.number, walk.lineages, walk.morgans = number, parents.lineages, parents.morgans
    return after


def _follow_continuously(walk: _Walk, history: Sequence[Period], factor: float) -> None:
    """Follow lineages in continuous time for about five events each, or to the end of a period."""
    walk.drop_rooted()
    n, now = walk.number, history[walk.period]
    if not n:
        return
    walk.measure()
    size = 1 << max(6, (2 * n + 2).bit_length())
    walk.lineages, walk.morgans = _longer(walk.lineages, size), _longer(walk.morgans, size)
    sums = np.zeros(size)
    hudson_kernel.sum_up(n, walk.morgans, sums)
    walk.make_room(n + 64, n + 64, walk.record.counts[SEGMENTS] + 8 * n + 1024)
    people = np.where(np.isfinite(now.end_sizes), now.end_sizes, 0) * factor
    period = hudson_kernel.Period(
        float(now.start), float(now.end), people, _growth(now), *_leaving(now)
    )
    walk.number, walk.time = hudson_kernel.follow_events(
        n, walk.time, max(200, 5 * n), period, walk.lineages, walk.morgans, sums,
        walk.by_deme(len(people)), walk.record,
    )  # fmt: skip
    if np.isinf(walk.time):
        raise ValueError(mismatch("demography", "common ancestors of all samples", "none"))
    if walk.time >= now.start:
        walk.enter(walk.period + 1, history[walk.period + 1].move)
