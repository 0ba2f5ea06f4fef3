"""The true cost of a gained year lies in 95 % intervals in 95 % of seeds.

A seed stands for a study: what it would have found of each assumption, and what nodes with so many
people would have summed. The truth is simulated person by person from the assumptions themselves.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.policy.care.cascade import assess_cascade
from rehearsal.policy.care.parameters import read_economics
from rehearsal.policy.care.prevention import ScoreSums, assess_prevention
from rehearsal.policy.care.sensitivity import draw_values
from rehearsal.truth import care_simulation

CONFIG = Path(__file__).resolve().parents[4] / "config"
ECONOMICS = read_economics(CONFIG / "economics.yaml")
TRUTH = care_simulation.read_assumptions(CONFIG / "economics.yaml")
TRAITS = yaml.safe_load((CONFIG / "traits.yaml").read_text())
DISEASES = {one.name: one for one in read_traits(CONFIG / "traits.yaml").diseases}
SEEDS, DRAWS = range(200), 400
EXPECTED = range(182, 199)  # of 200: 95 % and 2.6 standard errors
LOG_RATIO, ERROR, PEOPLE = np.log(1.71), 0.1, 2_600
GENES, GENE_SHARES, CARRIERS = ("BRCA1", "BRCA2"), (0.4, 0.6), 60


def points(risk):
    return sorted(risk.items())


def studied(values, rng):
    """The assumptions as a study of their size would have found them."""
    found = draw_values(values, rng, 1)
    return {name: replace(one, value=float(found[name][0])) for name, one in values.items()}


def covers(summary, truth):
    """Whether the interval has the true ratio, or the true benefit where the gain is near 0."""
    if summary.ratio_interval is None:
        low, high = summary.benefit_interval
        return low <= truth.benefit(ECONOMICS.euro_per_qaly) <= high
    low, high = summary.ratio_interval
    return low <= truth.euro / truth.qaly <= high


@pytest.fixture(scope="module")
def prevention():
    risk = TRAITS["diseases"]["coronary_artery_disease"]["cumulative_risk"]
    risk = {sex: points(one) for sex, one in risk.items()}
    return care_simulation.prevention_gain(TRUTH, risk, LOG_RATIO, 2_000_000, seed=1)


@pytest.fixture(scope="module")
def cascade():
    genes = TRAITS["diseases"]["breast_cancer"]["genes"]
    risks = [points(genes[gene]["cumulative_risk"]["female"]) for gene in GENES]
    return care_simulation.cascade_gain(TRUTH, risks, GENE_SHARES, 1_000_000, seed=1)


def prevention_of_a_study(seed, scale=1.0):
    """Score-based prevention as found with a seed; ``scale`` multiplies all errors."""
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal(PEOPLE)
    edges = np.round(np.arange(-4, 4.05, 0.1), 10)
    sums = ScoreSums(
        edges=tuple(edges),
        counts=tuple(np.histogram(scores, edges)[0]),
        below=int((scores < edges[0]).sum()),
        above=int((scores >= edges[-1]).sum()),
        log_ratio=LOG_RATIO + ERROR * rng.standard_normal(),
        se=ERROR * scale,
    )
    values = studied(ECONOMICS.prevention.values, rng)
    values = {name: replace(one, se=one.se * scale) for name, one in values.items()}
    economics = replace(ECONOMICS, prevention=replace(ECONOMICS.prevention, values=values))
    risk = DISEASES["coronary_artery_disease"].cumulative_risk
    return assess_prevention(economics, risk, sums, seed, DRAWS)


def cascade_of_a_study(seed):
    rng = np.random.default_rng(seed)
    carriers = rng.multinomial(CARRIERS, GENE_SHARES)
    values = studied(ECONOMICS.cascade.values, rng)
    economics = replace(ECONOMICS, cascade=replace(ECONOMICS.cascade, values=values))
    genes = {one.gene: one for one in DISEASES["breast_cancer"].genes}
    risks = [genes[gene].cumulative_risk["female"] for gene in GENES]
    return assess_cascade(economics, risks, None, carriers, seed, DRAWS)


def test_intervals_of_prevention_have_the_truth_as_often_as_they_say(prevention):
    found = sum(covers(prevention_of_a_study(seed), prevention) for seed in SEEDS)
    assert found in EXPECTED


def test_intervals_of_cascade_testing_have_the_truth_as_often_as_they_say(cascade):
    found = sum(covers(cascade_of_a_study(seed), cascade) for seed in SEEDS)
    assert found in EXPECTED


def test_intervals_with_half_the_error_would_miss_it_more_often(prevention):
    found = sum(covers(prevention_of_a_study(seed, 0.5), prevention) for seed in SEEDS[:50])
    assert found < EXPECTED.start / 4
