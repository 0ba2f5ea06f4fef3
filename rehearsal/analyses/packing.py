"""Symmetric sums of products of columns, each kept once."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def packed_products(columns: Numbers) -> Numbers:
    """Multiply the columns of each person with each other.

    Args:
        columns: Shape (n_people, n_columns).

    Returns:
        Shape (n_people, n_columns * (n_columns + 1) / 2): the products of columns i <= j in the
        order of ``numpy.triu_indices``.
    """
    first, second = np.triu_indices(columns.shape[1])
    return columns[:, first] * columns[:, second]


def unpacked_products(packed: Numbers, n_columns: int) -> Numbers:
    """Make symmetric matrices of sums of :func:`packed_products`.

    Args:
        packed: Shape (n, n_columns * (n_columns + 1) / 2).
        n_columns: Number of columns.

    Returns:
        Shape (n, n_columns, n_columns).
    """
    found = np.empty((packed.shape[0], n_columns, n_columns))
    first, second = np.triu_indices(n_columns)
    found[:, first, second] = packed
    found[:, second, first] = packed
    return found


def packed_triples(columns: Numbers) -> Numbers:
    """Multiply three columns of each person with each other.

    Args:
        columns: Shape (n_people, n_columns).

    Returns:
        Shape (n_people, n_columns * (n_columns + 1) * (n_columns + 2) / 6), in the order of
        :func:`triples`.
    """
    first, second, third = triples(columns.shape[1])
    return columns[:, first] * columns[:, second] * columns[:, third]


def triples(n_columns: int) -> NDArray[np.int64]:
    """List i <= j <= k below a number, shape (3, n_triples).

    Args:
        n_columns: The number.
    """
    listed = list(combinations_with_replacement(range(n_columns), 3))
    return np.array(listed, dtype=np.int64).reshape(-1, 3).T


def inverse_cholesky(matrices: Numbers) -> Numbers:
    """Invert the lower Cholesky factors of positive definite matrices.

    Args:
        matrices: Shape (n, n_columns, n_columns).

    Returns:
        Shape (n, n_columns, n_columns); NaN for a matrix that is not positive definite.
    """
    try:
        return np.linalg.inv(np.linalg.cholesky(matrices))
    except np.linalg.LinAlgError:
        if matrices.shape[0] == 1:
            return np.full_like(matrices, np.nan)
        halves = np.array_split(matrices, 2)  # few are not: they are soon found
        return np.concatenate([inverse_cholesky(half) for half in halves])
