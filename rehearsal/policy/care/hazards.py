"""Hazards by year of life: of death, and of a disease from its cumulative risk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.phenotypes.age_curves import Curve
from rehearsal.policy.care.parameters import Mortality

Numbers = NDArray[np.float64]

NODES = 32  # of Gauss-Hermite quadrature: exact to 1e-12 for hazard ratios below 3 per deviation
LEAST_RISK = 1e-12  # before a disease can begin


def deaths_a_year(mortality: Mortality, ages: NDArray[np.int64]) -> Numbers:
    """Compute hazards of death, each the mean over a year of life.

    Args:
        mortality: The hazard by age.
        ages: Whole ages at which the years begin, shape (years,).

    Returns:
        Hazards, shape (years,).
    """
    begin, end = (np.exp(mortality.slope * (ages + by - mortality.mode)) for by in (0, 1))
    return end - begin


def cumulative_hazards(risk: Curve, ages: NDArray[np.int64]) -> Numbers:
    """Compute the cumulative hazards of a disease.

    Args:
        risk: Its cumulative risk by age.
        ages: Ages in years, shape (ages,).

    Returns:
        ``-log(1 - risk)``, shape (ages,).
    """
    return -np.log1p(-risk.at(ages))


def baseline_hazards(
    risk: Curve,
    ages: NDArray[np.int64],
    log_ratios: Numbers,
    risk_ratios: Numbers | float = 1.0,
) -> Numbers:
    """Find the cumulative hazards of people with an average score.

    The hazard of a person is the baseline times ``exp(log_ratio score)``, with standard normal
    scores. The baseline H is the one that gives the cumulative risk of everybody:
    ``mean(exp(-H exp(log_ratio score))) = (1 - risk) ** risk_ratio``, solved by Newton's method.

    Args:
        risk: The cumulative risk of everybody by age.
        ages: Ages in years, shape (ages,).
        log_ratios: Logarithms of hazard ratios per standard deviation, shape (draws,).
        risk_ratios: Times the cumulative hazard of everybody, shape (draws,).

    Returns:
        Cumulative baseline hazards, shape (ages, draws).
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    effects = np.exp(log_ratios[:, None] * nodes)  # (draws, nodes)
    free = np.maximum(1 - risk.at(ages), LEAST_RISK)
    target = np.where(free >= 1, 0.0, np.log(free))[:, None] * risk_ratios
    hazards = np.broadcast_to(
        -target / ((effects * weights).sum(axis=-1)[None, :]), (len(ages), len(log_ratios))
    ).copy()
    for _ in range(6):
        survival = np.exp(-hazards[..., None] * effects) * weights
        total = survival.sum(axis=-1)
        slope = (survival * effects).sum(axis=-1)
        # Newton's step for log(total), which is nearly linear in the hazard
        hazards += (np.log(total) - target) * total / slope
    return hazards
