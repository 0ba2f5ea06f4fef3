"""Costs and effects of each alternative, and of single assumptions that are changed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.policy.care.cascade import assess_cascade
from rehearsal.policy.care.parameters import Value, read_economics
from rehearsal.policy.care.prevention import HAZARD_RATIO, ScoreSums, assess_prevention
from rehearsal.policy.care.sensitivity import low_and_high
from rehearsal.truth.care_simulation import true_gains

CONFIG = Path(__file__).resolve().parents[4] / "config"
ECONOMICS = read_economics(CONFIG / "economics.yaml")
DISEASES = {one.name: one for one in read_traits(CONFIG / "traits.yaml").diseases}
CARRIERS = {"BRCA1": 40, "BRCA2": 60}
EDGES = np.round(np.arange(-4, 4.05, 0.1), 10)
SHARES = np.diff(stats.norm.cdf([-np.inf, *EDGES, np.inf]))
SUMS = ScoreSums(
    edges=tuple(EDGES),
    counts=tuple(1e7 * SHARES[1:-1]),
    below=1e7 * SHARES[0],
    above=1e7 * SHARES[-1],
    log_ratio=float(np.log(1.71)),  # that of the traits
    se=0.1,
)


def prevention(economics=ECONOMICS, sums=SUMS):
    return assess_prevention(economics, DISEASES[HEART].cumulative_risk, sums, 1, draws=4)


def cascade(economics=ECONOMICS):
    disease = DISEASES["breast_cancer"]
    genes = {one.gene: one.cumulative_risk["female"] for one in disease.genes}
    risks, others = [genes[gene] for gene in CARRIERS], disease.cumulative_risk["female"]
    return assess_cascade(economics, risks, others, list(CARRIERS.values()), 1, draws=4)


HEART = "coronary_artery_disease"
ASSESS = {"prevention": prevention, "cascade": cascade}


@pytest.fixture(scope="module")
def truth():
    files = CONFIG / "economics.yaml", CONFIG / "traits.yaml"
    return true_gains(*files, True, CARRIERS, 200_000, seed=1)


@pytest.mark.parametrize("way", ASSESS)
@pytest.mark.parametrize("arm", ["usual", "care"])
def test_each_alternative_costs_and_gains_what_lives_one_by_one_do(truth, way, arm):
    found, right = ASSESS[way]().arms[arm], truth[way]["arms"][arm]
    assert found.euro == pytest.approx(right["euro"], rel=0.01)
    assert found.qaly == pytest.approx(right["qaly"], rel=0.002)


@pytest.mark.parametrize("way", ASSESS)
def test_the_alternatives_differ_by_the_gain(way):
    found = ASSESS[way]()
    usual, care = found.arms["usual"], found.arms["care"]
    assert care.euro - usual.euro == pytest.approx(found.euro)
    assert care.qaly - usual.qaly == pytest.approx(found.qaly)


def changed(way, name, value):
    """The assumptions with one of them changed."""
    if name == "discount_rate":
        return replace(ECONOMICS, discount_rate=replace(ECONOMICS.discount_rate, value=value))
    part = getattr(ECONOMICS, way)
    values = {**part.values, name: replace(part.values[name], value=value)}
    return replace(ECONOMICS, **{way: replace(part, values=values)})


@pytest.mark.parametrize("way", ASSESS)
def test_a_single_change_gives_what_an_assessment_with_that_value_gives(way):
    for one in ASSESS[way]().single:
        for end in ("low", "high"):
            if one["name"] == HAZARD_RATIO:
                again = prevention(sums=replace(SUMS, log_ratio=float(np.log(one[end]))))
            else:
                again = ASSESS[way](changed(way, one["name"], one[end]))
            at = one[f"at_{end}"]
            assert at["benefit"] == pytest.approx(again.benefit)
            assert at["ratio"] == pytest.approx(again.ratio)


def test_what_changes_the_benefit_most_comes_first():
    single = prevention().single
    spans = [abs(one["at_high"]["benefit"] - one["at_low"]["benefit"]) for one in single]
    assert spans == sorted(spans, reverse=True)
    assert {"discount_rate", "test_euro", HAZARD_RATIO} <= {one["name"] for one in single}


@pytest.mark.parametrize(
    ("draw", "value", "se", "law"),
    [
        ("gamma", 90, 15, stats.gamma(36, scale=2.5)),
        ("beta", 0.2, 0.04, stats.beta(19.8, 79.2)),
        ("lognormal", 0.76, 0.05, stats.lognorm(0.05, scale=0.76)),
    ],
)
def test_the_ends_of_a_drawn_assumption_have_95_percent_of_its_draws(draw, value, se, law):
    assert low_and_high(Value(value, se, draw, "")) == pytest.approx(law.ppf([0.025, 0.975]))


def test_a_value_without_error_is_tried_with_its_given_ends_or_not_at_all():
    assert low_and_high(Value(60, 0.0, "fixed", "", 30, 120)) == (30, 120)
    assert low_and_high(Value(60, 0.0, "fixed", "")) is None
