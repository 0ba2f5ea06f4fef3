"""Compiled code that drops mutations on the branches of a tree sequence, by classes of variants."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part
from rehearsal.genomes.mutation_rates import MutationRates
from rehearsal.genomes.variant_classes import (
    ALU,
    DELETION_SHARE,
    DUPLICATION_SHARE,
    GAIN,
    LONGEST_INDEL,
    LONGEST_STRUCTURAL,
    LOSS,
    ONE_UNIT_SHARE,
    SHORTEST_STRUCTURAL,
    SVA,
)
from rehearsal.genomes.variant_codes_kernel import (
    INDEL,
    SINGLE,
    STRUCTURAL,
    inserted_base,
    pack_indel,
)


class Mutations(NamedTuple):
    """Mutations of a block, n in all."""

    position: NDArray[np.int32]  # (n,) base of the block; -1: it did not happen
    node: NDArray[np.int32]  # (n,) node below the branch
    time: NDArray[np.float64]  # (n,) generations ago
    kind: NDArray[np.int8]  # (n,) SINGLE, INDEL or STRUCTURAL
    change: NDArray[np.int64]  # (n,) as rehearsal.genomes.variant_codes_kernel packs it


class Branches(NamedTuple):
    """The branches of a tree sequence."""

    left: NDArray[np.float64]  # (n_edges,) 0-based on the contig
    right: NDArray[np.float64]  # (n_edges,) exclusive
    parent: NDArray[np.int32]  # (n_edges,)
    child: NDArray[np.int32]  # (n_edges,)
    time: NDArray[np.float64]  # (n_nodes,) generations ago


class Sizes(NamedTuple):
    """Distributions of lengths."""

    indel: NDArray[np.float64]  # (49,) cumulative, of indels outside of repeats
    structural: NDArray[np.float64]  # (n_peaks, 4) of variant_classes.size_table


@kernel()
def expected_mutations(start: int, branches: Branches, total: NDArray[np.float64]) -> float:
    """Compute the expected number of mutations.

    Args:
        start: The block's first base on the contig.
        branches: The branches.
        total: Sum of rates before each base of the block, shape (n_bases + 1,).

    Returns:
        The sum of rate times generations over all branches.
    """
    expected = 0.0
    for edge in range(branches.left.size):
        span = branches.time[branches.parent[edge]] - branches.time[branches.child[edge]]
        left, right = int(branches.left[edge]) - start, int(branches.right[edge]) - start
        expected += (total[right] - total[left]) * span
    return expected


@kernel()
def drop_mutations(
    start: int,
    branches: Branches,
    rates: MutationRates,
    sizes: Sizes,
    gap: NDArray[np.float64],
    rng: np.random.Generator,
    out: Mutations,
) -> None:
    """Drop mutations on branches as a Poisson process of the given rates.

    Args:
        start: The block's first base on the contig.
        branches: The branches.
        rates: Rates of mutations.
        sizes: Distributions of lengths.
        gap: Distance of each mutation from the one before, in expected mutations, shape (n,).
        rng: Source of random numbers.
        out: Filled, shape (n,) each, in order of edges.
    """
    m = 0
    left_over = gap[0] if gap.size else 0.0
    for edge in range(branches.left.size):
        child = branches.child[edge]
        low, high = branches.time[child], branches.time[branches.parent[edge]]
        left, right = int(branches.left[edge]) - start, int(branches.right[edge]) - start
        before = rates.total[left]
        mass = rates.total[right] - before
        left_over -= mass * (high - low)
        while left_over < 0 and m < gap.size:
            target = before + rng.random() * mass
            base = left + np.searchsorted(rates.total[left + 1 : right + 1], target, side="right")
            base = min(base, right - 1)
            out.node[m] = child
            out.time[m] = low + rng.random() * (high - low)
            kind, change, base = _draw_change(base, target - rates.total[base], rates, sizes, rng)
            out.kind[m], out.change[m] = kind, change
            # an indel whose site, to the left, is before the branch begins does not happen
            out.position[m] = base if base >= left else -1
            m += 1
            if m < gap.size:
                left_over += gap[m]
    for rest in range(m, gap.size):  # rounding at the very end
        out.position[rest] = -1


@part
def _draw_change(
    base: int, place: float, rates: MutationRates, sizes: Sizes, rng: np.random.Generator
) -> tuple[int, int, int]:
    """Draw class, change and site of a mutation at a base. ``place`` is within the base's rate."""
    for change in range(1, 4):
        rate = rates.single[rates.context[base], change - 1]
        if place < rate:
            return SINGLE, change, base
        place -= rate
    if place < rates.slip[base]:
        change, site = _draw_slip(base, rates, rng)
        return INDEL, change, site
    place -= rates.slip[base]
    if place < rates.constant[0]:
        change, site = _draw_indel(base, rates, sizes, rng)
        return INDEL, change, site
    place -= rates.constant[0]
    if place < rates.spike[base]:
        kind, length = LOSS if rng.random() < 0.5 else GAIN, rates.spike_length[base]
    else:
        kind, length = _draw_structural(sizes.structural, rng)
    end = base + 1 if ALU <= kind <= SVA else base + 1 + length
    return STRUCTURAL, kind | (length << 8), base if _free(base, end, rates) else -1


@part
def _free(first: int, end: int, rates: MutationRates) -> bool:
    """Tell whether all bases are in the block, known, and not those of planted variants."""
    inside = first >= 0 and end < rates.closed.size - 1  # a base of the block follows
    return inside and rates.closed[end] == rates.closed[first]


@part
def _draw_slip(first: int, rates: MutationRates, rng: np.random.Generator) -> tuple[int, int]:
    """Draw a change of the number of units of the repeat that begins at ``first``."""
    unit, copies = int(rates.unit[first]), int(rates.copies[first])
    number = 1
    while rng.random() > ONE_UNIT_SHARE:
        number += 1
    length = min(number, copies - 1, LONGEST_INDEL // unit) * unit
    site = first - 1
    if rng.random() < 0.5:
        fits = _free(site, first + length, rates)
        return pack_indel(-length, unit, 0, 0, True), site if fits else -1
    return pack_indel(length, unit, 0, 0, True), site if _free(site, first, rates) else -1


@part
def _draw_indel(
    anchor: int, rates: MutationRates, sizes: Sizes, rng: np.random.Generator
) -> tuple[int, int]:
    """Draw an indel after a base and shift it to the left as far as its text stays the same."""
    code = rates.code
    length = min(int(np.searchsorted(sizes.indel, rng.random(), side="right")) + 1, LONGEST_INDEL)
    site = anchor
    if rng.random() < DELETION_SHARE:
        if not _free(anchor, anchor + 1 + length, rates):
            return 0, -1
        while site > 0 and code[site] == code[site + length]:
            site -= 1
        fits = site > 0 and _free(site, site + 1 + length, rates)
        return pack_indel(-length, 0, 0, 0, False), site if fits else -1
    if rng.random() < DUPLICATION_SHARE:
        site -= length
        if site < 0 or not _free(site, anchor + 1, rates):
            return 0, -1
        while site > 0 and code[site] == code[site + length]:
            site -= 1
        change = pack_indel(length, length, 0, 0, False)
    else:
        seed, turn = int(rng.integers(0, 2**31)), 0
        change = pack_indel(length, 0, 0, seed, False)
        while site > 0 and code[site] == inserted_base(change, length - 1, site, code):
            site -= 1
            turn = (turn + 1) % length
            change = pack_indel(length, 0, turn, seed, False)
    fits = site > 0 and _free(site, site + 1 + length, rates)
    return change, site if fits else -1


@part
def _draw_structural(peaks: NDArray[np.float64], rng: np.random.Generator) -> tuple[int, int]:
    """Draw type and length."""
    peak = min(int(np.searchsorted(peaks[:, 0], rng.random(), side="right")), len(peaks) - 1)
    length = 0.0
    while not SHORTEST_STRUCTURAL <= length <= LONGEST_STRUCTURAL:
        length = np.exp(peaks[peak, 2] + peaks[peak, 3] * rng.normal())
    return int(peaks[peak, 1]), int(length)


@kernel()
def order_mutations(
    bases: int, position: NDArray[np.int32], time: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Order mutations by position, the oldest of a position first; leave out those at -1.

    Args:
        bases: Bases of the block.
        position: Base of each mutation, shape (n,).
        time: Its age, shape (n,).

    Returns:
        Indices, shape (at most n,).
    """
    place = np.zeros(bases + 1, np.int32)
    for p in position:
        if p >= 0:
            place[p + 1] += 1
    for p in range(bases):
        place[p + 1] += place[p]
    order = np.empty(place[bases], np.int32)
    filled = np.zeros(bases, np.uint16)
    for m in range(position.size):
        p = position[m]
        if p < 0:
            continue
        k = place[p] + filled[p]
        filled[p] += 1
        while k > place[p] and time[order[k - 1]] < time[m]:
            order[k] = order[k - 1]
            k -= 1
        order[k] = m
    return order
