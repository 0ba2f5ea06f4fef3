"""Answers to one question after the other, and who pays for them, in compiled code."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from rehearsal.node.privacy.prices import FREE


@numba.njit(cache=True)
def count_contributing(
    asked: NDArray[np.int64],
    start: NDArray[np.int64],
    members: NDArray[np.int32],
    left_out: int,
    counted: bool,
    presence_price: NDArray[np.float64],
    count_price: NDArray[np.float64],
    limit: float,
    people: int,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """How many carriers each answer is made of, and whether its count is told."""
    spent, spent_on_counts = np.zeros(people), 0.0
    shown, with_count = np.zeros(asked.size, np.int64), np.zeros(asked.size, np.bool_)
    for i in range(asked.size):
        carriers = members[start[asked[i]] : start[asked[i] + 1]]
        price = count_price[i]
        if counted and (price < FREE or spent_on_counts + price <= limit):
            if price >= FREE:
                spent_on_counts += price
            with_count[i] = True
            shown[i] = charge_carriers(spent, carriers, left_out, 0.0, limit)
        else:
            shown[i] = charge_carriers(spent, carriers, left_out, presence_price[i], limit)
    return shown, with_count


@numba.njit(cache=True)
def charge_carriers(
    spent: NDArray[np.float64],
    carriers: NDArray[np.int32],
    left_out: int,
    price: float,
    limit: float,
) -> int:
    """Charge those who can pay, and say how many they are."""
    paying = 0
    for person in carriers:
        if person != left_out and (price < FREE or spent[person] + price <= limit):
            paying += 1
            if price >= FREE:
                spent[person] += price
    return paying
