"""Compiled code of ``ancestry``: Hudson's coalescent in continuous time.

Lineages are few among many people, so at most one thing happens at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from rehearsal.genomes.lineages_kernel import (
    EDGES,
    HEAD,
    LEFT,
    NODES,
    NONE,
    PLACE,
    SEGMENTS,
    Record,
    between,
    cut,
    length_of,
    meet,
    merge,
    uniform,
    waiting,
)


class Period(NamedTuple):
    """A period of constant growth and migration."""

    start: float  # its older end, in generations ago
    end: float  # its younger end
    people: NDArray[np.float64]  # (n_demes,) at the younger end; 0: the deme does not exist
    growth: NDArray[np.float64]  # (n_demes,) e-folds per generation, towards the present
    leaving: NDArray[np.float64]  # (n_demes,) rate at which a lineage leaves
    rates: NDArray[np.float64]  # (n_demes, n_demes) the row's lineages to the column


@numba.njit(cache=True)
def sum_up(n: int, morgans: NDArray[np.float64], sums: NDArray[np.float64]) -> None:
    """Sum lengths in a Fenwick tree.

    Args:
        n: Number of lineages.
        morgans: Their lengths, shape (capacity,).
        sums: The tree, zeros, as long as a power of 2.
    """
    for k in range(len(sums)):
        if k < n:
            sums[k] += morgans[k]
        if k | (k + 1) < len(sums):
            sums[k | (k + 1)] += sums[k]


@numba.njit(cache=True)
def follow_events(
    n: int,
    time: float,
    events: int,
    period: Period,
    lineages: NDArray[np.int32],
    morgans: NDArray[np.float64],
    sums: NDArray[np.float64],
    count: NDArray[np.int64],
    record: Record,
) -> tuple[int, float]:
    """Follow lineages until a period ends, one is left, enough has happened, or room is short.

    Args:
        n: Number of lineages.
        time: Now, in generations ago.
        events: How much may happen.
        period: The period.
        lineages: The lineages, shape (capacity, 2). Changed.
        morgans: Their lengths, shape (capacity,). Changed.
        sums: Their sums (:func:`sum_up`), at most as long as the capacity. Changed.
        count: Lineages by deme, shape (n_demes,). Changed.
        record: What is written.

    Returns:
        The number of lineages and the new time.
    """
    random, size, demes = record.random, len(sums), len(count)
    meeting = np.zeros(demes)
    live = record.counts[SEGMENTS]
    for _ in range(events):
        if n < 2 or n >= size - 1 or live + 1 >= len(record.segments):
            break
        if record.counts[EDGES] + live >= len(record.edges):
            break
        if record.counts[NODES] >= len(record.nodes):
            break
        crossing = max(0.0, sums[size - 1])
        met = moved = 0.0
        soonest, where = np.inf, NONE
        for deme in range(demes):
            meeting[deme] = 0.0
            moved += count[deme] * period.leaving[deme]
            if count[deme] > 1:
                rate = count[deme] * (count[deme] - 1) / (4.0 * period.people[deme])
                growth = period.growth[deme]
                if growth == 0:
                    meeting[deme] = rate
                    met += rate
                else:
                    rate *= np.exp(growth * (time - period.end))
                    x = waiting(random) * growth / rate
                    wait = np.log1p(x) / growth if x > -1 else np.inf
                    if wait < soonest:
                        soonest, where = wait, deme
        total = crossing + met + moved
        wait = waiting(random) / total if total > 0 else np.inf
        if time + min(wait, soonest) >= period.start:
            time = period.start
            break
        time += min(wait, soonest)
        u = uniform(random) * total
        changed = (NONE, NONE)
        if wait <= soonest and u < crossing:
            k = _find(sums, u)
            if k >= n:  # rounding
                continue
            head = lineages[k, HEAD]
            begin = between(record.segments[head, LEFT] + 1.0, record.position, record.morgans)
            here = begin + uniform(random) * morgans[k]
            base = np.int64(between(here, record.morgans, record.position))
            if base <= record.segments[head, LEFT]:
                continue
            tail = cut(head, base, record)
            if tail == NONE:
                continue
            live = record.counts[SEGMENTS]
            lineages[n, HEAD], lineages[n, PLACE] = tail, lineages[k, PLACE]
            morgans[n] = 0.0
            count[lineages[k, PLACE]] += 1
            changed = (k, n)
            n += 1
        elif wait <= soonest and u < crossing + moved:
            deme = _chosen(u - crossing, count, period.leaving)
            k = _any_of(deme, n, lineages, random)
            u = uniform(random) * period.leaving[deme]
            for j in range(demes):
                if period.rates[deme, j] > 0:
                    lineages[k, PLACE] = j
                    if u < period.rates[deme, j]:
                        break
                    u -= period.rates[deme, j]
            count[deme] -= 1
            count[lineages[k, PLACE]] += 1
        else:
            if wait <= soonest:
                where = 0
                u -= crossing + moved
                while where < demes - 1 and u >= meeting[where]:
                    u -= meeting[where]
                    where += 1
                if count[where] < 2:  # rounding
                    continue
            one = other = _any_of(where, n, lineages, random)
            while other == one:
                other = _any_of(where, n, lineages, random)
            if one > other:
                one, other = other, one
            head, tail = lineages[one, HEAD], lineages[other, HEAD]
            node = meet(head, tail, NONE, time, where, record)
            lineages[one, HEAD] = merge(head, tail, node, record)
            n -= 1
            count[where] -= 1
            lineages[other, HEAD], lineages[other, PLACE] = lineages[n, HEAD], lineages[n, PLACE]
            _change(sums, n, -morgans[n])
            if other < n:
                _change(sums, other, morgans[n] - morgans[other])
                morgans[other] = morgans[n]
            changed = (one, NONE)
        for k in changed:
            if k != NONE:
                length = length_of(lineages[k, HEAD], record)
                _change(sums, k, length - morgans[k])
                morgans[k] = length
    return n, time


@numba.njit(cache=True)
def _change(sums: NDArray[np.float64], k: int, change: float) -> None:
    while k < len(sums):
        sums[k] += change
        k |= k + 1


@numba.njit(cache=True)
def _find(sums: NDArray[np.float64], target: float) -> int:
    """Find the entry of a Fenwick tree that holds a point of the sum."""
    k, step = 0, len(sums) // 2
    while step > 0:
        if sums[k + step - 1] <= target:
            target -= sums[k + step - 1]
            k += step
        step //= 2
    return k


@numba.njit(cache=True)
def _chosen(target: float, count: NDArray[np.int64], rate: NDArray[np.float64]) -> int:
    """Find the deme that holds a point of the sum of its lineages' rates."""
    found = 0
    for deme in range(len(count)):
        weight = count[deme] * rate[deme]
        if weight > 0:
            found = deme
            if target < weight:
                break
            target -= weight
    return found


@numba.njit(cache=True)
def _any_of(deme: int, n: int, lineages: NDArray[np.int32], random: NDArray[np.uint64]) -> int:
    """Draw a lineage of a deme."""
    k = int(uniform(random) * n)
    while lineages[k, PLACE] != deme:
        k = int(uniform(random) * n)
    return k
