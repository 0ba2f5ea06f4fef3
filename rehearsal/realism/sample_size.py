"""The growth of the number of variants with the number of people."""

from __future__ import annotations

import numpy as np
import tskit
from numpy.typing import NDArray

from rehearsal.realism.genotypes import restrict

STEPS = (1, 2, 5)


def sample_sizes(people: int) -> list[int]:
    """Return 1, 2 and 5 times the powers of ten from 10 up to ``people``, and ``people``.

    Args:
        people: Number of people.
    """
    powers = [10**power for power in range(1, max(2, len(str(people))))]
    sizes = [step * power for power in powers for step in STEPS]
    return [*(size for size in sizes if size < people), people]


def sites_by_sample_size(
    ts: tskit.TreeSequence, people: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Count alleles that vary among the first n people, for each sample size n.

    Every smaller sample is taken from the next larger one, so the largest costs most.

    Args:
        ts: The tree sequence of a block.
        people: Numbers of individuals, who have two haplotypes each.

    Returns:
        Alleles that vary, those of them seen once, and those seen twice, each in the order of
        ``sample_sizes(len(people))``.
    """
    sizes = sample_sizes(len(people))
    counts = np.zeros((3, len(sizes)))
    small, _ = restrict(ts, np.asarray(people), copies=2)
    for index in reversed(range(len(sizes))):
        nodes = np.arange(2 * sizes[index], dtype=np.int32)
        if len(nodes) < small.num_samples:
            small = small.simplify(nodes, record_provenance=False)
        counts[:, index] = varying_alleles(small)
    return counts[0], counts[1], counts[2]


def varying_alleles(ts: tskit.TreeSequence) -> tuple[float, float, float]:
    """Count the derived alleles that vary among all samples, those seen once, and seen twice.

    Args:
        ts: The tree sequence of a block.
    """
    spectrum = ts.allele_frequency_spectrum(polarised=True, span_normalise=False)
    return float(spectrum[1:-1].sum()), float(spectrum[1]), float(spectrum[2:-1][:1].sum())
