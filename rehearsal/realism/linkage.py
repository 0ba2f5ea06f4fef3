"""How correlation between common variants falls with their distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LINKAGE_DISTANCES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000)  # bases
WIDTH = 0.1  # pairs within a tenth of a distance count for it
LINKAGE_PEOPLE = 400
CHUNK = 256  # sites that are compared at once with those that follow


def linkage_sums(
    genotypes: NDArray[np.int8], positions: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Squared correlations of genotypes summed over pairs of sites, and the number of pairs.

    ``genotypes`` (m, n) 0 to 2, ``positions`` (m,) ascending; both results are as long as
    ``LINKAGE_DISTANCES``. A correlation in n people is too large by 1/(n - 1) squared, which is
    taken off. Sites that do not vary are left out.
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
