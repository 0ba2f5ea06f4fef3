"""The decay of correlation between common variants with distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LINKAGE_DISTANCES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000)  # bases
WIDTH = 0.1  # relative tolerance of a distance
LINKAGE_PEOPLE = 400
CHUNK = 256  # sites compared at once with the following ones


def linkage_sums(
    genotypes: NDArray[np.int8], positions: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum the squared correlations of genotypes over pairs of sites, by distance.

    A squared correlation in n people is too large by 1 / (n - 1), which is subtracted. Sites that
    do not vary are left out.

    Args:
        genotypes: Copies of the derived allele, 0 to 2, shape (m, n).
        positions: Positions of the sites, ascending, shape (m,).

    Returns:
        The sums and the numbers of pairs, each as long as ``LINKAGE_DISTANCES``.
    """
    z = genotypes.astype(np.float32)
    z -= z.mean(axis=1, keepdims=True)
    norm = np.sqrt((z * z).sum(axis=1, keepdims=True))
    varies = norm[:, 0] > 0
    z, positions = (z / np.where(norm > 0, norm, 1))[varies], positions[varies]
    low = np.array([distance * (1 - WIDTH) for distance in LINKAGE_DISTANCES])
    high = np.array([distance * (1 + WIDTH) for distance in LINKAGE_DISTANCES])
    sums, pairs = np.zeros(len(low)), np.zeros(len(low))
    for start in range(0, len(z), CHUNK):
        stop = min(start + CHUNK, len(z))
        end = np.searchsorted(positions, positions[stop - 1] + high[-1], side="right")
        squares = np.square(z[start:stop] @ z[start:end].T, dtype=np.float64)
        running = np.concatenate([np.zeros((stop - start, 1)), squares.cumsum(axis=1)], axis=1)
        row = np.arange(stop - start)
        for index, (least, most) in enumerate(zip(low, high, strict=True)):
            first = np.searchsorted(positions[start:end], positions[start:stop] + least)
            last = np.searchsorted(positions[start:end], positions[start:stop] + most)
            sums[index] += (running[row, last] - running[row, first]).sum()
            pairs[index] += (last - first).sum()
    return sums - pairs / max(1, genotypes.shape[1] - 1), pairs
