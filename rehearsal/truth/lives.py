"""Lives in continuous time, one by one: when a disease begins, when they end, what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Numbers = NDArray[np.float64]
Points = Sequence[tuple[float, float]]  # ages and values, linear between them

QUANTILES = 4_000  # of the score, when the baseline of a disease is solved for
HALVINGS = 60


@dataclass(frozen=True)
class Lives:
    """Lives from an age on: when the disease begins and when they end, in years from there."""

    ill: Numbers  # inf for never before death
    end: Numbers


def value_at(points: Points, ages: NDArray[np.int64]) -> Numbers:
    """Evaluate a curve that is linear between its points and constant beyond them.

    Args:
        points: The curve.
        ages: Whole ages, shape (ages,).
    """
    given, values = np.array(points).T
    curve: Numbers = np.interp(ages, given, values)
    return curve


def times_hazard(risk: Numbers, ratio: float) -> Numbers:
    """Return a cumulative risk whose cumulative hazard is multiplied.

    Args:
        risk: Cumulative risk by age.
        ratio: By how much.
    """
    return 1 - (1 - risk) ** ratio


def solve_baseline(risk: Numbers, log_ratio: float) -> Numbers:
    """Solve for cumulative hazards at an average score, by halving, from quantiles of the score.

    Args:
        risk: Cumulative risk of everybody by age, shape (ages,).
        log_ratio: Logarithm of the hazard ratio per standard deviation of the score.

    Returns:
        Cumulative hazards, shape (ages,).
    """
    effect = np.exp(log_ratio * ndtri((np.arange(QUANTILES) + 0.5) / QUANTILES))
    low, high = np.zeros(len(risk)), np.full(len(risk), 50.0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        ill = 1 - np.exp(-middle[:, None] * effect).mean(axis=1)
        low, high = np.where(ill < risk, middle, low), np.where(ill < risk, high, middle)
    return (low + high) / 2


def cumulative_deaths(mortality: Mapping[str, float], ages: NDArray[np.int64]) -> Numbers:
    """Integrate Gompertz's hazard ``slope exp(slope (age - mode))`` from the first age on.

    Args:
        mortality: ``slope`` (per year) and ``mode`` (years).
        ages: Whole ages, shape (ages,).
    """
    slope, mode = mortality["slope"], mortality["mode"]
    whole: Numbers = np.exp(slope * (ages - mode)) - np.exp(slope * (ages[0] - mode))
    return whole


def time_of(hazard: Numbers, cumulative: Numbers, years: NDArray[np.int64]) -> Numbers:
    """Return the times at which cumulative hazards are reached, inf where they are not.

    Args:
        hazard: The hazards, one for each person.
        cumulative: Cumulative hazards by year, shape (years,).
        years: The same years, from 0 on.
    """
    reached = np.interp(hazard, cumulative, years)
    return np.where(hazard > cumulative[-1], np.inf, reached)


def end_lives(
    ill: Numbers,
    death: Numbers,
    dying: Numbers,
    dying_ill: Numbers,
    fatal: NDArray[np.bool_],
    years: NDArray[np.int64],
) -> Lives:
    """Find the ends of lives.

    Args:
        ill: Years from the start at which the disease would begin, one for each person.
        death: Two exponential numbers of each person, shape (2, people).
        dying: Cumulative hazard of death while well, by year.
        dying_ill: The same while ill.
        fatal: Who would die of falling ill.
        years: The years, from 0 on.
    """
    last = float(years[-1])
    end_well = np.minimum(time_of(death[0], dying, years), last)
    falls = ill < end_well
    at_onset = np.interp(np.where(falls, ill, 0.0), years, dying_ill)
    end_ill = np.minimum(time_of(at_onset + death[1], dying_ill, years), last)
    end = np.where(falls, np.where(fatal, ill, end_ill), end_well)
    return Lives(np.where(falls, ill, np.inf), end)


def add_up(lives: Lives, rate: float, policy: Mapping[str, Any]) -> tuple[Numbers, Numbers]:
    """Add up discounted costs and quality-adjusted years, without those of the care itself.

    Args:
        lives: The lives.
        rate: Of discounting, a year.
        policy: The assumptions of a way of care.

    Returns:
        Euro and quality-adjusted years of each person.
    """
    falls = np.isfinite(lives.ill)
    well_until = np.where(falls, lives.ill, lives.end)
    well = discounted(0.0, well_until, rate)
    ill = discounted(well_until, lives.end, rate)
    event = np.where(falls, (1 + rate) ** -np.where(falls, lives.ill, 0.0), 0.0)
    euro = ill * policy["ill_euro_a_year"] + event * policy["event_euro"]
    qaly = (
        well * policy["utility_well"] + ill * policy["utility_ill"] - event * policy["event_qaly"]
    )
    return euro, qaly


def discounted(begin: float | Numbers, end: Numbers, rate: float) -> Numbers:
    """Integrate the discount factor over times in years.

    Args:
        begin: Begin of each time.
        end: Its end.
        rate: Of discounting, a year.
    """
    if rate == 0:
        return end - begin
    force = np.log1p(rate)
    whole: Numbers = (np.exp(-force * np.asarray(begin)) - np.exp(-force * end)) / force
    return whole
