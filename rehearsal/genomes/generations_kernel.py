"""Compiled code of ``recent_generations``: generations of a Wright-Fisher model of people.

In every generation a haplotype comes from a parent, drawn among the people of the country from
which it came. It is put together from the parent's two haplotypes, and the parts of one haplotype
stay together. Haplotypes that come to the same one of the same parent have met.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part
from rehearsal.genomes.lineages_kernel import (
    HEAD,
    LEFT,
    NONE,
    PLACE,
    Record,
    Row,
    between,
    cut,
    length_of,
    meet,
    merge,
    uniform,
    waiting,
)


class Generation(NamedTuple):
    """The generation of the parents, and how lineages come there."""

    time: float  # generations ago
    first: NDArray[np.int64]  # (n_demes,) number of each deme's first haplotype
    haplotypes: NDArray[np.int64]  # (n_demes,) how many there are
    leaving: NDArray[np.float64]  # (n_demes,) probability that a parent lived in another deme
    rates: NDArray[np.float64]  # (n_demes, n_demes) the row's lineages to the column


class Parents(NamedTuple):
    """The haplotypes of a generation to which lineages came."""

    lineages: NDArray[np.int32]  # (capacity, 2)
    morgans: NDArray[np.float64]  # (capacity,)
    haplotype: NDArray[np.int64]  # (capacity,) its number, counted over all demes
    node: NDArray[np.int32]  # (capacity,) its node; NONE: no segments have met in it
    table: NDArray[np.int32]  # (a power of 2,) rows by hash of the haplotype, filled with NONE


@kernel()
def measure(
    n: int, lineages: NDArray[np.int32], morgans: NDArray[np.float64], record: Record
) -> float:
    """Measure the lineages whose lengths are not known.

    Args:
        n: Number of lineages.
        lineages: The lineages, shape (capacity, 2).
        morgans: Their lengths, shape (capacity,), -1 where not known. Changed.
        record: Where segments are.

    Returns:
        The sum of all lengths.
    """
    total = 0.0
    for k in range(n):
        if morgans[k] < 0:
            morgans[k] = length_of(lineages[k, HEAD], record)
        total += morgans[k]
    return total


@kernel()
def step_back(
    n: int,
    lineages: NDArray[np.int32],
    morgans: NDArray[np.float64],
    generation: Generation,
    parents: Parents,
    record: Record,
) -> int:
    """Follow all lineages to the generation before.

    Args:
        n: Number of lineages.
        lineages: The lineages, shape (capacity, 2).
        morgans: Their lengths, shape (capacity,).
        generation: The generation of the parents.
        parents: Where lineages go, with room for one more for each crossover.
        record: What is written.

    Returns:
        The number of haplotypes among the parents.
    """
    random, number = record.random, 0
    until = waiting(random)  # Morgans to the next crossover, all lineages end to end
    for k in range(n):
        deme = _came_from(lineages[k, PLACE], generation, random)
        size = generation.haplotypes[deme]
        strand = min(np.int64(uniform(random) * size), size - 1)
        head, length = np.int64(lineages[k, HEAD]), morgans[k]
        here = end = 0.0
        if until < length:
            here = between(record.segments[head, LEFT] + 1.0, record.position, record.morgans)
            end = here + length
            here += until
            length = -1.0
        else:
            until -= length
        while head != NONE:
            tail = np.int64(NONE)
            given = strand
            if length < 0:
                while here < end and tail == NONE:
                    base = np.int64(between(here, record.morgans, record.position))
                    here += waiting(random)
                    strand ^= 1
                    if base > record.segments[head, LEFT]:
                        tail = np.int64(cut(head, base, record))
                    else:
                        given = strand  # the crossover lies before the segments that are left
                if tail == NONE:
                    until = here - end
            number = _give(
                head, generation.first[deme] + given, deme, length, generation.time,
                number, parents, record,
            )  # fmt: skip
            head = tail
    return number


@part
def _came_from(deme: int, generation: Generation, random: NDArray[np.uint64]) -> Row:
    """Draw the deme in which a lineage's parent lived."""
    u = uniform(random)
    found: Row = np.int64(deme)
    if u < generation.leaving[deme]:
        for j in range(len(generation.leaving)):
            if generation.rates[deme, j] > 0:
                found = j
                if u < generation.rates[deme, j]:
                    break
                u -= generation.rates[deme, j]
    return found


@part
def _give(
    head: Row, haplotype: Row, deme: Row, length: float, time: float,
    number: int, parents: Parents, record: Record,
) -> int:  # fmt: skip
    """Give segments to a haplotype of the parents. Returns how many haplotypes there are now."""
    table = parents.table
    mask = np.uint64(len(table) - 1)
    place = ((np.uint64(haplotype) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & mask
    while table[place] != NONE and parents.haplotype[table[place]] != haplotype:
        place = (place + np.uint64(1)) & mask
    k = table[place]
    if k == NONE:
        table[place] = number
        parents.lineages[number, HEAD], parents.lineages[number, PLACE] = head, deme
        parents.morgans[number] = length
        parents.haplotype[number], parents.node[number] = haplotype, NONE
        return number + 1
    there = parents.lineages[k, HEAD]
    parents.node[k] = meet(there, head, parents.node[k], time, deme, record)
    parents.lineages[k, HEAD] = merge(there, head, parents.node[k], record)
    parents.morgans[k] = -1.0
    return number
