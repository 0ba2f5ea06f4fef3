"""Compiled code for answers to consecutive questions, and who pays for them."""

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
    """Count the carriers behind each answer, and say whether its count is given.

    Args:
        asked: Numbers of the alleles, in the order of the questions.
        start: Start of each allele's carriers in ``members``.
        members: Carriers of all alleles.
        left_out: A person who is not in the node; -1 for none.
        counted: Whether counts are asked for, or presence.
        presence_price: Price of presence for each question.
        count_price: Price of a count for each question.
        limit: Budget of each person.
        people: Number of people in the node.

    Returns:
        Carriers behind each answer, int64, and whether the count is given, bool.
    """
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
    """Charge the carriers who can pay, and count them.

    Args:
        spent: Amount spent by each person; it is changed.
        carriers: The carriers.
        left_out: A person who is not in the node; -1 for none.
        price: Price for each carrier.
        limit: Budget of each person.
    """
    paying = 0
    for person in carriers:
        if person != left_out and (price < FREE or spent[person] + price <= limit):
            paying += 1
            if price >= FREE:
                spent[person] += price
    return paying
