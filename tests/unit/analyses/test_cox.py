"""A Cox regression over nodes is that of the pooled people, as lifelines computes it."""

import numpy as np
import pytest
from lifelines import CoxPHFitter

from rehearsal.analyses.partial_likelihood import partial_likelihood
from rehearsal.analyses.protocol import AnalysisError

from .cohort import play, play_masked, simulate


def with_follow_up(cohort, seed=3):
    """Add follow-up of a disease whose hazard depends on sex and height."""
    random, people = np.random.default_rng(seed), cohort.people
    people["height"] = people["height"].fillna(170) - 170
    onset = random.exponential(60 * np.exp(-0.08 * people["height"])).astype(int)
    age = people["age"].astype(int)
    people["t1d.event"] = onset < age
    people["t1d.last_year"] = np.minimum(onset, age - 1)
    people.loc[::40, "t1d.last_year"] = -1  # of infants
    return cohort


def test_derivatives_are_those_of_the_partial_likelihood():
    """Compare with numeric derivatives of Efron's likelihood."""
    random = np.random.default_rng(3)
    x = random.normal(size=(60, 2))
    left = random.integers(40, 50, 60)
    ill = random.random(60) < 0.6

    def log_likelihood(beta):
        total, eta = 0.0, x @ beta
        for year in sorted(set(left[ill])):
            now = ill & (left == year)
            at_risk, tied = np.exp(eta[left >= year]).sum(), np.exp(eta[now]).sum()
            total += eta[now].sum()
            total -= sum(np.log(at_risk - k / now.sum() * tied) for k in range(now.sum()))
        return total

    beta, step = np.array([0.4, -0.2]), 1e-4
    told = partial_likelihood(x, left, ill, beta)
    assert told.log_likelihood == pytest.approx(log_likelihood(beta), rel=1e-12)
    for place, packed in ((0, 0), (1, 2)):
        shift = step * np.eye(2)[place]
        low, here, high = (log_likelihood(beta + d * shift) for d in (-1, 0, 1))
        assert told.gradient[place] == pytest.approx((high - low) / (2 * step), rel=1e-6)
        curvature = -(high - 2 * here + low) / step**2
        assert told.information[packed] == pytest.approx(curvature, rel=1e-4)
    assert (told.people, told.events) == (60, ill.sum())


def test_estimates_are_those_of_lifelines(tmp_path):
    cohort = with_follow_up(simulate(tmp_path))
    step = {"outcome": "t1d", "covariates": ["height", "disease"]}
    found = play(cohort.views(), {"steps": [{"algorithm": "cox", "parameters": step}]}).results
    table = cohort.people.assign(node=cohort.node)[cohort.people["t1d.last_year"] >= 0]
    table = table[["t1d.last_year", "t1d.event", "height", "disease", "sex", "node"]]
    table = table.assign(disease=table["disease"].astype(float))
    fit = CoxPHFitter().fit(
        *(table, "t1d.last_year", "t1d.event"),
        strata=["sex", "node"],
        fit_options={"precision": 1e-12},
    )
    np.testing.assert_allclose(found["cox"]["beta"], fit.params_, rtol=1e-6)
    np.testing.assert_allclose(found["cox"]["se"], fit.standard_errors_, rtol=1e-7)
    assert (found["cox"]["people"], found["cox"]["events"]) == (
        len(table),
        table["t1d.event"].sum(),
    )
    assert abs(found["cox"]["z"][0]) > 3


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_large_means_and_fixed_point_change_no_estimate(tmp_path, shift, masked):
    """As lifelines, which takes the means off, whatever the mean of a covariate is."""
    cohort = with_follow_up(simulate(tmp_path))
    table = cohort.people.assign(node=cohort.node)[cohort.people["t1d.last_year"] >= 0]
    table = table[["t1d.last_year", "t1d.event", "height", "sex", "node"]]
    options = {"strata": ["sex", "node"], "fit_options": {"precision": 1e-12}}
    fit = CoxPHFitter().fit(table, "t1d.last_year", "t1d.event", **options)
    cohort.people["height"] += shift
    step = {"algorithm": "cox", "parameters": {"outcome": "t1d", "covariates": ["height"]}}
    if masked:
        found = play_masked(cohort.views(), [step]).results["cox"]
    else:
        found = play(cohort.views(), {"steps": [step]}).results["cox"]
    assert found["beta"] == pytest.approx(fit.params_.to_numpy(), rel=1e-6)
    assert found["z"] == pytest.approx((fit.params_ / fit.standard_errors_).to_numpy(), abs=1e-6)


def test_people_of_unknown_sex_are_left_out(tmp_path):
    cohort = with_follow_up(simulate(tmp_path))
    step = {"algorithm": "cox", "parameters": {"outcome": "t1d", "covariates": ["height"]}}
    unknown = [3, 200]
    cohort.people["sex"] = cohort.people["sex"].astype(object)
    cohort.people.loc[unknown, "sex"] = None
    found = play(cohort.views(), {"steps": [step]}).results["cox"]
    table = cohort.people.assign(node=cohort.node).drop(index=unknown)
    table = table[table["t1d.last_year"] >= 0]
    table = table[["t1d.last_year", "t1d.event", "height", "sex", "node"]]
    options = {"strata": ["sex", "node"], "fit_options": {"precision": 1e-12}}
    fit = CoxPHFitter().fit(table, "t1d.last_year", "t1d.event", **options)
    np.testing.assert_allclose(found["beta"], fit.params_, rtol=1e-6)
    assert found["people"] == len(table)


def test_a_covariate_that_does_not_vary_is_refused(tmp_path):
    cohort = with_follow_up(simulate(tmp_path))
    cohort.people["one"] = 1.0
    step = {"outcome": "t1d", "covariates": ["one"]}
    with pytest.raises(AnalysisError, match="covariates: expected covariates that vary"):
        play(cohort.views(), {"steps": [{"algorithm": "cox", "parameters": step}]})


def test_a_node_with_few_events_takes_no_part(tmp_path):
    cohort = with_follow_up(simulate(tmp_path))
    one = np.flatnonzero((cohort.node == 2) & cohort.people["t1d.event"])
    cohort.people.loc[one[2:], "t1d.event"] = False
    step = {"algorithm": "cox", "parameters": {"outcome": "t1d", "covariates": ["height"]}}
    with pytest.raises(AnalysisError, match="expected none or at least 5 people in whom") as error:
        play(cohort.views(), {"steps": [step], "smallest_count": 5})
    assert error.value.code == "no_people"


def test_a_disease_without_follow_up_is_named(tmp_path):
    step = {"outcome": "disease", "covariates": ["height"]}
    with pytest.raises(AnalysisError, match=r"expected disease.last_year, found sex") as error:
        play(
            simulate(tmp_path).views(),
            {"steps": [{"algorithm": "cox", "parameters": step}]},
        )
    assert error.value.code == "no_variable"
