"""Logistic regressions over nodes equal those of the pooled people; Firth's where they separate."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from statsmodels.api import Logit

from rehearsal.analyses.protocol import AnalysisError

from .cohort import play, play_masked, simulate

PARAMETERS = {"outcome": "disease", "covariates": ["sex", "age"]}
GWAS = {"steps": [{"algorithm": "logistic", "parameters": PARAMETERS}]}
NAMES = ("beta", "se", "z", "p")


def design(cohort):
    people = cohort.people
    x = np.column_stack([np.ones(len(people)), people["sex"] == "male", people["age"]])
    return x, people["disease"].to_numpy().astype(float)


@pytest.mark.parametrize("missing", [0.0, 0.02])
def test_statistics_are_those_of_statsmodels(tmp_path, missing):
    cohort = simulate(tmp_path, missing=missing)
    results = play(cohort.views(), GWAS).results
    found, (x, y) = results["logistic"], design(cohort)
    tested = np.flatnonzero((found["status"] == 0) & ~found["firth"])
    assert tested.size > 80
    for place, g in zip(tested, cohort.genotypes[cohort.order(results)][tested], strict=True):
        called = g >= 0
        fit = Logit(y[called], np.column_stack([x, g])[called])
        fit = fit.fit(disp=0, method="newton", tol=1e-13, maxiter=50)
        assert found["z"][place] == pytest.approx(fit.tvalues[-1], abs=1e-9)
        assert found["beta"][place] == pytest.approx(fit.params[-1], rel=1e-8, abs=1e-10)
        assert found["people"][place] == called.sum()


@pytest.mark.parametrize("sizes", [(1500, 900, 600), (150, 120, 76)])
def test_fixed_point_under_masks_leads_to_the_same_estimates(tmp_path, sizes):
    """The same variants converge, and the same get Firth's likelihood, as in clear."""
    cohort = simulate(tmp_path, sizes=sizes, n_variants=40)
    found = play_masked(cohort.views(), GWAS["steps"]).results
    masked, (x, y) = found["logistic"], design(cohort)
    every = play(cohort.views(), GWAS).results
    clear = every["logistic"]
    # masked, the list of alleles has those that at least 5 people of one node carry
    alike = np.isin(cohort.order(every), cohort.order(found))
    np.testing.assert_array_equal(masked["status"], clear["status"][alike])
    np.testing.assert_array_equal(masked["firth"], clear["firth"][alike])
    np.testing.assert_allclose(masked["z"], clear["z"][alike], rtol=0, atol=1e-9)
    tested = np.flatnonzero((masked["status"] == 0) & ~masked["firth"])
    assert tested.size > 30
    for place in tested:
        full = np.column_stack([x, cohort.genotypes[cohort.order(found)[place]]])
        fit = Logit(y, full).fit(disp=0, method="newton", tol=1e-13, maxiter=50)
        assert masked["z"][place] == pytest.approx(fit.tvalues[-1], abs=1e-9)


def newton(x, y, rounds=40):
    beta = np.zeros(x.shape[1])
    for _ in range(rounds):
        mu = 1 / (1 + np.exp(-x @ beta))
        information = (x * (mu * (1 - mu))[:, None]).T @ x
        beta = beta + np.linalg.solve(information, x.T @ (y - mu))
    return beta[-1] / np.sqrt(np.linalg.inv(information)[-1, -1])


def test_statistics_are_those_of_the_pooled_people(tmp_path):
    cohort = simulate(tmp_path, missing=0.02, seed=5)
    results = play(cohort.views(), GWAS).results
    found, (x, y) = results["logistic"], design(cohort)
    tested = np.flatnonzero((found["status"] == 0) & ~found["firth"])
    for place, g in zip(tested, cohort.genotypes[cohort.order(results)][tested], strict=True):
        called = g >= 0
        z = newton(np.column_stack([x, g])[called], y[called])
        assert found["z"][place] == pytest.approx(z, abs=1e-9)


def test_statistics_are_those_that_plink2_prints_with_its_fallback_to_firth(tmp_path):
    cohort = simulate(tmp_path, missing=0.01)
    results = play(cohort.views(), GWAS).results
    folder = cohort.plink2(
        *("--pheno", "people.tsv", "--pheno-name", "disease"),
        *("--covar", "people.tsv", "--covar-name", "sex,age", "--covar-variance-standardize"),
        *("--glm", "firth-fallback", "hide-covar", "omit-ref"),
        "cols=chrom,pos,ref,alt,firth,nobs,beta,se,tz,p,err",
    )
    printed = pd.read_csv(folder / "plink2.disease.glm.logistic.hybrid", sep="\t")
    printed = printed.iloc[cohort.order(results)].reset_index(drop=True)
    found = results["logistic"]
    # of alleles that most people carry, this version of plink2 prints standard errors that are up
    # to 10 % too small; those of statsmodels agree with ours (the test above)
    tested = ((printed["ERRCODE"] == ".") & (found["frequency"] <= 0.5)).to_numpy()
    firth = (printed["FIRTH?"] == "Y").to_numpy()
    np.testing.assert_array_equal(found["firth"][tested], firth[tested])
    assert 3 < firth[tested].sum() < 60
    for name, column in (("beta", "BETA"), ("se", "SE"), ("z", "Z_STAT")):
        # it fits in single precision
        np.testing.assert_allclose(
            found[name][tested], printed[column][tested], rtol=2e-3, atol=2e-4
        )


def penalised_score(beta, x, y):
    """Firth's score by leverages, as Heinze and Schemper (2002) write it."""
    mu = 1 / (1 + np.exp(-x @ beta))
    weight = mu * (1 - mu)
    inverse = np.linalg.inv((x * weight[:, None]).T @ x)
    leverage = weight * np.einsum("ij,jk,ik->i", x, inverse, x)
    return x.T @ (y - mu + leverage * (0.5 - mu)), inverse


def score_alone(beta, x, y):
    return penalised_score(beta, x, y)[0]


def test_separating_variants_have_firths_estimates(tmp_path):
    """The zero of the penalised score, found by a general solver on the pooled people."""
    cohort = simulate(tmp_path, missing=0.02)
    results = play(cohort.views(), GWAS).results
    found, (x, y) = results["logistic"], design(cohort)
    x = np.column_stack([x[:, :2], (x[:, 2] - 50) / 20])
    chosen = np.flatnonzero(found["firth"])
    assert chosen.size > 3
    for place in chosen:
        g = cohort.genotypes[cohort.order(results)[place]]
        full, outcome = np.column_stack([x, g])[g >= 0], y[g >= 0]
        best = optimize.root(score_alone, np.zeros(4), args=(full, outcome), tol=1e-12)
        assert best.success
        se = np.sqrt(penalised_score(best.x, full, outcome)[1][-1, -1])
        assert found["z"][place] == pytest.approx(best.x[-1] / se, abs=1e-8)


def test_few_carriers_are_hidden_as_in_a_linear_regression(tmp_path):
    """A regression of the people as they are after the rule."""
    cohort = simulate(tmp_path)
    hidden = play(cohort.views(), GWAS | {"smallest_count": 8}).results
    for node in range(3):
        own = np.flatnonzero(cohort.node == node)
        few = (cohort.genotypes[:, own] > 0).sum(axis=1)
        cohort.genotypes[np.ix_((few > 0) & (few < 8), own)] = 0
        many = (cohort.genotypes[:, own] < 2).sum(axis=1)
        cohort.genotypes[np.ix_((many > 0) & (many < 8), own)] = 2
    cohort.folder = tmp_path / "after"
    plain = play(cohort.views(), GWAS).results
    z = dict(zip(plain_sites(plain), plain["logistic"]["z"], strict=True))
    expected = [z[site] for site in plain_sites(hidden)]
    np.testing.assert_allclose(hidden["logistic"]["z"], expected, atol=1e-9)


def plain_sites(results):
    from rehearsal.analyses.alleles import AlleleList

    table = AlleleList.of(results["alleles"]).table()
    return list(zip(*(table[name].tolist() for name in table), strict=True))


def test_a_country_without_cases_takes_part(tmp_path):
    cohort = simulate(tmp_path)
    cohort.people.loc[cohort.node == 1, "disease"] = False
    found = play(cohort.views(), GWAS).results["logistic"]
    assert (found["people"] == 300).all()
    assert np.isfinite(found["z"][found["status"] == 0]).all()


def test_no_cases_at_all_are_named(tmp_path):
    cohort = simulate(tmp_path)
    cohort.people["disease"] = False
    with pytest.raises(AnalysisError, match="outcome: expected cases and controls, found no cases"):
        play(cohort.views(), GWAS)


def test_an_outcome_that_is_no_disease_is_refused(tmp_path):
    cohort = simulate(tmp_path)
    step = {"algorithm": "logistic", "parameters": PARAMETERS | {"outcome": "height"}}
    with pytest.raises(AnalysisError, match="height: expected a disease"):
        play(cohort.views(), {"steps": [step]})


@pytest.mark.parametrize("ill", ["female", "male"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("rounds", [25, 80])
def test_a_covariate_that_separates_cases_from_controls_is_named(tmp_path, ill, masked, rounds):
    """Coefficients grow without end, and standard errors faster: short steps are no maximum."""
    cohort = simulate(tmp_path, n_variants=20)
    cohort.people["disease"] &= cohort.people["sex"] == ill
    step = {"algorithm": "logistic", "parameters": PARAMETERS | {"rounds": rounds}}
    with pytest.raises(AnalysisError) as error:
        if masked:
            play_masked(cohort.views(), [step])
        else:
            play(cohort.views(), {"steps": [step]})
    assert str(error.value) == (
        "analysis: covariates: expected covariates that do not separate cases from controls, "
        "found sex"
    )


def test_one_case_of_a_sex_separates_nothing(tmp_path):
    cohort = simulate(tmp_path, sizes=(1500, 1500), n_variants=8)
    men = np.flatnonzero(cohort.people["sex"] == "male")
    cohort.people.loc[men, "disease"] = False
    cohort.people.loc[men[0], "disease"] = True
    results = play(cohort.views(), GWAS).results
    found, (x, y) = results["logistic"], design(cohort)
    tested = np.flatnonzero((found["status"] == 0) & ~found["firth"])
    assert tested.size > 3
    for place, g in zip(tested, cohort.genotypes[cohort.order(results)][tested], strict=True):
        assert found["z"][place] == pytest.approx(newton(np.column_stack([x, g]), y), abs=1e-9)


def test_too_few_rounds_for_the_covariates_are_named(tmp_path):
    step = {"algorithm": "logistic", "parameters": PARAMETERS | {"rounds": 2}}
    with pytest.raises(AnalysisError, match=r"rounds: expected rounds until .* found not after 2"):
        play(simulate(tmp_path).views(), {"steps": [step]})
