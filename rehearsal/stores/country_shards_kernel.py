"""A country's part of a chunk of carriers, cut out in compiled code."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from rehearsal.stores.carrier_lists_writer import write_list


@numba.njit(cache=True)
def lower_bound(values: NDArray[np.int32], low: int, high: int, wanted: int) -> int:
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@numba.njit(cache=True)
def entries_of_haplotypes(
    indptr: NDArray[np.int64], haplotype: NDArray[np.int32], first: int, stop: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """By site, where the haplotypes ``first`` to ``stop`` stand among the entries."""
    start = np.empty(indptr.size - 1, np.int64)
    end = np.empty(indptr.size - 1, np.int64)
    for site in range(indptr.size - 1):
        start[site] = lower_bound(haplotype, indptr[site], indptr[site + 1], first)
        end[site] = lower_bound(haplotype, start[site], indptr[site + 1], stop)
    return start, end


@numba.njit(cache=True)
def write_lists(
    site: NDArray[np.int64],
    allele: NDArray[np.int64],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    haplotype: NDArray[np.int32],
    entry_allele: NDArray[np.uint8],
    individual: NDArray[np.int32],
    first_individual: int,
    individuals: int,
    carriers: NDArray[np.uint8],
    homozygotes: NDArray[np.uint8],
    carriers_offset: NDArray[np.int32],
    homozygotes_offset: NDArray[np.int32],
) -> None:
    """The lists of carriers and homozygotes of each row, as bytes one after the other."""
    who = np.empty(individuals, np.int32)
    twice = np.empty(individuals, np.int32)
    for row in range(site.size):
        n = m = 0
        previous = -1
        for q in range(start[site[row]], end[site[row]]):
            if entry_allele[q] != allele[row]:
                continue
            person = individual[haplotype[q]] - first_individual
            if person == previous:
                twice[m] = person
                m += 1
            else:
                who[n] = person
                n += 1
                previous = person
        carriers_offset[row + 1] = write_list(who[:n], carriers, carriers_offset[row])
        homozygotes_offset[row + 1] = write_list(twice[:m], homozygotes, homozygotes_offset[row])
