"""A cohort model with the states well, ill and dead, in cycles of a year.

It is a Markov model (Sonnenberg and Beck 1993, doi:10.1177/0272989X9301300409) whose hazards are
constant within a year. Falling ill and dying compete: of those who leave a state with hazards a and
b, the share a / (a + b) leaves by the first. People spend the exact mean time of such a year in the
state in which they begin it; those who fall ill do so in its middle. Costs and effects of a year
are discounted to its middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Illness:
    """A way of being ill, which people keep until they die."""

    begins: NDArray[np.bool_]  # years in which falling ill leads to it, shape (years,)
    dies: Numbers  # hazard, by year


@dataclass(frozen=True, slots=True)
class Course:
    """What a cohort goes through. Arrays by year broadcast to (years, groups, draws).

    The others broadcast to (groups, draws). Hazards, costs and utilities are per year.
    """

    falls_ill: Numbers  # hazard, by year
    dies_well: Numbers  # hazard, by year
    illnesses: Sequence[Illness]  # exactly one of them begins in each year
    euro_well: Numbers  # by year
    utility_well: Numbers  # by year
    euro_ill: Numbers
    utility_ill: Numbers
    euro_event: Numbers  # of falling ill
    qaly_event: Numbers  # lost by falling ill
    fatality: Numbers  # share that dies of falling ill
    euro_start: Numbers  # at once
    qaly_start: Numbers  # lost at once


def run_cohort(course: Course, years: int, discount_rate: Numbers) -> tuple[Numbers, Numbers]:
    """Follow everybody from being well at the start.

    Args:
        course: What they go through.
        years: Number of cycles.
        discount_rate: Of costs and effects, a year, shape (draws,).

    Returns:
        Discounted costs in euro and quality-adjusted years of life per person, both of shape
        (groups, draws).
    """
    well, ill = np.ones(1), [np.zeros(1)] * len(course.illnesses)
    euro, qaly = course.euro_start * 1.0, -course.qaly_start
    for year in range(years):
        discount = (1 + discount_rate) ** -(year + 0.5)
        falls, dies = course.falls_ill[year], course.dies_well[year]
        stays, time_well = _stay(falls + dies)
        new = well * (1 - stays) * falls / (falls + dies)
        still = new * (1 - course.fatality)
        time_well = well * time_well
        lived = [
            _live(before, still * one.begins[year], one.dies[year])
            for before, one in zip(ill, course.illnesses, strict=True)
        ]
        ill = [after for after, _ in lived]
        time_ill = sum(time for _, time in lived)
        euro = euro + discount * (
            time_well * course.euro_well[year]
            + time_ill * course.euro_ill
            + new * course.euro_event
        )
        qaly = qaly + discount * (
            time_well * course.utility_well[year]
            + time_ill * course.utility_ill
            - new * course.qaly_event
        )
        well = well * stays
    return euro, qaly


def _live(ill: Numbers, new: Numbers, dies: Numbers) -> tuple[Numbers, Numbers]:
    """Return who is ill after a year, and the time spent ill, also of those who fall ill in it."""
    survives, time = _stay(dies)
    return (
        ill * survives + new * np.exp(-dies / 2),
        ill * time + new / 2 * np.exp(-dies / 4),
    )


def _stay(hazard: Numbers) -> tuple[Numbers, Numbers]:
    """Return the share that stays for a year, and the mean time in years that people stay in it."""
    stays = np.exp(-hazard)
    return stays, -np.expm1(-hazard) / hazard
