"""The truth of logistic regressions agrees with statsmodels, and with Firth's own equations."""

import numpy as np
import pytest
from scipy.optimize import minimize
from statsmodels.api import Logit

from rehearsal.truth.logistic_association import logistic_association


def people(seed=2, size=900):
    random = np.random.default_rng(seed)
    covariates = np.column_stack(
        [np.ones(size), random.integers(0, 2, size), random.integers(20, 80, size)]
    ).astype(float)
    copies = random.binomial(2, [[0.3], [0.1], [0.5]], (3, size)).astype(np.int8)
    eta = -3 + 0.03 * covariates[:, 2] + 0.6 * copies[0]
    return covariates, copies, random.random(size) < 1 / (1 + np.exp(-eta))


def test_statistics_are_those_of_statsmodels():
    covariates, copies, is_case = people()
    copies[1, :10] = -1  # without a chromosome
    found, cases = logistic_association(copies, is_case, covariates)
    for row, mine in enumerate(copies):
        has = mine >= 0
        design = np.column_stack([covariates, mine])[has]
        fit = Logit(is_case[has], design).fit(disp=0, method="newton", tol=1e-14)
        assert found.effect[row] == pytest.approx(fit.params[-1], rel=1e-9)
        assert found.statistic[row] == pytest.approx(fit.tvalues[-1], rel=1e-9)
        assert found.p_value[row] == pytest.approx(fit.pvalues[-1], rel=1e-8)
        assert (found.people[row], cases[row]) == (has.sum(), is_case[has].sum())
    assert abs(found.statistic[0]) > 3


def test_an_allele_that_no_case_has_gets_the_largest_penalised_likelihood():
    covariates, copies, is_case = people()
    copies[0, is_case] = 0
    found, _ = logistic_association(copies[:1], is_case, covariates)
    design = np.column_stack([covariates, copies[0]])

    def information(beta):
        risk = 1 / (1 + np.exp(-design @ beta))
        return (design * (risk * (1 - risk))[:, None]).T @ design

    def loss(beta):
        eta = design @ beta
        likelihood = eta[is_case].sum() - np.logaddexp(0, eta).sum()
        return -likelihood - np.linalg.slogdet(information(beta))[1] / 2

    best = minimize(
        loss,
        np.zeros(4),
        method="Nelder-Mead",
        options={"maxiter": 20000, "maxfev": 20000, "xatol": 1e-9, "fatol": 1e-12},
    ).x
    assert found.effect[0] == pytest.approx(best[-1], abs=1e-5)
    error = np.sqrt(np.linalg.inv(information(best))[-1, -1])
    assert found.error[0] == pytest.approx(error, rel=1e-4)


def test_genotypes_that_say_nothing_more_have_no_statistic():
    covariates, copies, is_case = people()
    copies[0], copies[1] = 1, covariates[:, 1]  # all are heterozygous; as the sex
    found, _ = logistic_association(copies, is_case, covariates)
    assert np.isfinite(found.statistic).tolist() == [False, False, True]


@pytest.mark.parametrize("healthy", [0, 1])
def test_a_covariate_that_separates_cases_from_others_is_refused(healthy):
    covariates, copies, is_case = people()
    is_case &= covariates[:, 1] != healthy
    with pytest.raises(ValueError, match="expected covariates that do not separate cases"):
        logistic_association(copies, is_case, covariates)
    is_case[np.flatnonzero(covariates[:, 1] == healthy)[0]] = True
    assert np.isfinite(logistic_association(copies, is_case, covariates)[0].statistic).all()
