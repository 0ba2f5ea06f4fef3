"""One node's part in a Cox regression over all nodes: sums, at a coefficient that is asked for.

The partial likelihood is stratified, so no risk set spans two nodes: the derivatives of all nodes'
people together are the sums of the nodes' own. Newton steps over the sums therefore find exactly
what a regression of the pooled people, stratified by node and sex, would.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Derivatives:
    """Of the log partial likelihood at one coefficient. ``information``: minus the second."""

    people: int
    events: int
    gradient: float
    information: float

    def __add__(self, other: Derivatives) -> Derivatives:
        return Derivatives(
            self.people + other.people,
            self.events + other.events,
            self.gradient + other.gradient,
            self.information + other.information,
        )


def derivatives(
    score: NDArray[np.float64],
    left: NDArray[np.int64],
    ill: NDArray[np.bool_],
    coefficient: float,
) -> Derivatives:
    """Of one stratum; a value each person. Ties as Efron (1977) has them.

    ``left``: the last whole year of life in which a person was followed and healthy at its
    beginning; ``ill``: whether the disease began in that year.
    """
    order = np.argsort(-left, kind="stable")
    score, left, ill = score[order], left[order], ill[order]
    risk = np.exp(coefficient * score)
    moments = [np.cumsum(risk * score**power) for power in range(3)]  # who is at risk, from the end
    gradient = information = 0.0
    for year in np.unique(left[ill]):
        at_risk = int(np.searchsorted(-left, -year, side="right")) - 1
        now = ill & (left == year)
        events = int(now.sum())
        everybody = np.array([moment[at_risk] for moment in moments])
        falling_ill = np.array([(risk[now] * score[now] ** power).sum() for power in range(3)])
        for number in range(events):
            zeroth, first, second = everybody - number / events * falling_ill
            mean = first / zeroth
            gradient -= mean
            information += second / zeroth - mean**2
        gradient += score[now].sum()
    return Derivatives(len(score), int(ill.sum()), float(gradient), float(information))
