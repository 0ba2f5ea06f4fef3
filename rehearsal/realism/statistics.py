"""Statistics of pairs of countries, and means by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def pair_values(matrix: Matrix) -> NDArray[np.float64]:
    """The upper triangle of a (k, k) matrix as a vector, row by row."""
    return matrix[np.triu_indices(len(matrix), 1)]


def correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Pearson's correlation of two vectors; NaN with fewer than three values or no spread."""
    known = np.isfinite(one) & np.isfinite(other)
    one, other = np.asarray(one, float)[known], np.asarray(other, float)[known]
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def slope(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Of the regression of ``one`` on ``other``; NaN without spread."""
    if len(other) < 2 or np.ptp(other) == 0:
        return float("nan")
    return float(np.polyfit(other, one, 1)[0])


def group_means(scores: Matrix, group: NDArray[np.integer], groups: Sequence[int]) -> Matrix:
    """Mean scores of each of the groups, (len(groups), axes)."""
    return np.array([scores[group == number].mean(axis=0) for number in groups])


def ratio(above: SupportsFloat, below: SupportsFloat) -> float:
    """NaN over nothing."""
    return float(above) / float(below) if below else float("nan")
