"""Score-based prevention: everybody has a score computed, and those with a high one are treated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rehearsal.model import Sex
from rehearsal.phenotypes.age_curves import Curve
from rehearsal.policy.care.cohort_model import Course, Illness, run_cohort
from rehearsal.policy.care.hazards import baseline_hazards, deaths_a_year
from rehearsal.policy.care.parameters import Economics, Value
from rehearsal.policy.care.sensitivity import (
    DRAWS,
    Gain,
    Summary,
    both_arms,
    compare_single,
    draw_shares,
    draw_values,
    given_shares,
    given_values,
    single_changes,
    summarise,
)

Numbers = NDArray[np.float64]

HAZARD_RATIO = "hazard_ratio_per_sd"  # which the nodes told, among the changes of single values


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
        shares of people with each score; costs and effects with and without prevention; and the
        gain with single assumptions changed.
    """
    rng = np.random.default_rng(seed)
    counts = [sums.below, *sums.counts, sums.above]
    values = {**economics.prevention.values, "discount_rate": economics.discount_rate}
    given, ratio = given_values(values), np.array([sums.log_ratio])
    best = _gain(economics, risk, sums, given, ratio, given_shares(counts))
    drawn = _gain(
        economics,
        risk,
        sums,
        draw_values(values, rng, draws),
        sums.log_ratio + sums.se * rng.standard_normal(draws),
        draw_shares(counts, rng, draws),
    )
    ratio_told = {HAZARD_RATIO: Value(float(np.exp(sums.log_ratio)), sums.se, "lognormal", "")}
    changes, changed = single_changes({**values, **ratio_told})
    ratios = np.log(changed.pop(HAZARD_RATIO))
    single = _gain(economics, risk, sums, changed, ratios, given_shares(counts))
    usual = _usual(economics, risk, sums, given, ratio, given_shares(counts))
    return replace(
        summarise(best, drawn, economics.euro_per_qaly),
        arms=both_arms(usual, best),
        single=compare_single(changes, single, economics.euro_per_qaly),
    )


def _gain(
    economics: Economics,
    risk: Mapping[Sex, Curve],
    sums: ScoreSums,
    values: Mapping[str, Numbers],
    log_ratios: Numbers,
    shares: Numbers,  # of people by bin, shape (bins, draws)
) -> Gain:
    """Return the gain: people with low scores only pay for the test."""
    treated = np.flatnonzero(
        np.append(-np.inf, sums.edges) >= economics.prevention.threshold_sd - 1e-9
    )
    euro, qaly = values["test_euro"] * 1.0, np.zeros(len(log_ratios))
    for sex, curve in risk.items():
        people = _People(middles(sums), log_ratios, shares, values["risk_ratio"])
        cohort = _start(economics, sex, curve, people, treated)
        euro_with, qaly_with = _follow(economics, values, cohort, True)
        euro_without, qaly_without = _follow(economics, values, cohort, False)
        euro = euro + (euro_with - euro_without) / len(risk)
        qaly = qaly + (qaly_with - qaly_without) / len(risk)
    return Gain(euro, qaly)


def _usual(
    economics: Economics,
    risk: Mapping[Sex, Curve],
    sums: ScoreSums,
    values: Mapping[str, Numbers],
    log_ratios: Numbers,
    shares: Numbers,
) -> tuple[Numbers, Numbers]:
    """Return costs and effects of people with any score and usual care."""
    everybody = np.arange(len(shares))
    people = _People(middles(sums), log_ratios, shares, values["risk_ratio"])
    several = [
        _follow(economics, values, _start(economics, sex, curve, people, everybody), False)
        for sex, curve in risk.items()
    ]
    euro, qaly = (sum(one) / len(risk) for one in zip(*several, strict=True))
    return euro, qaly


@dataclass(frozen=True, slots=True)
class _People:
    """People by bin of the score, well or not."""

    scores: Numbers  # in standard deviations, shape (bins,)
    log_ratios: Numbers  # per standard deviation, shape (draws,)
    shares: Numbers  # shape (bins, draws)
    risk_ratios: Numbers  # times the cumulative hazard of everybody, shape (draws,)


@dataclass(frozen=True, slots=True)
class _Cohort:
    """People of one sex by bin of the score, at the start."""

    well: Numbers  # share of all who are well, shape (bins, draws)
    hazards: Numbers  # of the disease, shape (years, bins, draws)
    deaths: Numbers  # hazards, shape (years, 1, 1)
    in_time: NDArray[np.bool_]  # years in which people may be treated


def _start(
    economics: Economics,
    sex: Sex,
    curve: Curve,
    people: _People,
    bins: NDArray[np.int64],
) -> _Cohort:
    ages = np.arange(economics.prevention.start_age, economics.last_age + 1)
    ratios = np.exp(people.log_ratios * people.scores[:, None])  # (bins, draws)
    baseline = baseline_hazards(curve, ages, people.log_ratios, people.risk_ratios)
    well = people.shares * np.exp(-baseline[0] * ratios)
    well /= well.sum(axis=0)
    return _Cohort(
        well[bins],
        np.diff(baseline, axis=0)[:, None, :] * ratios[bins],
        deaths_a_year(economics.mortality[sex], ages[:-1])[:, None, None],
        ages[:-1] < economics.prevention.end_age,
    )


def _follow(
    economics: Economics, values: Mapping[str, Numbers], cohort: _Cohort, is_treated: bool
) -> tuple[Numbers, Numbers]:
    """Return costs and effects of the cohort, per person of all who are well at the start."""
    course = _course(values, cohort.hazards, cohort.deaths, cohort.in_time, is_treated)
    euro, qaly = run_cohort(course, len(cohort.deaths), values["discount_rate"])
    return (cohort.well * euro).sum(axis=0), (cohort.well * qaly).sum(axis=0)


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
