"""Compiled code of ``ancestry``: leaves for the lineages that msprime goes on from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel


@kernel()
def assign_leaves(
    segments: NDArray[np.int32], by_end: NDArray[np.int64]
) -> tuple[NDArray[np.int32], int]:
    """Give every segment a leaf that no other segment has at its bases, with as few as possible.

    Args:
        segments: First base, the first base after it, and lineage, by first base, shape (n, 3).
        by_end: The segments by the first base after them, shape (n,).

    Returns:
        The leaf of each segment, shape (n,), and the number of leaves.
    """
    leaf = np.empty(len(segments), np.int32)
    free = np.empty(len(segments), np.int32)
    n_free = leaves = ended = 0
    for k in range(len(segments)):
        while segments[by_end[ended], 1] <= segments[k, 0]:
            free[n_free] = leaf[by_end[ended]]
            n_free += 1
            ended += 1
        if n_free:
            n_free -= 1
            leaf[k] = free[n_free]
        else:
            leaf[k] = leaves
            leaves += 1
    return leaf, leaves
