"""Procrustes analysis: the best fit of one layout of places to another one.

A layout is an array of shape (k, d): k places in d dimensions. A fit shifts, scales, rotates and
reflects it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def procrustes_correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Compute how similar two layouts are after the best fit.

    Args:
        one: A layout, shape (k, d).
        other: Another one of the same places, shape (k, d).

    Returns:
        From 0, unrelated, to 1, identical.
    """
    product = _centred_unit(one).T @ _centred_unit(other)
    return float(np.linalg.svd(product, compute_uv=False).sum())


def procrustes_residuals(layout: Matrix, target: Matrix) -> Matrix:
    """Compute the residuals of the best fit of a layout to a target.

    Args:
        layout: The layout to fit, shape (k, d).
        target: The target, shape (k, d).

    Returns:
        Fitted layout minus target, shape (k, d), in units of the centred target's norm.
    """
    moved, fixed = _centred_unit(layout), _centred_unit(target)
    left, right, scale = _best_rotation(moved, fixed)
    return scale * moved @ left @ right - fixed


def fit_layout(layout: Matrix, target: Matrix, points: Matrix) -> Matrix:
    """Move points as a layout must be moved to fit a target best.

    Args:
        layout: The layout, shape (k, d).
        target: The target, shape (k, d).
        points: The points to move, shape (n, d).

    Returns:
        The moved points, shape (n, d).
    """
    shift, goal = layout.mean(axis=0), target.mean(axis=0)
    left, right, scale = _best_rotation(layout - shift, target - goal)
    factor = scale / np.square(layout - shift).sum()
    return factor * (points - shift) @ left @ right + goal


def _best_rotation(moved: Matrix, fixed: Matrix) -> tuple[Matrix, Matrix, float]:
    """Compute two factors of the rotation, and the sum of the singular values of the product."""
    left, scale, right = np.linalg.svd(moved.T @ fixed)
    return left, right, scale.sum()


def _centred_unit(layout: NDArray[Any]) -> Matrix:
    centred = np.asarray(layout, dtype=float) - np.mean(layout, axis=0)
    return centred / np.linalg.norm(centred)
