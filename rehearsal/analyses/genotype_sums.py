"""Counts of genotypes, and sums of genotypes times columns of people, for many variants at once.

Most variants are rare. Their sums run over carriers only; those of common variants are products of
matrices. A missing call adds nothing to a sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.view import CELLS, Genotypes, View

SPARSE = 0.02  # share of people with a carried or missing allele up to which carriers are summed
DENSE_CELLS = 1 << 16  # genotypes of a block that, as 64-bit numbers, stay in the nearest cache

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]  # of variants in a view; -1 stands for a variant that nobody carries
People = NDArray[np.uint32]  # rows of people in a view, ascending, at least one


@dataclass(frozen=True, slots=True)
class GenotypeCounts:
    """Numbers of people by genotype, each of shape (n_variants,)."""

    none: NDArray[np.int64]  # without an alternate allele
    one: NDArray[np.int64]
    two: NDArray[np.int64]
    missing: NDArray[np.int64]
    hidden: int  # variants that count as constant, or as without missing calls

    @property
    def carriers(self) -> NDArray[np.int64]:
        """People with an alternate allele."""
        return self.one + self.two

    @property
    def reference_carriers(self) -> NDArray[np.int64]:
        """People with a reference allele."""
        return self.none + self.one

    @property
    def alleles(self) -> NDArray[np.int64]:
        """Alternate alleles."""
        return self.one + 2 * self.two


def count_genotypes(view: View, rows: Rows, people: People, least: int) -> GenotypeCounts:
    """Count genotypes, and hide those that would tell of fewer than ``least`` people.

    Where fewer than ``least`` people lack a call, or have one, missing calls count as calls without
    the allele. Then a variant with fewer carriers counts as carried by nobody, and one with fewer
    people who have a reference allele as homozygous in everybody with a call.

    Args:
        view: The node's view.
        rows: Rows of variants.
        people: Rows of people.
        least: The smallest number of people that may be told. 1 hides nothing.

    Returns:
        The counts.
    """
    counts = view.counts_of_everyone if people.size == view.n_people else view.counts(people)
    found = np.zeros((4, rows.size), dtype=np.int64)
    found[0] = people.size
    here = rows >= 0
    found[:, here] = counts[rows[here]].T
    none, one, two, missing = found
    calls = _few(missing, least) | _few(none + one + two, least)
    none[calls] += missing[calls]
    missing[calls] = 0
    nobody, called = _few(one + two, least), none + one + two
    everybody = _few(none + one, least) & ~nobody
    one[nobody | everybody] = 0
    two[nobody], two[everybody] = 0, called[everybody]
    none[nobody], none[everybody] = called[nobody], 0
    return GenotypeCounts(none, one, two, missing, int((calls | nobody | everybody).sum()))


def sum_products(
    view: View, rows: Rows, people: People, columns: Numbers, counts: GenotypeCounts
) -> Numbers:
    """Sum alternate alleles times columns over the people with a call.

    Args:
        view: The node's view.
        rows: Rows of variants.
        people: Rows of people.
        columns: Shape (n_people, n_columns).
        counts: The counts of the same variants and people. What they hide stays hidden.

    Returns:
        Shape (n_variants, n_columns).
    """
    found = np.zeros((rows.size, columns.shape[1]))
    everybody = (counts.reference_carriers == 0) & (counts.two > 0)
    found[everybody] = 2.0 * columns.sum(axis=0)
    apart = np.flatnonzero(everybody & (counts.missing > 0))
    found[apart] -= 2.0 * sum_missing(view, rows[apart], people, columns)
    varying = (counts.carriers > 0) & ~everybody
    sparse = counts.carriers + counts.missing <= SPARSE * people.size
    here = np.flatnonzero(varying & sparse)
    for part, block in view.blocks(rows[here], people):
        found[here[part]] = _sum_sparse(block, columns)
    here = np.flatnonzero(varying & ~sparse)
    for part, block in view.blocks(rows[here], people, DENSE_CELLS):
        if block.min() < 0:  # a missing call, perhaps one that is hidden
            np.maximum(block, 0, out=block)
        found[here[part]] = block.astype(np.float64) @ columns
    return found


def sum_missing(view: View, rows: Rows, people: People, columns: Numbers) -> Numbers:
    """Sum columns over the people without a call.

    Args:
        view: The node's view.
        rows: Rows of variants.
        people: Rows of people.
        columns: Shape (n_people, n_columns).

    Returns:
        Shape (n_variants, n_columns).
    """
    found = np.zeros((rows.size, columns.shape[1]))
    here = np.flatnonzero(rows >= 0)
    for part, block in view.blocks(rows[here], people):
        found[here[part]] = _sum_sparse((block < 0).astype(np.int8), columns)
    return found


def hidden_blocks(
    view: View, rows: Rows, people: People, least: int
) -> Iterator[tuple[slice, Genotypes]]:
    """Read genotypes in blocks, those of variants that a node lacks too, and hide few people.

    Args:
        view: The node's view.
        rows: Rows of variants.
        people: Rows of people.
        least: As of :func:`count_genotypes`, by the same rules.

    Yields:
        A slice of ``rows``, and its genotypes, shape (n_block, n_people).
    """
    most = max(1, CELLS // people.size)
    for first in range(0, rows.size, most):
        part = slice(first, min(first + most, rows.size))
        here = np.flatnonzero(rows[part] >= 0)
        block = np.zeros((part.stop - part.start, people.size), dtype=np.int8)
        for inner, genotypes in view.blocks(rows[part][here], people):
            block[here[inner]] = genotypes
        hide_few(block, 2, least)
        yield part, block


def hide_few(block: Genotypes, top: int, least: int) -> None:
    """Apply the rules of :func:`count_genotypes` to genotypes.

    Args:
        block: Shape (n_variants, n_people). It is changed.
        top: The largest number of alleles of a person: 2, or 1 for carriers of genes.
        least: The smallest number of people that may be told.
    """
    missing = (block < 0).sum(axis=1)
    calls = _few(missing, least) | _few(block.shape[1] - missing, least)
    block[calls] = np.maximum(block[calls], 0)
    nobody = _few((block > 0).sum(axis=1), least)
    block[nobody] = np.minimum(block[nobody], 0)
    everybody = _few(((block >= 0) & (block < top)).sum(axis=1), least) & ~nobody
    block[everybody] = np.where(block[everybody] < 0, block[everybody], top)


def _few(people: NDArray[np.int64], least: int) -> NDArray[np.bool_]:
    return (people > 0) & (people < least)


def _sum_sparse(block: Genotypes, columns: Numbers) -> Numbers:
    """Multiply a block by columns, over its cells of 1 and 2 only."""
    place = np.flatnonzero(block > 0)
    row, person = np.divmod(place, block.shape[1])
    terms = columns[person]
    terms[block.ravel()[place] == 2] *= 2
    found = np.zeros((block.shape[0], columns.shape[1]))
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    if starts.size:
        found[row[starts]] = np.add.reduceat(terms, starts, axis=0)
    return found
