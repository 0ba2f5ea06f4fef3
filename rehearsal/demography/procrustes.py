"""Procrustes analysis: two layouts of the same places, one moved to fit the other.

A layout is (k, d): k places in d dimensions. It may be shifted, scaled, rotated and reflected.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def procrustes_correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    """How alike two layouts are: 1 the same after the best fit, 0 unrelated."""
    product = _centred_unit(one).T @ _centred_unit(other)
    return float(np.linalg.svd(product, compute_uv=False).sum())


def procrustes_residuals(layout: Matrix, target: Matrix) -> Matrix:
    """What is left of ``target`` after ``layout`` has been fitted to it, (k, d), in its units of
    one for the whole of it."""
    moved, fixed = _centred_unit(layout), _centred_unit(target)
    left, right, scale = _best_rotation(moved, fixed)
    return scale * moved @ left @ right - fixed


def fit_layout(layout: Matrix, target: Matrix, points: Matrix) -> Matrix:
    """``points`` (n, d) moved as ``layout`` must be moved to fit ``target`` best."""
    shift, goal = layout.mean(axis=0), target.mean(axis=0)
    left, right, scale = _best_rotation(layout - shift, target - goal)
    factor = scale / np.square(layout - shift).sum()
    return factor * (points - shift) @ left @ right + goal


def _best_rotation(moved: Matrix, fixed: Matrix) -> tuple[Matrix, Matrix, float]:
    """Two factors of the rotation, and the sum of the singular values of the product."""
    left, scale, right = np.linalg.svd(moved.T @ fixed)
    return left, right, scale.sum()


def _centred_unit(layout: NDArray[Any]) -> Matrix:
    centred = np.asarray(layout, dtype=float) - np.mean(layout, axis=0)
    return centred / np.linalg.norm(centred)
