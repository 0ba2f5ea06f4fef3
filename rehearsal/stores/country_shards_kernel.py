"""Compiled code that cuts a country's part out of a chunk of carriers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part
from rehearsal.stores.carrier_lists_writer import write_list


@part
def lower_bound(values: NDArray[np.int32], low: int, high: int, wanted: int) -> int:
    """Find the first value in a sorted range that is not below the wanted one.

    Args:
        values: Values, ascending between ``low`` and ``high``.
        low: First index of the range.
        high: One past the last index of the range.
        wanted: The value to look for.

    Returns:
        An index, ``high`` if all values are below.
    """
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@kernel()
def entries_of_haplotypes(
    indptr: NDArray[np.int64], haplotype: NDArray[np.int32], first: int, stop: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find where a contiguous range of haplotypes stands among the entries of each site.

    Args:
        indptr: First entry of each site, shape (n_sites + 1,).
        haplotype: Carrying haplotypes, ascending within a site, shape (n_entries,).
        first: First haplotype of the range.
        stop: One past the last haplotype of the range.

    Returns:
        First entry and one past the last entry of each site, each of shape (n_sites,), int64.
    """
    start = np.empty(indptr.size - 1, np.int64)
    end = np.empty(indptr.size - 1, np.int64)
    for site in range(indptr.size - 1):
        start[site] = lower_bound(haplotype, indptr[site], indptr[site + 1], first)
        end[site] = lower_bound(haplotype, start[site], indptr[site + 1], stop)
    return start, end


@kernel()
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
    """Write the lists of carriers and homozygotes of each row, as bytes one after the other.

    The last four arrays are filled.

    Args:
        site: Site of each row, an index into ``start``, shape (n_rows,).
        allele: Index of each row's allele within its site, at least 1, shape (n_rows,).
        start: The country's first entry of each site, shape (n_sites,).
        end: One past its last entry, shape (n_sites,).
        haplotype: Carrying haplotypes, ascending within a site, shape (n_entries,).
        entry_allele: Allele of each entry, shape (n_entries,).
        individual: Person of each haplotype, shape (n_haplotypes,).
        first_individual: The country's first person. Lists count from this person.
        individuals: Number of people in the country.
        carriers: Filled with the lists of people who have at least one copy.
        homozygotes: Filled with the lists of people who have two copies.
        carriers_offset: Filled with the first byte of each row's list in ``carriers``. Shape
            (n_rows + 1,), the first element 0.
        homozygotes_offset: The same for ``homozygotes``.
    """
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
