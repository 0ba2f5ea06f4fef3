"""Where labels of points stand so that they do not cover one another."""

from __future__ import annotations

import numpy as np


def place_labels(points: np.ndarray, box: np.ndarray, rounds: int = 400) -> np.ndarray:
    """Places for labels of size ``box`` near ``points`` (both in pixels) that do not overlap.

    Labels start above their points; two that overlap are pushed apart along the axis on which
    they overlap less. No overlap is left unless ``rounds`` do not suffice.
    """
    places = points + np.array([0.0, 0.8 * box[1]])
    # Equal points would be pushed nowhere: a golden-angle spiral parts them, the same every time.
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
