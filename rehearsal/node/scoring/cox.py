"""One node's part of a Cox regression over all nodes: sums at a given coefficient.

The partial likelihood is stratified, so no risk set spans two nodes, and the derivatives over all
people are the sums of the nodes' derivatives. Newton steps on the sums therefore give exactly the
result of a regression on the pooled people, stratified by node and sex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Derivatives:
    """Derivatives of the log partial likelihood at one coefficient. They can be added."""

    people: int
    events: int  # people with the disease
    gradient: float  # the first derivative
    information: float  # the negative second derivative

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
    """Compute the derivatives of one stratum, with ties after Efron (1977).

    Args:
        score: Each person's score, shape (n_people,).
        last_year: The last whole year of life, shape (n_people,), in which the person was followed
            and was healthy at its beginning.
        affected: Whether the disease began in that year, shape (n_people,).
        coefficient: The coefficient of the score.

    Returns:
        The derivatives.
    """
    order = np.argsort(-last_year, kind="stable")
    score, last_year, affected = score[order], last_year[order], affected[order]
    risk = np.exp(coefficient * score)
    moments = [np.cumsum(risk * score**power) for power in range(3)]  # of risk sets, latest first
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
