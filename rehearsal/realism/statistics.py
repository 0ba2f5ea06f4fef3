"""Statistics of pairs of countries, and means by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def pair_values(matrix: Matrix) -> NDArray[np.float64]:
    """Return the upper triangle of a matrix as a vector, row by row.

    Args:
        matrix: Shape (k, k).
    """
    return matrix[np.triu_indices(len(matrix), 1)]


def correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Compute Pearson's correlation. NaN with fewer than three values or without spread.

    Args:
        one: A vector.
        other: A vector of the same length.
    """
    known = np.isfinite(one) & np.isfinite(other)
    one, other = np.asarray(one, float)[known], np.asarray(other, float)[known]
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def slope(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Compute the slope of the regression of ``one`` on ``other``. NaN without spread.

    Pairs with a value that is not finite are left out.

    Args:
        one: The dependent variable.
        other: The independent variable.
    """
    known = np.isfinite(one) & np.isfinite(other)
    one, other = np.asarray(one, float)[known], np.asarray(other, float)[known]
    if len(other) < 2 or np.ptp(other) == 0:
        return float("nan")
    return float(np.polyfit(other, one, 1)[0])


def group_means(scores: Matrix, group: NDArray[np.integer], groups: Sequence[int]) -> Matrix:
    """Average the scores of each group, shape (len(groups), axes).

    Args:
        scores: Shape (n, axes).
        group: Group of each row, shape (n,).
        groups: The groups, in the order of the result.
    """
    return np.array([scores[group == number].mean(axis=0) for number in groups])


def ratio(above: SupportsFloat, below: SupportsFloat) -> float:
    """Divide two numbers. NaN if the divisor is 0.

    Args:
        above: The dividend.
        below: The divisor.
    """
    return float(above) / float(below) if below else float("nan")
