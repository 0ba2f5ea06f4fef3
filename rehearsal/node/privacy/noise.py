"""Threshold, rounding and noise: what is answered for so many carriers, and how probably."""

from __future__ import annotations

import hmac
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearsal.node.privacy.protection import Protection


def draw_noise(key: bytes, question: bytes, protection: Protection) -> tuple[int, int]:
    """How far the threshold moves up, and the count either way: fixed for a key and question."""
    if protection.noise == 0:
        return 0, 0
    drawn = hmac.digest(key, question, "sha256")
    up = int.from_bytes(drawn[:8], "big") % (protection.noise + 1)
    shift = int.from_bytes(drawn[8:16], "big") % (2 * protection.noise + 1) - protection.noise
    return up, shift


def reaches_threshold(carriers: Any, up: Any, protection: Protection) -> Any:
    """Whether so many contributing carriers are enough to be shown; numbers or arrays."""
    return carriers >= protection.threshold + up


def round_count(carriers: Any, shift: Any, protection: Protection) -> Any:
    """The count that is shown: the nearest multiple of the step, never 0; numbers or arrays."""
    step = protection.rounding
    return np.maximum(step, (carriers + shift + step // 2) // step * step)


def answer_probabilities(people: int, protection: Protection, counted: bool) -> NDArray[np.float64]:
    """Probability over the noise of each answer (columns) to 0..people carriers (rows).

    Column 0 is "absent". Without counting column 1 is "there"; with it column i is the count
    ``i * rounding``.
    """
    return window_probabilities(np.arange(people + 1), protection, counted)


def window_probabilities(
    carriers: NDArray[np.int64], protection: Protection, counted: bool
) -> NDArray[np.float64]:
    """:func:`answer_probabilities` of rows in a window; its columns are the counts that occur."""
    width = protection.noise + 1
    there = np.clip((carriers - protection.threshold + 1) / width, 0, 1)
    if not counted:
        return np.column_stack([1 - there, there])
    shifts = np.arange(-protection.noise, protection.noise + 1)
    columns = round_count(carriers[:, None], shifts, protection) // protection.rounding
    columns -= columns.min() - 1  # a window of many people needs only the counts in it
    table = np.zeros((len(carriers), int(columns.max()) + 1))
    rows = np.broadcast_to(np.arange(len(carriers))[:, None], columns.shape)
    np.add.at(table, (rows, columns), np.broadcast_to(there[:, None] / len(shifts), columns.shape))
    table[:, 0] = 1 - there
    return table
