"""Compiled code that numbers the alleles of each site and copies their texts."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(cache=True)
def _same(a: NDArray[np.int8], a0: int, a1: int, b: NDArray[np.int8], b0: int, b1: int) -> bool:
    if a1 - a0 != b1 - b0:
        return False
    for i in range(a1 - a0):  # noqa: SIM110 (numba has no generator expressions)
        if a[a0 + i] != b[b0 + i]:
            return False
    return True


@numba.njit(cache=True)
def index_alleles(
    ancestral: NDArray[np.int8],
    ancestral_offset: NDArray[np.int64],
    derived: NDArray[np.int8],
    derived_offset: NDArray[np.int64],
    mutation_offset: NDArray[np.int64],
    allele: NDArray[np.int64],
    source: NDArray[np.int64],
    offset: NDArray[np.int64],
) -> None:
    """Number the distinct alleles of each site in order of first appearance, from 0, the ancestral.

    The last three arrays are filled.

    Args:
        ancestral: Letters of all ancestral states, ASCII, one after the other.
        ancestral_offset: First letter of each site's state, shape (n_sites + 1,).
        derived: Letters of all derived states, ASCII.
        derived_offset: First letter of each mutation's state, shape (n_mutations + 1,).
        mutation_offset: First mutation of each site, shape (n_sites + 1,).
        allele: Filled with each mutation's index into its site's alleles, shape (n_mutations,).
        source: Filled, by allele of the whole block, with the mutation that introduced it, or -1
            for an ancestral allele. Shape (at least the number of alleles,).
        offset: Filled with each site's first row in ``source``, shape (n_sites + 1,).
    """
    n = 0
    for site in range(ancestral_offset.size - 1):
        offset[site] = n
        source[n] = -1
        n += 1
        a0, a1 = ancestral_offset[site], ancestral_offset[site + 1]
        for m in range(mutation_offset[site], mutation_offset[site + 1]):
            d0, d1 = derived_offset[m], derived_offset[m + 1]
            found = -1
            if _same(derived, d0, d1, ancestral, a0, a1):
                found = 0
            for k in range(offset[site] + 1, n):
                s = source[k]
                if _same(derived, d0, d1, derived, derived_offset[s], derived_offset[s + 1]):
                    found = k - offset[site]
            if found == -1:
                found = n - offset[site]
                source[n] = m
                n += 1
            allele[m] = found
    offset[ancestral_offset.size - 1] = n


@numba.njit(cache=True)
def copy_alleles(
    ancestral: NDArray[np.int8],
    ancestral_offset: NDArray[np.int64],
    derived: NDArray[np.int8],
    derived_offset: NDArray[np.int64],
    source: NDArray[np.int64],
    offset: NDArray[np.int64],
    text: NDArray[np.uint8],
    text_offset: NDArray[np.int32],
) -> None:
    """Copy the letters of all alleles into one array. The last two arrays are filled.

    Args:
        ancestral: Letters of all ancestral states, ASCII.
        ancestral_offset: First letter of each site's state, shape (n_sites + 1,).
        derived: Letters of all derived states, ASCII.
        derived_offset: First letter of each mutation's state, shape (n_mutations + 1,).
        source: By allele: the mutation that introduced it, or -1 for an ancestral allele.
        offset: First allele of each site, shape (n_sites + 1,).
        text: Filled with the letters. Must be large enough.
        text_offset: Filled with each allele's first letter, shape (n_alleles + 1,).
    """
    w = 0
    for site in range(offset.size - 1):
        for k in range(offset[site], offset[site + 1]):
            text_offset[k] = w
            if source[k] == -1:
                for i in range(ancestral_offset[site], ancestral_offset[site + 1]):
                    text[w] = ancestral[i]
                    w += 1
            else:
                for i in range(derived_offset[source[k]], derived_offset[source[k] + 1]):
                    text[w] = derived[i]
                    w += 1
    text_offset[offset[-1]] = w
