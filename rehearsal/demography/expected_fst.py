"""Expected coalescence times and F_ST of any demes model, without simulation.

Two lineages are followed back through the model's history. With E[i, j] the expected time until
lineages in demes i and j coalesce,

    -dE/dt = 1 + G E + E G' - diag(E[i, i] / (2 N_i(t)))

where t runs backwards, G is the generator of backward migration and N_i the diploid size. The
equations are integrated from the oldest epoch, where they have a closed solution, to the present.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import demes
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from rehearsal.errors import mismatch

# Largest step of integration: expected moves and coalescences per lineage, and e-folds of a size.
# With these, F_ST of the Europe model agrees with a ten times finer grid to a relative 1e-4.
EVENTS_A_STEP = 0.02
GROWTH_A_STEP = 0.25

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A period in which demes, migration and growth rates are constant, and the event at its end.

    ``start`` is the older end, infinite for the first period. ``move[i, j]`` is the probability
    that a lineage in deme i just after ``end`` was in deme j just before it, because of splits and
    pulses. Sizes are infinite where a deme does not exist.
    """

    start: float
    end: float
    generator: Matrix
    start_sizes: NDArray[np.float64]
    end_sizes: NDArray[np.float64]
    move: Matrix


def expected_coalescence_times(graph: demes.Graph, names: Sequence[str]) -> Matrix:
    """Compute the expected coalescence times of pairs of present-day genomes.

    Args:
        graph: The model.
        names: The k demes to compare, which must live at time 0.

    Returns:
        Times in generations, shape (k, k). The diagonal is for two genomes of one deme.

    Raises:
        ValueError: Some of the demes share no ancestors.
    """
    labels = [deme.name for deme in graph.demes]
    order = [labels.index(name) for name in names]
    stretches = list(_stretches(graph.in_generations()))
    reached = _reached(stretches, order)
    roots = _root_sets(stretches[0], reached)
    if len(set(roots)) != 1 or len(roots[0]) != 1:
        expected = f"common ancestors of {', '.join(names)}"
        raise ValueError(mismatch("demographic model", expected, "demes without any"))
    first, *later = stretches
    times = first.move @ _equilibrium(first, reached) @ first.move.T
    for stretch in later:
        times = stretch.move @ _through(stretch, times) @ stretch.move.T
    return times[np.ix_(order, order)]


def hudson_fst(times: Matrix) -> Matrix:
    """Compute Hudson's F_ST of all pairs of demes, as a ratio of averages.

    F_ST = 1 - (within_i + within_j) / (2 between_ij)
    (Hudson, Slatkin & Maddison 1992; Bhatia et al. 2013).

    Args:
        times: Expected coalescence times, or mean pairwise differences, shape (k, k).

    Returns:
        F_ST, shape (k, k), with zeros on the diagonal.
    """
    within = np.diag(times)
    return 1 - (within[:, None] + within) / (2 * times)


def root_sets(graph: demes.Graph, names: Sequence[str]) -> list[frozenset[frozenset[str]]]:
    """Find the root demes in which the ancestry of demes ends.

    Roots that exchange migrants for ever form one group. Lineages of two demes are certain to
    coalesce when both demes have the same single group.

    Args:
        graph: The model.
        names: The demes.

    Returns:
        For each deme, its groups of roots; a group is the set of its members' names.
    """
    labels = [deme.name for deme in graph.demes]
    stretches = list(_stretches(graph.in_generations()))
    reached = _reached(stretches, [labels.index(name) for name in names])
    return [
        frozenset(frozenset(labels[i] for i in group) for group in groups)
        for groups in _root_sets(stretches[0], reached)
    ]


def _root_sets(first: _Stretch, reached: NDArray[np.bool_]) -> list[frozenset[frozenset[int]]]:
    """Find, for each row of ``reached``, the groups of demes that no lineage ever leaves."""
    reach = _reachable(first.generator)
    groups = {
        i: frozenset(np.flatnonzero(reach[i]).tolist())
        for i in range(len(reach))
        if reach[reach[i], i].all()
    }
    return [
        frozenset(groups[i] for i in np.flatnonzero(row).tolist() if i in groups) for row in reached
    ]


def _reached(stretches: Sequence[_Stretch], order: Sequence[int]) -> NDArray[np.bool_]:
    """Find which demes of the oldest period each present deme's ancestry can reach, (k, D)."""
    first, *later = stretches
    reached = np.eye(len(first.move), dtype=bool)[list(order)]
    for stretch in reversed(later):
        reached = (reached @ (stretch.move > 0)) @ _reachable(stretch.generator)
    return (reached @ (first.move > 0)) @ _reachable(first.generator)


def _reachable(generator: Matrix) -> NDArray[np.bool_]:
    """Compute the reflexive, transitive closure of "a lineage in i can move to j"."""
    reach = (generator > 0) | np.eye(len(generator), dtype=bool)
    for _ in range(max(1, math.ceil(math.log2(len(generator))))):
        reach = reach @ reach
    return reach


def _stretches(graph: demes.Graph) -> Iterator[_Stretch]:
    """Split the model's history into periods, from the oldest to the present."""
    bounds = sorted({math.inf, 0.0, *_change_times(graph)}, reverse=True)
    for start, end in pairwise(bounds):
        sizes = np.array([_sizes(deme, start, end) for deme in graph.demes])
        generator = _generator(graph, start, end)
        yield _Stretch(start, end, generator, sizes[:, 0], sizes[:, 1], _move(graph, end))


def _change_times(graph: demes.Graph) -> Iterator[float]:
    for deme in graph.demes:
        yield deme.start_time
        yield from (epoch.end_time for epoch in deme.epochs)
    for migration in graph.migrations:
        yield from (migration.start_time, migration.end_time)
    yield from (pulse.time for pulse in graph.pulses)


def _sizes(deme: demes.Deme, start: float, end: float) -> tuple[float, float]:
    """A deme's sizes at both ends of a period that lies within one of its epochs."""
    for epoch in deme.epochs:
        if epoch.start_time >= start and epoch.end_time <= end:
            if math.isinf(start) or epoch.size_function == "constant":
                return epoch.start_size, epoch.start_size
            if epoch.size_function != "exponential":
                expected, found = "a constant or exponential size", f"a {epoch.size_function} one"
                raise ValueError(mismatch(f"deme {deme.name}", expected, found))
            rate = math.log(epoch.end_size / epoch.start_size) / epoch.time_span
            ages = (epoch.start_time - start, epoch.start_time - end)
            first, last = (epoch.start_size * math.exp(rate * age) for age in ages)
            return first, last
    return math.inf, math.inf


def _generator(graph: demes.Graph, start: float, end: float) -> Matrix:
    """Backward rates: a lineage in the row's deme moves to the column's, the migrants' source."""
    index = {deme.name: i for i, deme in enumerate(graph.demes)}
    rates = np.zeros((len(index), len(index)))
    for migration in graph.migrations:
        if migration.start_time >= start and migration.end_time <= end:
            rates[index[migration.dest], index[migration.source]] += migration.rate
    return rates - np.diag(rates.sum(axis=1))


def _move(graph: demes.Graph, time: float) -> Matrix:
    """Where lineages just after ``time`` came from; forwards in time, splits precede pulses."""
    index = {deme.name: i for i, deme in enumerate(graph.demes)}
    move = np.eye(len(index))
    for deme in graph.demes:
        if deme.start_time == time:
            row = index[deme.name]
            move[row] = 0
            move[row, [index[name] for name in deme.ancestors]] = deme.proportions
    for pulse in graph.pulses:
        if pulse.time == time:
            step, row = np.eye(len(index)), index[pulse.dest]
            step[row, row] = 1 - sum(pulse.proportions)
            step[row, [index[name] for name in pulse.sources]] = pulse.proportions
            move = step @ move
    return move


def _equilibrium(first: _Stretch, reached: NDArray[np.bool_]) -> Matrix:
    """Expected times in the oldest epoch, which is infinite; zeros where no ancestry ends."""
    roots = np.flatnonzero(reached.any(axis=0))
    count = len(roots)
    generator = first.generator[np.ix_(roots, roots)]
    one = np.eye(count)
    system = np.kron(generator, one) + np.kron(one, generator)
    pairs = np.arange(count) * (count + 1)
    system[pairs, pairs] -= 1 / (2 * first.start_sizes[roots])
    times = np.zeros_like(first.generator)
    times[np.ix_(roots, roots)] = np.linalg.solve(system, -np.ones(count**2)).reshape(count, count)
    return times


def _through(stretch: _Stretch, times: Matrix) -> Matrix:
    """Compute expected times at the younger end of a period from those at its older end.

    Strang splitting: half a step of migration, a step of coalescence within demes, half a step of
    migration. Each part is exact by itself. Without migration and growth one step is enough.
    """
    span = stretch.start - stretch.end
    steps = _step_count(stretch, span)
    length = span / steps
    hazards = _hazards(stretch, length, steps)
    half = expm(stretch.generator * length / 2)
    whole = half @ half
    diagonal = np.diag_indices_from(times)
    times = half @ times @ half.T
    for k in range(steps):
        within = times[diagonal]
        met = -np.expm1(-hazards[k])
        times = times + length
        times[diagonal] = within * (1 - met) + length * met / hazards[k]
        spread = half if k == steps - 1 else whole
        times = spread @ times @ spread.T
    return times


def _step_count(stretch: _Stretch, span: float) -> int:
    leaving = -np.diag(stretch.generator).min()
    growing = np.abs(np.log(_ratio(stretch))).max()
    if leaving == 0 and growing == 0:
        return 1
    meeting = 0.5 / min(stretch.start_sizes.min(), stretch.end_sizes.min())
    steps = max(span * max(leaving, meeting) / EVENTS_A_STEP, growing / GROWTH_A_STEP)
    return max(1, math.ceil(steps))


def _ratio(stretch: _Stretch) -> NDArray[Any]:
    """The growth factor of each deme over the period; 1 where it does not exist."""
    alive = np.isfinite(stretch.start_sizes)
    return np.divide(stretch.end_sizes, stretch.start_sizes, out=np.ones(len(alive)), where=alive)


def _hazards(stretch: _Stretch, length: float, steps: int) -> Matrix:
    """The exact integral of 1 / (2 N(t)) over each step for each deme, shape (steps, D)."""
    growth = np.log(_ratio(stretch)) / steps  # e-folds per step
    oldest = length / (2 * stretch.start_sizes)
    mean = np.where(growth == 0, 1.0, -np.expm1(-growth) / np.where(growth == 0, 1.0, growth))
    hazards = oldest * mean * np.exp(-np.outer(np.arange(steps), growth))
    return np.maximum(hazards, np.finfo(float).tiny)  # absent demes: no coalescence, and no 0 / 0
