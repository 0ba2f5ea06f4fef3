"""Gains of care, integrated over continuous time by other code from the files themselves.

Models and simulation share their use of an assumption. This code shares nothing with them.
"""

from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.stats import norm

from .test_arms import CARRIERS, cascade, prevention

CONFIG = Path(__file__).resolve().parents[4] / "config"
DISEASES = yaml.safe_load((CONFIG / "traits.yaml").read_text())["diseases"]
FILE = yaml.safe_load((CONFIG / "economics.yaml").read_text())
STEP = 1 / 64  # years


def plain(part):
    return {key: one["value"] if isinstance(one, dict) and "value" in one else one
            for key, one in part.items()}  # fmt: skip


def risk_at(points, ages):
    return np.interp(ages, sorted(points), [points[age] for age in sorted(points)])


def live(onset, years, sex, start, policy, force=0.0, ratio=1.0):
    """Time well by moment, falls by moment, and the discounted years ill after a fall."""
    mode, slope = (FILE["mortality"][sex][name]["value"] for name in ("mode", "slope"))
    deaths = np.exp(slope * (start + years - mode)) - np.exp(slope * (start - mode))
    well = np.exp(-onset - deaths)
    falls = np.append(np.diff(onset) * (well[1:] + well[:-1]) / 2, 0)
    ill = np.exp(-ratio * deaths - force * years)
    weighed = ill * 1.03**-years
    rest = np.cumsum((weighed * STEP)[::-1])[::-1] - weighed * STEP / 2
    return well, falls, rest / ill


def add(parts, years, policy, euro_well=0.0, less=0.0):
    well, falls, rest = parts
    now, survive = 1.03**-years, 1 - policy.get("fatality", 0)
    lost = falls * (now * policy["event_qaly"] - survive * rest * policy["utility_ill"])
    paid = falls * (now * policy["event_euro"] + survive * rest * policy["ill_euro_a_year"])
    euro = (well * now * euro_well * STEP + paid).sum()
    return np.array([euro, (well * now * (policy["utility_well"] - less) * STEP - lost).sum()])


def times(start):
    return np.arange(0, FILE["last_age"] - start + STEP / 2, STEP)


def test_prevention_gains_what_an_integral_over_time_gives():
    policy = plain(FILE["score_based_prevention"])
    start, disease = policy["start_age"], DISEASES["coronary_artery_disease"]
    years, beta = times(start), np.log(1.71)
    until = years < policy["end_age"] - start
    grid = np.linspace(-8, 8, 1601)
    weights = norm.pdf(grid) / norm.pdf(grid).sum()
    table = np.concatenate([[0], np.geomspace(1e-6, 5, 4000)])
    risks = 1 - np.exp(-np.multiply.outer(table, np.exp(beta * grid))) @ weights
    gain = np.zeros(2)
    for sex in ("female", "male"):
        baseline = np.interp(risk_at(disease["cumulative_risk"][sex], start + years), risks, table)
        well_share = np.exp(-baseline[0] * np.exp(beta * grid)) @ weights
        for score in np.arange(1.625, 5, 0.05):
            share = norm.cdf(score + 0.025) - norm.cdf(score - 0.025)
            rise = np.diff(baseline * np.exp(beta * score), prepend=0)
            rise[0] = 0
            share *= np.exp(-baseline[0] * np.exp(beta * score)) / well_share
            fewer = np.where(until, policy["hazard_ratio_of_treatment"], 1)
            arms = [np.cumsum(rise * effect) for effect in (fewer, 1)]
            ratio = policy["mortality_ratio_ill"]
            with_it, without = (live(one, years, sex, start, policy, ratio=ratio) for one in arms)
            costs = until * policy["treatment_euro_a_year"]
            burden = until * policy["disutility_of_treatment"]
            more = add(with_it, years, policy, costs, burden) - add(without, years, policy)
            gain += share * more / 2
    found = prevention()
    assert found.qaly == pytest.approx(gain[1], rel=0.01)
    assert found.euro == pytest.approx(gain[0] + policy["test_euro"], rel=0.01)


def test_cascade_testing_gains_what_an_integral_over_time_gives():
    policy, disease = plain(FILE["cascade_testing"]), DISEASES["breast_cancer"]
    start = policy["start_age"]
    years = times(start)
    until = years < policy["end_age"] - start
    deaths, found_by = policy["deaths_a_year_ill"], policy["hazard_ratio_of_examination"]
    gain, carriers_well = np.zeros(2), 0.0
    for gene, count in CARRIERS.items():
        curve = disease["genes"][gene]["cumulative_risk"]["female"]
        hazard = -np.log(1 - risk_at(curve, start + years))
        onset = hazard - hazard[0]
        well, falls, late = live(onset, years, "female", start, policy, deaths)
        *_, early = live(onset, years, "female", start, policy, deaths * found_by)
        usual = add((well, falls, late), years, policy)
        examined = add(
            (well, falls, np.where(until, early, late)),
            *(years, policy, until * policy["examination_euro_a_year"]),
        )
        fewer = onset * policy["hazard_ratio_of_surgery"]
        operated = add(live(fewer, years, "female", start, policy, deaths), years, policy)
        operated += [policy["surgery_euro"], -policy["surgery_qaly"]]
        share = policy["surgery_share"]
        weight = count / sum(CARRIERS.values()) * np.exp(-hazard[0])
        gain += weight * (share * operated + (1 - share) * examined - usual)
        carriers_well += weight
    others = 1 - risk_at(disease["cumulative_risk"]["female"], start)
    half = policy["carrier_share"]
    gain *= half / (half * carriers_well + (1 - half) * others)
    found = cascade()
    assert found.qaly == pytest.approx(gain[1], rel=0.005)
    assert found.euro == pytest.approx(gain[0] + policy["test_euro"], rel=0.01)
