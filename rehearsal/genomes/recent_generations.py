"""The recent generations of a sample's ancestry, in a Wright-Fisher model of people.

A haplotype comes from one person, and the parts that a crossover divides are on that person's two
haplotypes. This is what msprime calls DTWF (Nelson et al. 2020,
doi:10.1371/journal.pgen.1008619). ``ancestry`` lets msprime go on from the lineages that are left,
when they are few among many people and both models say the same.

Most lineages of a large sample end here, and compiled code follows them faster than msprime does.

A node is written where two lineages with bases in common meet. It then is above all that its
lineage carries, also where only one child lies below it (``crossover_points`` needs this).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msprime
import numpy as np
from msprime.demography import Admixture, Epoch, MassMigration, PopulationSplit

from rehearsal.genomes.generations_kernel import Generation, Parents, measure, step_back
from rehearsal.genomes.lineages_kernel import (
    BASES,
    DEME,
    EDGES,
    NODES,
    NONE,
    PLACE,
    SEGMENTS,
    Record,
    end_lineages,
    grouped_edges,
    list_segments,
)
from rehearsal.genomes.root_kernel import drop_single, ends_of

LEAST_GENERATIONS = 100
EVENTS = 0.05  # per lineage and generation: below this, continuous time is faster
# Mean number of lineages at a base. With so few, msprime goes on. With more, no base has its root.
LEAST_DEPTH = 50.0


@dataclass(frozen=True, slots=True)
class Lineages:
    """The lineages that are left after the recent generations, and the roots of bases without any.

    A root counts as a lineage, the only one at its bases.
    """

    time: float  # generations ago
    node: np.ndarray  # (n_lineages,) int32, the youngest node above all that each carries
    population: np.ndarray  # (n_lineages,) int32, where each is
    # (n_segments, 3) int32: first base, the first base after it, and the lineage's index
    segments: np.ndarray


@dataclass(frozen=True, slots=True)
class RecentAncestry:
    """Nodes and edges of the recent generations. The first nodes are the samples in their order."""

    time: np.ndarray  # (n_nodes,) generations ago
    population: np.ndarray  # (n_nodes,) int32
    edges: np.ndarray  # (n_edges, 4) int32: left, right, parent, child; grouped by parent
    lineages: Lineages


def simulate_recent_generations(
    samples: np.ndarray,
    time: int,
    demography: msprime.Demography,
    recombination: msprime.RateMap,
    seed: int,
) -> RecentAncestry:
    """Simulate the recent ancestry of haplotypes.

    Args:
        samples: The population of each sample as its number in the model, shape (n_samples,).
        time: When they live, in generations ago.
        demography: The model.
        recombination: The map, in Morgans per base, from base 0 to the length of the sequence.
        seed: Seed of the draws. The same arguments give the same ancestry.

    Returns:
        The ancestry.
    """
    walk = _Walk(samples.astype(np.int32), time, recombination, seed)
    _follow_generations(walk, demography)
    return walk.ended()


class _Walk:
    """Lineages on their way back, and all that was written."""

    def __init__(
        self, samples: np.ndarray, time: float, recombination: msprime.RateMap, seed: int
    ) -> None:
        n, self.length = len(samples), int(recombination.sequence_length)
        every, none = np.arange(n, dtype=np.int32), np.full(n, NONE, np.int32)
        position = np.array(recombination.position, float)
        self.record = Record(
            segments=np.column_stack([0 * every, 0 * every + self.length, every, none]),
            nodes=np.column_stack([samples, none]),
            time=np.full(n, float(time)),
            edges=np.empty((0, 5), np.int32),
            counts=np.array([NONE, n, n, 0, n * self.length]),
            random=np.random.default_rng(seed).integers(0, 2**64, 1, np.uint64),
            position=position,
            morgans=recombination.get_cumulative_mass(position),
        )
        self.lineages = np.column_stack([every, samples])
        self.morgans = np.full(n, -1.0)
        self.number = n
        self.roots = np.empty((0, 3), np.int32)  # first base, the first base after it, and node
        self.time = float(time)

    def depth(self) -> float:
        """Return the mean number of lineages at a base."""
        return float(self.record.counts[BASES] / self.length)

    def make_room(self, segments: int, nodes: int, edges: int) -> None:
        """Make room for so many more of each."""
        record, counts = self.record, self.record.counts
        self.record = record._replace(
            segments=_longer(record.segments, counts[SEGMENTS] + segments),
            nodes=_longer(record.nodes, counts[NODES] + nodes),
            time=_longer(record.time, counts[NODES] + nodes),
            edges=_longer(record.edges, counts[EDGES] + edges),
        )

    def pass_events(self, epoch: Epoch) -> None:
        """Move lineages between populations where an older epoch begins: splits and admixtures."""
        rng = np.random.default_rng(self.record.random.copy())
        place = self.lineages[: self.number, PLACE]
        for source, targets, shares in _movements(epoch):
            moving = np.flatnonzero(place == source)
            place[moving] = rng.choice(targets, len(moving), p=shares)
        self.record.random[0] = rng.integers(0, 2**64, dtype=np.uint64)

    def drop_rooted(self) -> None:
        """Drop the bases that one lineage has and no other: they have their root."""
        ends = np.empty(2 * self.record.counts[SEGMENTS], np.int64)
        ends = ends[: ends_of(self.number, self.lineages, ends, self.record)]
        ends.sort()
        depth, base = np.cumsum(2 * (ends & 1) - 1), ends >> 1
        alone = np.flatnonzero((depth[:-1] == 1) & (base[:-1] < base[1:]))
        if not len(alone):
            return
        single = np.column_stack([base[alone], base[alone + 1]])
        self.make_room(len(single), 0, 0)
        roots = np.empty((len(single), 3), np.int32)
        self.number = drop_single(
            self.number, self.lineages, self.morgans, single, roots, self.record
        )
        self.roots = np.concatenate([self.roots, roots])

    def ended(self) -> RecentAncestry:
        """Return what was written, with one node above all that a lineage carries."""
        self.make_room(0, self.number, self.record.counts[SEGMENTS])
        above = end_lineages(self.number, self.lineages, self.time, self.record)
        record, nodes = self.record, self.record.counts[NODES]
        root, index = np.unique(self.roots[:, 2], return_inverse=True)
        rooted = np.column_stack([self.roots[:, :2], self.number + index]).astype(np.int32)
        lineages = Lineages(
            self.time,
            np.concatenate([above, root]),
            np.concatenate([self.lineages[: self.number, PLACE], record.nodes[root, DEME]]),
            np.concatenate([list_segments(self.number, self.lineages, record), rooted]),
        )
        population = record.nodes[:nodes, DEME].copy()
        return RecentAncestry(record.time[:nodes], population, grouped_edges(record), lineages)


def _longer(array: np.ndarray, size: int) -> np.ndarray:
    if size <= len(array):
        return array
    longer = np.empty((3 * size // 2 + 16, *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


def _movements(epoch: Epoch) -> Iterator[tuple[int, list[int], list[float]]]:
    """List which lineages move where, in this order, and with what probabilities."""
    number = {population.name: population.id for population in epoch.populations}
    for event in epoch.events:
        if isinstance(event, PopulationSplit):
            for derived in event.derived:
                yield number[derived], [number[event.ancestral]], [1.0]
        elif isinstance(event, Admixture):
            ancestral = [number[name] for name in event.ancestral]
            yield number[event.derived], ancestral, list(event.proportions)
        elif isinstance(event, MassMigration):
            shares = [event.proportion, 1 - event.proportion]
            yield number[event.source], [number[event.dest], number[event.source]], shares


def _people(epoch: Epoch, time: float) -> np.ndarray:
    """Return the numbers of possible parents of a generation, 0 in populations without people.

    They are the sizes half a generation before, as two haplotypes then meet as often as in the
    continuous time of the equations that predict F_ST and sharing, also where populations grow.
    """
    size = np.array([population.start_size for population in epoch.populations])
    growth = np.array([population.growth_rate for population in epoch.populations])
    return size * np.exp(-growth * max(time + 0.5 - epoch.start_time, 0))


def _follow_generations(walk: _Walk, demography: msprime.Demography) -> None:
    """Follow lineages in discrete generations, until continuous time is faster."""
    none = np.empty(0, np.int32)
    room = Parents(np.empty((0, 2), np.int32), np.empty(0), np.empty(0, np.int64), none, none)
    begin, epochs = walk.time, demography.debug().epochs
    epoch = epochs.pop(0)
    while True:
        if walk.depth() < LEAST_DEPTH:
            walk.drop_rooted()
        morgans = measure(walk.number, walk.lineages, walk.morgans, walk.record)
        enough = walk.time - begin >= LEAST_GENERATIONS
        if not walk.number or (enough and _little_happens(walk, epoch, morgans)):
            return  # before the events of the next generation, which msprime passes
        while epoch.end_time <= walk.time + 1:
            epoch = epochs.pop(0)
            walk.pass_events(epoch)
        people, rates = _people(epoch, walk.time), np.array(epoch.migration_matrix)
        walk.time += 1
        haplotypes = np.where(people > 0, 2 * np.maximum(np.rint(people), 1), 0).astype(np.int64)
        generation = Generation(
            float(walk.time),
            np.cumsum(haplotypes) - haplotypes,
            haplotypes,
            rates.sum(axis=1),
            rates,
        )
        room = _step_back(walk, generation, morgans, room)


def _little_happens(walk: _Walk, epoch: Epoch, morgans: float) -> bool:
    if walk.depth() < LEAST_DEPTH:
        return True
    people, leaving = _people(epoch, walk.time), np.sum(epoch.migration_matrix, axis=1)
    count = np.bincount(walk.lineages[: walk.number, PLACE], minlength=len(people))
    pairs = count * (count - 1) / 4
    meeting = np.divide(pairs, people, out=np.zeros(len(people)), where=count > 0)
    return float(morgans + meeting.sum() + count @ leaving) < EVENTS * walk.number


def _step_back(walk: _Walk, generation: Generation, morgans: float, room: Parents) -> Parents:
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
    number = step_back(walk.number, walk.lineages, walk.morgans, generation, parents, walk.record)
    after = parents._replace(lineages=walk.lineages, morgans=walk.morgans)
    walk.number, walk.lineages, walk.morgans = number, parents.lineages, parents.morgans
    return after
