"""Compiled code of ``recent_generations``: bases whose samples have met are followed no further."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel
from rehearsal.genomes.lineages_kernel import (
    BASES,
    HEAD,
    LEFT,
    NEXT,
    NODE,
    NONE,
    PLACE,
    RIGHT,
    Record,
    free_segment,
    new_segment,
)


@kernel()
def ends_of(n: int, lineages: NDArray[np.int32], ends: NDArray[np.int64], record: Record) -> int:
    """List the ends of all segments: twice the base, plus 1 where a segment begins.

    Args:
        n: Number of lineages.
        lineages: The lineages, shape (capacity, 2).
        ends: Where they are written, twice as long as there are segments.
        record: Where segments are.

    Returns:
        The number of ends.
    """
    number = 0
    for k in range(n):
        s = lineages[k, HEAD]
        while s != NONE:
            ends[number] = 2 * np.int64(record.segments[s, LEFT]) + 1
            ends[number + 1] = 2 * np.int64(record.segments[s, RIGHT])
            number += 2
            s = record.segments[s, NEXT]
    return number


@kernel()
def drop_single(
    n: int,
    lineages: NDArray[np.int32],
    morgans: NDArray[np.float64],
    single: NDArray[np.int64],
    roots: NDArray[np.int32],
    record: Record,
) -> int:
    """Drop from all lineages the bases that only one of them has.

    Args:
        n: Number of lineages.
        lineages: The lineages, shape (capacity, 2). Those that become empty are removed.
        morgans: Their lengths, shape (capacity,). -1 where one changed.
        single: The stretches that one segment has and no other, in order, shape (n_stretches, 2).
        roots: Where the stretches are written, each with its node, shape (n_stretches, 3).
        record: Where segments are.

    Returns:
        The number of lineages left.
    """
    segments = record.segments
    kept = found = 0
    for k in range(n):
        head, before, length = lineages[k, HEAD], np.int64(NONE), morgans[k]
        s = np.int64(head)
        while s != NONE:
            following = segments[s, NEXT]
            low, high = 0, len(single)
            while low < high:
                middle = (low + high) // 2
                if single[middle, 0] < segments[s, LEFT]:
                    low = middle + 1
                else:
                    high = middle
            while low < len(single) and single[low, 0] < segments[s, RIGHT]:
                start, end = single[low, 0], single[low, 1]
                low += 1
                length = -1.0
                roots[found, 0], roots[found, 1], roots[found, 2] = start, end, segments[s, NODE]
                record.counts[BASES] -= end - start
                found += 1
                if start > segments[s, LEFT]:
                    rest = new_segment(end, segments[s, RIGHT], segments[s, NODE], record)
                    segments[s, RIGHT], segments[s, NEXT] = start, rest
                    before = s
                    s = np.int64(rest)
                else:
                    segments[s, LEFT] = end
            if segments[s, LEFT] < segments[s, RIGHT]:
                segments[s, NEXT] = following
                before = s
            else:
                free_segment(s, record)
                if before == NONE:
                    head = following
                else:
                    segments[before, NEXT] = following
            s = np.int64(following)
        if head != NONE:
            lineages[kept, HEAD], lineages[kept, PLACE] = head, lineages[k, PLACE]
            morgans[kept] = length
            kept += 1
    return kept
