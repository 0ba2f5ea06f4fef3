"""Where labels of points stand so that they do not cover one another."""

from __future__ import annotations

import numpy as np


def place_labels(points: np.ndarray, box: np.ndarray, rounds: int = 400) -> np.ndarray:
    """Place labels near points so that no two labels overlap.

    Labels start above their points; two that overlap are pushed apart along the axis on which
    they overlap less.

    Args:
        points: Places of the points in pixels, shape (n, 2), float64, y upwards.
        box: Width and height of a label in pixels, shape (2,), float64.
        rounds: Attempts after which an overlap is left as it is.

    Returns:
        Centres of the labels in pixels, shape (n, 2), float64.
    """
    places = points + np.array([0.0, 0.8 * box[1]])
    # Equal points have no direction to part in: a golden-angle spiral gives them one.
    angle = np.arange(len(points)) * 2.399963
    places = places + 0.01 * np.column_stack([np.cos(angle), np.sin(angle)])
    for _ in range(rounds):
        gap = places[:, None] - places[None, :]
        overlap = box - np.abs(gap)
        overlap[(overlap <= 0).any(axis=2)] = 0
        overlap[np.diag_indices(len(places))] = 0
        if not overlap.any():
            break
        along = (overlap <= overlap[..., ::-1]) * overlap
        places = places + 0.3 * (np.sign(gap) * along).sum(axis=1)
    return places


def place_beside(points: np.ndarray, radii: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Place a label beside each dot, off other dots and other labels where there is room.

    The most crowded dot chooses first. Each label takes the place around its dot that covers the
    least of what is there; above the dot is preferred.

    Args:
        points: Centres of the dots in pixels, shape (n, 2), float64, y upwards.
        radii: Radii of the dots in pixels, shape (n,), float64.
        box: Width and height of a label in pixels, shape (2,), float64.

    Returns:
        Centres of the labels in pixels, shape (n, 2), float64.
    """
    gaps = np.linalg.norm(points[:, None] - points[None, :], axis=2)
    crowd = np.exp(-gaps / box.sum()).sum(axis=1)
    places, taken = points.astype(float).copy(), np.empty((0, 2))
    for dot in np.argsort(-crowd, kind="stable"):
        around = points[dot] + _candidates(radii[dot], box)
        on_dots = _overlap(around, points, (box / 2)[None, :] + 0.9 * radii[:, None])
        on_labels = _overlap(around, taken, np.broadcast_to(box, taken.shape))
        places[dot] = around[np.argmin(on_dots + 2 * on_labels + 0.5 * np.arange(len(around)))]
        taken = np.vstack([taken, places[dot]])
    return places


def _candidates(radius: float, box: np.ndarray) -> np.ndarray:
    """List places around a dot from the best to the worst: above, below, beside, corners."""
    directions = [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)]
    rings = [
        np.array(directions) * (box / 2 + (radius + 1) * reach * np.array([1, 0.9]))
        for reach in (1.0, 1.6)
    ]
    return np.vstack(rings)


def _overlap(places: np.ndarray, others: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Sum the area that each place shares with others, shape (places,)."""
    gap = np.abs(places[:, None] - others[None, :])
    return np.clip(reach[None, :] - gap, 0, None).prod(axis=2).sum(axis=1)
