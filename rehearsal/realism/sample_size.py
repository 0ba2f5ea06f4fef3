"""How the number of variants grows with the number of people."""

from __future__ import annotations

import numpy as np
import tskit
from numpy.typing import NDArray

from rehearsal.realism.genotypes import restrict

STEPS = (1, 2, 5)


def sample_sizes(people: int) -> list[int]:
    """1, 2 and 5 times the powers of ten from 10 below ``people``, and ``people``."""
    powers = [10**power for power in range(1, max(2, len(str(people))))]
    sizes = [step * power for power in powers for step in STEPS]
    return [*(size for size in sizes if size < people), people]


def sites_by_sample_size(
    ts: tskit.TreeSequence, people: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Alleles that vary among the first n of ``people``, and those of them seen once.

    Both are as long as ``sample_sizes(len(people))`` and in its order. The people have two
    haplotypes each. Every smaller sample is taken from the next larger one, so that the largest
    costs most.
    """
    sizes = sample_sizes(len(people))
    sites, singletons = np.zeros(len(sizes)), np.zeros(len(sizes))
    small, _ = restrict(ts, np.asarray(people), copies=2)
    for index in reversed(range(len(sizes))):
        nodes = np.arange(2 * sizes[index], dtype=np.int32)
        if len(nodes) < small.num_samples:
            small = small.simplify(nodes, record_provenance=False)
        sites[index], singletons[index] = varying_alleles(small)
    return sites, singletons


def varying_alleles(ts: tskit.TreeSequence) -> tuple[float, float]:
    """Derived alleles that vary among all samples, and those of them seen once."""
    spectrum = ts.allele_frequency_spectrum(polarised=True, span_normalise=False)
    return float(spectrum[1:-1].sum()), float(spectrum[1])
