"""Parsing and counting of the genotypes in VCF lines, in compiled code."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

BAD_PLOIDY, BAD_ALLELE, BAD_COLUMNS = 1, 2, 3


@numba.njit(cache=True)
def parse_genotypes(
    text: NDArray[np.uint8],
    columns: NDArray[np.int64],
    known: int,
    alleles: NDArray[np.int16],
    ploidy: NDArray[np.int8],
) -> int:
    """Parse the sample columns of a VCF line.

    Args:
        text: The sample columns, bytes separated by tabs.
        columns: Number of the individual of each sample, shape (n_samples,).
        known: Number of alleles of the record, with REF.
        alleles: Output, shape (n_individuals, 2). -1 stands for a missing allele.
        ploidy: Output, number of alleles per individual, shape (n_individuals,).

    Returns:
        0, or one of the constants ``BAD_...``.
    """
    column, i = 0, 0
    while i < text.size:
        if column == columns.size:
            return BAD_COLUMNS
        who = columns[column]
        n, value = 0, -1
        inside = True  # in the genotype, which ends at the first colon
        while True:
            end = i == text.size or text[i] == 9  # a tab
            if inside and (end or text[i] in (47, 58, 124)):  # slash, colon, bar
                if n == 2:
                    return BAD_PLOIDY
                if value >= known:
                    return BAD_ALLELE
                alleles[who, n] = value
                n += 1
                value = -1
                inside = not end and text[i] != 58
            elif inside and 48 <= text[i] <= 57:
                value = max(value, 0) * 10 + text[i] - 48
            i += 1
            if end:
                break
        ploidy[who] = n
        column += 1
    return 0 if column == columns.size else BAD_COLUMNS


@numba.njit(cache=True)
def count_allele(
    allele: int, alleles: NDArray[np.int16], ploidy: NDArray[np.int8], male: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Count one allele, and find its carriers.

    Args:
        allele: Number of the allele in the record, REF being 0.
        alleles: Alleles by individual, shape (n_individuals, 2).
        ploidy: Number of alleles per individual, shape (n_individuals,).
        male: Whether each individual is male, shape (n_individuals,).

    Returns:
        Counts, shape (2, 5), with rows female and male and columns AN, AC, hom, het, hemi; numbers
        of the carriers; numbers of the homozygotes.
    """
    counts = np.zeros((2, 5), np.int64)
    carriers = np.empty(ploidy.size, np.int32)
    homozygotes = np.empty(ploidy.size, np.int32)
    n = m = 0
    for who in range(ploidy.size):
        called = copies = 0
        for k in range(ploidy[who]):
            called += alleles[who, k] >= 0
            copies += alleles[who, k] == allele
        sex = int(male[who])
        counts[sex, 0] += called
        if copies == 0:
            continue
        counts[sex, 1] += copies
        carriers[n] = who
        n += 1
        if copies == 2:
            counts[sex, 2] += 1
            homozygotes[m] = who
            m += 1
        elif called == 2:
            counts[sex, 3] += 1
        else:
            counts[sex, 4] += 1
    return counts, carriers[:n], homozygotes[:m]
