"""The history of a demes model as periods, for equations that follow two lineages through it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import demes
import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import mismatch

# Largest step of integration: expected moves and coalescences per lineage, and e-folds of a size.
# With these, F_ST of the Europe model agrees with a ten times finer grid to a relative 1e-4.
EVENTS_A_STEP = 0.02
GROWTH_A_STEP = 0.25

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Period:
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


def periods(graph: demes.Graph) -> Iterator[Period]:
    """Split the model's history into periods, from the oldest to the present.

    Args:
        graph: The model, in generations.
    """
    bounds = sorted({math.inf, 0.0, *change_times(graph)}, reverse=True)
    for start, end in pairwise(bounds):
        sizes = np.array([_sizes(deme, start, end) for deme in graph.demes])
        generator = _generator(graph, start, end)
        yield Period(start, end, generator, sizes[:, 0], sizes[:, 1], _move(graph, end))


def change_times(graph: demes.Graph) -> Iterator[float]:
    """List when demes, sizes and migration rates change.

    Args:
        graph: The model.

    Yields:
        Times in its units, in any order and repeatedly, infinity among them.
    """
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


def step_count(period: Period) -> int:
    """Count the steps in which a period is integrated.

    Args:
        period: The period, which is not the first one.

    Returns:
        The number, 1 if nobody migrates and no size changes.
    """
    leaving = -np.diag(period.generator).min()
    growing = np.abs(np.log(_growth_factor(period))).max()
    if leaving == 0 and growing == 0:
        return 1
    meeting = 0.5 / min(period.start_sizes.min(), period.end_sizes.min())
    span = period.start - period.end
    steps = max(span * max(leaving, meeting) / EVENTS_A_STEP, growing / GROWTH_A_STEP)
    return max(1, math.ceil(steps))


def _growth_factor(period: Period) -> NDArray[Any]:
    """The growth factor of each deme over the period; 1 where it does not exist."""
    alive = np.isfinite(period.start_sizes)
    return np.divide(period.end_sizes, period.start_sizes, out=np.ones(len(alive)), where=alive)


def meeting_hazards(period: Period, length: float, steps: int) -> Matrix:
    """Integrate 1 / (2 N(t)) over each step for each deme, exactly.

    Args:
        period: The period.
        length: Length of a step in generations.
        steps: Number of steps.

    Returns:
        Expected coalescences of two lineages in one deme, shape (steps, D), the oldest step first.
    """
    growth = np.log(_growth_factor(period)) / steps  # e-folds per step
    oldest = length / (2 * period.start_sizes)
    mean = np.where(growth == 0, 1.0, -np.expm1(-growth) / np.where(growth == 0, 1.0, growth))
    hazards = oldest * mean * np.exp(-np.outer(np.arange(steps), growth))
    return np.maximum(hazards, np.finfo(float).tiny)  # absent demes: no coalescence, and no 0 / 0
