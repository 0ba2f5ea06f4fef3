"""Score-based prevention: everybody has a score computed, and those with a high one are treated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearsal.model import Sex
from rehearsal.phenotypes.age_curves import Curve
from rehearsal.policy.care.cohort_model import Course, Illness, run_cohort
from rehearsal.policy.care.hazards import baseline_hazards, deaths_a_year
from rehearsal.policy.care.parameters import Economics
from rehearsal.policy.care.sensitivity import (
    DRAWS,
    Gain,
    Summary,
    draw_shares,
    draw_values,
    given_shares,
    given_values,
    summarise,
)

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScoreSums:
    """What the nodes counted and summed about a score, added up."""

    edges: tuple[float, ...]  # of the bins, in standard deviations
    counts: tuple[int, ...]  # people in each bin, one fewer than edges
    below: int  # people below the first edge
    above: int  # people above the last edge
    log_ratio: float  # logarithm of the hazard ratio per standard deviation, of a Cox regression
    se: float  # its standard error


def assess_prevention(
    economics: Economics, risk: Mapping[Sex, Curve], sums: ScoreSums, seed: int, draws: int = DRAWS
) -> Summary:
    """Compare score-based prevention with no prevention, per person tested.

    Half of the people are women. They are well at the start.

    Args:
        economics: The assumptions.
        risk: Cumulative risk of the disease by sex.
        sums: What the nodes told.
        seed: Decides the draws.
        draws: Number of draws.

    Returns:
        The gain, with its uncertainty: that of the assumptions, of the hazard ratio, and of the
        shares of people with each score.
    """
    rng = np.random.default_rng(seed)
    counts = [sums.below, *sums.counts, sums.above]
    best = _gain(
        economics,
        risk,
        sums,
        given_values(economics.prevention.values),
        np.array([sums.log_ratio]),
        given_shares(counts),
    )
    drawn = _gain(
        economics,
        risk,
        sums,
        draw_values(economics.prevention.values, rng, draws),
        sums.log_ratio + sums.se * rng.standard_normal(draws),
        draw_shares(counts, rng, draws),
    )
    return summarise(best, drawn, economics.euro_per_qaly)


def _gain(
    economics: Economics,
    risk: Mapping[Sex, Curve],
    sums: ScoreSums,
    values: Mapping[str, Numbers],
    log_ratios: Numbers,
    shares: Numbers,  # of people by bin, shape (bins, draws)
) -> Gain:
    policy = economics.prevention
    ages = np.arange(policy.start_age, economics.last_age + 1)
    scores = middles(sums)
    treated = np.flatnonzero(np.append(-np.inf, sums.edges) >= policy.threshold_sd - 1e-9)
    ratios = np.exp(log_ratios * scores[:, None])  # (bins, draws)
    euro, qaly = values["test_euro"] * 1.0, np.zeros(len(log_ratios))
    for sex, curve in risk.items():
        baseline = baseline_hazards(curve, ages, log_ratios)  # (ages, draws)
        well = shares * np.exp(-baseline[0] * ratios)
        well /= well.sum(axis=0)
        hazards = np.diff(baseline, axis=0)[:, None, :] * ratios[treated]
        deaths = deaths_a_year(economics.mortality[sex], ages[:-1])[:, None, None]
        with_and_without = [
            run_cohort(
                _course(values, hazards, deaths, ages[:-1] < policy.end_age, is_treated),
                len(ages) - 1,
                economics.discount_rate,
            )
            for is_treated in (True, False)
        ]
        (euro_with, qaly_with), (euro_without, qaly_without) = with_and_without
        euro = euro + (well[treated] * (euro_with - euro_without)).sum(axis=0) / len(risk)
        qaly = qaly + (well[treated] * (qaly_with - qaly_without)).sum(axis=0) / len(risk)
    return Gain(euro, qaly)


def middles(sums: ScoreSums) -> Numbers:
    """Return the score that stands for each bin, those beyond the edges included.

    It is the middle; beyond the edges, half a bin further.

    Args:
        sums: What the nodes told.

    Returns:
        Scores in standard deviations, shape (bins + 2,).
    """
    edges = np.array(sums.edges)
    first, last = edges[1] - edges[0], edges[-1] - edges[-2]
    inner = (edges[1:] + edges[:-1]) / 2
    return np.concatenate([[edges[0] - first / 2], inner, [edges[-1] + last / 2]])


def _course(
    values: Mapping[str, Numbers],
    hazards: Numbers,
    deaths: Numbers,
    in_time: NDArray[np.bool_],
    is_treated: bool,
) -> Course:
    """Build the course of people with high scores. ``in_time``: years in which they are treated."""
    treated = (in_time & is_treated)[:, None, None]
    return Course(
        falls_ill=hazards * np.where(treated, values["hazard_ratio_of_treatment"], 1.0),
        dies_well=deaths,
        illnesses=[Illness(np.ones(len(deaths), bool), deaths * values["mortality_ratio_ill"])],
        euro_well=np.where(treated, values["treatment_euro_a_year"], 0.0),
        utility_well=values["utility_well"]
        - np.where(treated, values["disutility_of_treatment"], 0.0),
        euro_ill=values["ill_euro_a_year"],
        utility_ill=values["utility_ill"],
        euro_event=values["event_euro"],
        qaly_event=values["event_qaly"],
        fatality=values["fatality"],
        euro_start=np.zeros(1),
        qaly_start=np.zeros(1),
    )
