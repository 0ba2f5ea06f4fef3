"""Common variants, and their genotypes standardised by the joint frequency."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.alleles import AlleleList
from rehearsal.analyses.protocol import Arrays
from rehearsal.analyses.view import Genotypes

Numbers = NDArray[np.float64]


def common_variants(
    earlier: Mapping[str, Arrays], least_frequency: float, window: int
) -> NDArray[np.int64]:
    """Choose common autosomal variants.

    Args:
        earlier: Results of earlier steps: ``alleles`` and ``frequencies``.
        least_frequency: Of the rarer allele.
        window: At most one variant in each stretch of so many bases; 0 keeps all.

    Returns:
        Numbers of alleles in the joint list, ascending.
    """
    alleles = AlleleList.of(earlier["alleles"])
    frequency = earlier["frequencies"]["frequency"]
    common = np.minimum(frequency, 1 - frequency) >= max(least_frequency, 1e-12)  # nor NaN
    chosen = np.flatnonzero(common & alleles.autosomal)
    if window > 0:
        place = alleles.contig[chosen].astype(np.int64) << 32 | alleles.position[chosen] // window
        chosen = chosen[np.unique(place, return_index=True)[1]]
    return chosen


def standardisation(earlier: Mapping[str, Arrays], chosen: NDArray[np.int64]) -> Arrays:
    """Return what nodes need to standardise genotypes: ``chosen``, ``mean`` and ``scale``.

    Args:
        earlier: Results of earlier steps: ``frequencies``.
        chosen: Numbers of alleles in the joint list.
    """
    frequency = earlier["frequencies"]["frequency"][chosen]
    return {
        "chosen": chosen.astype(np.int32),
        "mean": 2 * frequency,
        "scale": 1 / np.sqrt(2 * frequency * (1 - frequency)),
    }


def standardised(genotypes: Genotypes, state: Arrays, places: NDArray[np.int64]) -> Numbers:
    """Standardise genotypes; those without a call become 0.

    Args:
        genotypes: Shape (n_variants, n_people).
        state: Arrays of :func:`standardisation`.
        places: Places of the variants in these arrays.

    Returns:
        Shape (n_variants, n_people).
    """
    mean, scale = state["mean"][places, None], state["scale"][places, None]
    return np.where(genotypes < 0, 0.0, (genotypes - mean) * scale)
