"""Counts of people in cells that follow each other, such as years: those of few are told together.

Where single cells were hidden, sums over all of them would be wrong. A cell with few people is
counted in a later one instead, or with those before it at the end.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import mismatch

POOLED = -1  # in a cell whose people are counted in a later one


def pool_small_cells(counts: NDArray[np.int64], least: int) -> NDArray[np.int64]:
    """Count cells together until each count is 0 or at least the smallest one.

    Args:
        counts: Several numbers of people by cell, which are counted together with each other, shape
            (n_counts, n_cells).
        least: The smallest count.

    Returns:
        Counts of the same shape, :data:`POOLED` in cells that are counted in a later one.

    Raises:
        ValueError: All people of a count together are too few. The message does not tell how many.
    """
    ends, begin, n_cells = [0], 0, counts.shape[1]
    for end in range(1, n_cells + 1):
        if _are_enough(counts[:, begin:end], least):
            ends.append(end)
            begin = end
    while ends[-1] < n_cells:  # the last people are few
        ends.pop()
        if not ends:
            raise ValueError(mismatch("cells", f"nobody or at least {least} people", "fewer"))
        if _are_enough(counts[:, ends[-1] :], least):
            ends.append(n_cells)
    pooled = np.full_like(counts, POOLED)
    for begin, end in pairwise(ends):
        pooled[:, end - 1] = counts[:, begin:end].sum(axis=1)
    return pooled


def _are_enough(counts: NDArray[np.int64], least: int) -> bool:
    people = counts.sum(axis=1)
    return bool(((people == 0) | (people >= least)).all())
