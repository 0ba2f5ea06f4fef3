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
    last_year: NDArray[np.int64],
    affected: NDArray[np.bool_],
    coefficient: float,
) -> Derivatives:
    """Of one stratum; a value each person. Ties as Efron (1977) has them.

    ``last_year``: the last whole year of life in which a person was followed and healthy at its
    beginning; ``affected``: whether the disease began in that year.
    """
    order = np.argsort(-last_year, kind="stable")
    score, last_year, affected = score[order], last_year[order], affected[order]
    risk = np.exp(coefficient * score)
    moments = [np.cumsum(risk * score**power) for power in range(3)]  # who is at risk, from the end
    gradient = information = 0.0
    for year in np.unique(last_year[affected]):
        at_risk = int(np.searchsorted(-last_year, -year, side="right")) - 1
        new_cases = affected & (last_year == year)
        events = int(new_cases.sum())
        moments_at_risk = np.array([moment[at_risk] for moment in moments])
        moments_of_new_cases = np.array(
            [(risk[new_cases] * score[new_cases] ** power).sum() for power in range(3)]
        )
        for number in range(events):
            zeroth, first, second = moments_at_risk - number / events * moments_of_new_cases
            mean = first / zeroth
            gradient -= mean
            information += second / zeroth - mean**2
        gradient += score[new_cases].sum()
    return Derivatives(len(score), int(affected.sum()), float(gradient), float(information))
