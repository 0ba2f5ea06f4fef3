"""A cohort in cycles of a year spends the time in each state that calculus gives."""

from dataclasses import replace

import numpy as np
import pytest

from rehearsal.phenotypes.age_curves import Curve
from rehearsal.policy.care.cohort_model import Course, Illness, run_cohort
from rehearsal.policy.care.hazards import NODES, baseline_hazards, deaths_a_year
from rehearsal.policy.care.parameters import Mortality

YEARS = 60
NONE, ONE = np.zeros(1), np.ones(1)


def each_year(value):
    return np.full((YEARS, 1, 1), value)


FALLS, DIES = 0.02, 0.01
COURSE = Course(
    falls_ill=each_year(FALLS),
    dies_well=each_year(DIES),
    illnesses=[Illness(np.ones(YEARS, bool), each_year(0.05))],
    euro_well=each_year(1.0),
    utility_well=each_year(1.0),
    euro_ill=NONE,
    utility_ill=NONE,
    euro_event=NONE,
    qaly_event=NONE,
    fatality=NONE,
    euro_start=NONE,
    qaly_start=NONE,
)


def test_time_well_is_that_of_an_exponential_life():
    euro, qaly = run_cohort(COURSE, YEARS, 0.0)
    total = FALLS + DIES
    expected = (1 - np.exp(-total * YEARS)) / total
    assert euro.item() == qaly.item() == pytest.approx(expected, rel=1e-12)


def test_events_are_counted_once():
    course = replace(COURSE, euro_well=each_year(0.0), euro_event=100 * ONE)
    euro, _ = run_cohort(course, YEARS, 0.0)
    total = FALLS + DIES
    assert euro.item() == pytest.approx(100 * FALLS / total * (1 - np.exp(-total * YEARS)))


def test_time_ill_follows_from_both_hazards():
    course = replace(COURSE, utility_well=each_year(0.0), utility_ill=ONE)
    _, qaly = run_cohort(course, YEARS, 0.0)
    a, b = FALLS + DIES, 0.05
    # integral of P(ill at t) = FALLS (exp(-a t) - exp(-b t)) / (b - a)
    expected = FALLS / (b - a) * ((1 - np.exp(-a * YEARS)) / a - (1 - np.exp(-b * YEARS)) / b)
    assert qaly.item() == pytest.approx(expected, rel=1e-3)  # people fall ill in mid-year


def test_who_fell_ill_early_keeps_the_deaths_of_that_time_for_life():
    """Examinations end after 10 years; later deaths of those found by them stay fewer."""
    early = np.arange(YEARS) < 10
    course = replace(
        COURSE,
        utility_well=each_year(0.0),
        utility_ill=ONE,
        illnesses=[Illness(early, each_year(0.03)), Illness(~early, each_year(0.05))],
    )
    times = np.linspace(0, YEARS, 600_001)[:-1] + YEARS / 1_200_000
    falls = FALLS * np.exp(-(FALLS + DIES) * times)
    dies = np.where(times < 10, 0.03, 0.05)
    lived = falls * (1 - np.exp(-dies * (YEARS - times))) / dies
    assert run_cohort(course, YEARS, 0.0)[1].item() == pytest.approx(lived.mean() * YEARS, rel=1e-3)


def test_fatal_events_leave_nobody_ill():
    course = replace(COURSE, utility_well=each_year(0.0), utility_ill=ONE, fatality=ONE)
    assert run_cohort(course, YEARS, 0.0)[1].item() == 0


def test_discounting_is_close_to_that_of_continuous_time():
    euro, _ = run_cohort(COURSE, YEARS, 0.03)
    total = FALLS + DIES + np.log(1.03)
    assert euro.item() == pytest.approx((1 - np.exp(-total * YEARS)) / total, rel=2e-4)


def test_what_is_paid_at_once_is_not_discounted():
    course = replace(COURSE, euro_start=500 * ONE, qaly_start=0.25 * ONE)
    plain, now = run_cohort(COURSE, YEARS, 0.03), run_cohort(course, YEARS, 0.03)
    assert now[0] - plain[0] == pytest.approx(500) and plain[1] - now[1] == pytest.approx(0.25)


def test_the_baseline_keeps_everybodys_risk():
    risk = Curve((0, 40, 80), (0, 0.02, 0.4))
    ages, log_ratios = np.arange(30, 101), np.array([0.0, 0.3, 0.6])
    hazards = baseline_hazards(risk, ages, log_ratios)
    score = np.linspace(-8, 8, 4001)
    density = np.exp(-(score**2) / 2)
    ratio = np.exp(np.multiply.outer(log_ratios, score))
    survival = np.exp(-hazards[..., None] * ratio) @ (density / density.sum())
    assert NODES == 32
    np.testing.assert_allclose(1 - survival, np.repeat(risk.at(ages)[:, None], 3, 1), atol=1e-9)


def test_deaths_of_a_life_add_up_to_gompertz():
    ages = np.arange(40, 100)
    total = deaths_a_year(Mortality(85.0, 0.1), ages).sum()
    assert total == pytest.approx(np.exp(0.1 * 15) - np.exp(0.1 * -45))
