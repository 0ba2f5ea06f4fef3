"""Differences between countries: F_ST, principal components, isolation by distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

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


def principal_components(relationship: Matrix, axes: int = 2) -> tuple[Matrix, Matrix]:
    """Leading scores (n, axes) and the axes' shares of the variance, from a sum of z z' (n, n).

    The matrix is centred, so that a part of a larger one will do. Each axis points so that its
    largest score is positive.
    """
    centred = relationship - relationship.mean(axis=0)
    centred = centred - centred.mean(axis=1, keepdims=True)
    n = len(centred)
    values, vectors = eigh((centred + centred.T) / 2, subset_by_index=[n - axes, n - 1])
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(axes)])
    return vectors * np.sqrt(values), values / np.trace(centred)


def centroids(scores: Matrix, group: NDArray[np.integer], groups: Sequence[int]) -> Matrix:
    """Mean scores of each of the groups, (len(groups), axes)."""
    return np.array([scores[group == number].mean(axis=0) for number in groups])


def laid_over(layout: Matrix, target: Matrix, points: Matrix) -> Matrix:
    """``points`` moved as ``layout`` must be moved to fit ``target`` best.

    Shift, scale, rotation and reflection (Procrustes); layout and target are (k, 2).
    """
    shift, goal = layout.mean(axis=0), target.mean(axis=0)
    left, scale, right = np.linalg.svd((layout - shift).T @ (target - goal))
    factor = scale.sum() / np.square(layout - shift).sum()
    return factor * (points - shift) @ left @ right + goal
