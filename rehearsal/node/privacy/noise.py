"""Threshold, rounding and noise: the answer for a number of carriers, and its probability."""

from __future__ import annotations

import hmac
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearsal.node.privacy.protection import Protection


def draw_noise(key: bytes, question: bytes, protection: Protection) -> tuple[int, int]:
    """Draw the noise of a question, which is fixed for a key and question.

    Args:
        key: The node's secret key.
        question: The question's key.
        protection: The size of the noise.

    Returns:
        The rise of the threshold, at least 0, and the shift of a count, either way.
    """
    if protection.noise == 0:
        return 0, 0
    drawn = hmac.digest(key, question, "sha256")
    up = int.from_bytes(drawn[:8], "big") % (protection.noise + 1)
    shift = int.from_bytes(drawn[8:16], "big") % (2 * protection.noise + 1) - protection.noise
    return up, shift


def reaches_threshold(carriers: Any, up: Any, protection: Protection) -> Any:
    """Tell whether there are enough carriers to be shown.

    Args:
        carriers: Number of contributing carriers, or an array.
        up: Rise of the threshold.
        protection: The threshold.

    Returns:
        A truth value or an array.
    """
    return carriers >= protection.threshold + up


def round_count(carriers: Any, shift: Any, protection: Protection) -> Any:
    """Round a count to the nearest multiple of the step that is not 0.

    Args:
        carriers: Number of carriers, or an array.
        shift: Noise added before rounding.
        protection: The step.

    Returns:
        The count that is shown, or an array.
    """
    step = protection.rounding
    return np.maximum(step, (carriers + shift + step // 2) // step * step)


def answer_probabilities(people: int, protection: Protection, counted: bool) -> NDArray[np.float64]:
    """Compute the probability, over the noise, of each answer to 0..people carriers.

    Args:
        people: Largest number of carriers.
        protection: Threshold, rounding and noise.
        counted: Whether answers are counts rather than yes or no.

    Returns:
        Shape (people + 1, n_answers). Column 0 is "absent". Without counting, column 1 is
        "present". With it, column i is the count ``i * rounding``.
    """
    return window_probabilities(np.arange(people + 1), protection, counted)


def window_probabilities(
    carriers: NDArray[np.int64], protection: Protection, counted: bool
) -> NDArray[np.float64]:
    """Compute :func:`answer_probabilities` for selected numbers of carriers.

    Args:
        carriers: Numbers of carriers, shape (n,), consecutive.
        protection: Threshold, rounding and noise.
        counted: Whether answers are counts rather than yes or no.

    Returns:
        Shape (n, n_answers). Columns after 0 are the counts that occur in these rows.
    """
    width = protection.noise + 1
    there = np.clip((carriers - protection.threshold + 1) / width, 0, 1)
    if not counted:
        return np.column_stack([1 - there, there])
    shifts = np.arange(-protection.noise, protection.noise + 1)
    columns = round_count(carriers[:, None], shifts, protection) // protection.rounding
    columns -= columns.min() - 1  # only the counts that occur in the window
    table = np.zeros((len(carriers), int(columns.max()) + 1))
    rows = np.broadcast_to(np.arange(len(carriers))[:, None], columns.shape)
    np.add.at(table, (rows, columns), np.broadcast_to(there[:, None] / len(shifts), columns.shape))
    table[:, 0] = 1 - there
    return table
