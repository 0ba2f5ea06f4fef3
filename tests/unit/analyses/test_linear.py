"""A linear regression over nodes equals that of the pooled people, and that of plink2."""

import numpy as np
import pandas as pd
import pytest

from rehearsal.analyses.linear import STATUSES
from rehearsal.analyses.protocol import AnalysisError

from .cohort import play, play_masked, simulate

GWAS = {
    "steps": [
        {"algorithm": "linear", "parameters": {"outcome": "height", "covariates": ["sex", "age"]}}
    ]
}


def pooled_regressions(cohort, order, genotypes=None):
    """Regress by least squares on each variant: z, beta and se; NaN where it does not vary."""
    genotypes = cohort.genotypes if genotypes is None else genotypes
    people = cohort.people
    x = np.column_stack([np.ones(len(people)), people["sex"] == "male", people["age"]])
    y = people["height"].to_numpy()
    rows = []
    for g in genotypes[order].astype(float):
        used = (g >= 0) & np.isfinite(y)
        if np.ptp(g[used]) == 0:
            rows.append([np.nan] * 3)
            continue
        design = np.column_stack([x, g])[used]
        beta, (residual,), *_ = np.linalg.lstsq(design, y[used])
        variance = residual / (used.sum() - 4) * np.linalg.inv(design.T @ design)[-1, -1]
        rows.append([beta[-1] / np.sqrt(variance), beta[-1], np.sqrt(variance)])
    return np.array(rows).T


@pytest.mark.parametrize("missing", [0.0, 0.02])
def test_statistics_are_those_of_the_pooled_people(tmp_path, missing):
    cohort = simulate(tmp_path, missing=missing)
    results = play(cohort.views(), GWAS).results
    z, beta, se = pooled_regressions(cohort, cohort.order(results))
    found = results["linear"]
    np.testing.assert_allclose(found["z"], z, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found["beta"], beta, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found["se"], se, rtol=1e-9)
    assert np.nanmax(np.abs(z)) > 3


def test_statistics_are_those_that_plink2_prints(tmp_path):
    cohort = simulate(tmp_path, missing=0.02)
    results = play(cohort.views(), GWAS).results
    folder = cohort.plink2(
        *("--pheno", "people.tsv", "--pheno-name", "height"),
        *("--covar", "people.tsv", "--covar-name", "sex,age"),
        *("--glm", "hide-covar", "omit-ref", "cols=chrom,pos,ref,alt,nobs,beta,se,tz,p,err"),
    )
    printed = pd.read_csv(folder / "plink2.height.glm.linear", sep="\t")
    printed = printed.iloc[cohort.order(results)].reset_index(drop=True)
    found = results["linear"]
    tested = printed["ERRCODE"] == "."
    assert tested.sum() > 100
    np.testing.assert_array_equal(found["people"], printed["OBS_CT"])
    for name, column in (("beta", "BETA"), ("se", "SE"), ("z", "T_STAT"), ("p", "P")):
        np.testing.assert_allclose(found[name][tested], printed[column][tested], rtol=1e-5)


def test_a_node_that_is_lost_leaves_the_regression_of_the_others(tmp_path):
    cohort = simulate(tmp_path)
    views = cohort.views()
    found = play(views, GWAS, lost={2: [1]}).results
    others = cohort.node != 1
    cohort.people.loc[~others, "height"] = np.nan
    z, *_ = pooled_regressions(cohort, cohort.order(found))
    np.testing.assert_allclose(found["linear"]["z"], z, rtol=0, atol=1e-9)


def test_variants_with_few_carriers_at_a_node_count_as_constant_there(tmp_path):
    cohort = simulate(tmp_path, missing=0.02)
    least = 6
    found = play(cohort.views(), GWAS | {"smallest_count": least}).results
    used = cohort.people["height"].notna().to_numpy()
    hidden = cohort.genotypes.copy()
    for node in range(3):
        mine = np.flatnonzero((cohort.node == node) & used)
        for variant in hidden:
            own = variant[mine]
            if 0 < (own < 0).sum() < least:
                own[own < 0] = 0
            called = own >= 0
            if 0 < (own[called] > 0).sum() < least:
                own[called] = 0
            elif 0 < (own[called] < 2).sum() < least:
                own[called] = 2
            variant[mine] = own
    order = cohort.order(found)
    assert (hidden != cohort.genotypes)[order][:, used].any()
    z, *_ = pooled_regressions(cohort, order, hidden)
    np.testing.assert_allclose(found["linear"]["z"], z, rtol=0, atol=1e-9)


def test_sums_tell_of_no_group_below_the_smallest_count(tmp_path):
    from rehearsal.analyses.rounds import NetworkRun, NodeRun

    cohort, parameters = simulate(tmp_path, missing=0.02), GWAS | {"smallest_count": 6}
    network, nodes = NetworkRun(parameters), [NodeRun(v, parameters) for v in cohort.views()]
    for number in range(3):
        sums = [node.sums() for node in nodes]
        for one in sums:
            for name in ("carriers", "reference_carriers", "missing"):
                counts = one.get(name, np.zeros(0))
                assert not ((counts > 0) & (counts < 6)).any(), (number, name)
        network.advance(sums)
        for node in nodes:
            node.follow(network.message(number))


def test_collinear_covariates_are_named(tmp_path):
    cohort = simulate(tmp_path)
    cohort.people["months"] = 12 * cohort.people["age"] + 3
    cohort.people["one"] = 1.0
    step = {"outcome": "height", "covariates": ["age", "months", "sex", "one"]}
    with pytest.raises(AnalysisError) as error:
        play(cohort.views(), {"steps": [{"algorithm": "linear", "parameters": step}]})
    assert str(error.value) == (
        "analysis: covariates: expected covariates that vary and are no linear combinations of "
        "others, found months, one"
    )


def test_a_variable_that_a_node_lacks_is_named(tmp_path):
    cohort = simulate(tmp_path)
    step = {"outcome": "weight", "covariates": []}
    with pytest.raises(AnalysisError, match="expected weight, found sex, age") as error:
        play(cohort.views(), {"steps": [{"algorithm": "linear", "parameters": step}]})
    assert error.value.code == "no_variable"


@pytest.mark.parametrize("values", ["one", "age"])
def test_an_outcome_that_does_not_vary_beyond_the_covariates_is_refused(tmp_path, values):
    cohort = simulate(tmp_path, n_variants=20)
    cohort.people["height"] = 3.1 if values == "one" else 3 * cohort.people["age"] + 1
    with pytest.raises(AnalysisError, match="outcome: expected an outcome that varies"):
        play(cohort.views(), GWAS)


@pytest.mark.parametrize("scale", [3e-9, 1.0, 1e6])
def test_masked_statistics_do_not_depend_on_the_unit_of_the_outcome(tmp_path, scale):
    cohort = simulate(tmp_path, n_variants=40)
    every = play(cohort.views(), GWAS).results
    cohort.people["height"] *= scale
    found = play_masked(cohort.views(), GWAS["steps"]).results
    alike = np.isin(cohort.order(every), cohort.order(found))
    np.testing.assert_allclose(found["linear"]["z"], every["linear"]["z"][alike], atol=1e-9)


def test_a_variant_that_too_few_have_a_call_of_has_a_status_of_its_own(tmp_path):
    cohort = simulate(tmp_path, n_variants=20)
    cohort.genotypes[-1, 3:] = -9
    cohort.genotypes[-1, :3] = 1, 0, 2
    results = play(cohort.views(), GWAS).results
    place = np.flatnonzero(cohort.order(results) == 19)
    assert [STATUSES[one] for one in results["linear"]["status"][place]] == ["too few people"]


def test_a_variant_that_everybody_is_heterozygous_for_is_constant(tmp_path):
    cohort = simulate(tmp_path, n_variants=20)
    cohort.genotypes[10] = 1
    logistic = {"outcome": "disease", "covariates": ["sex"]}
    steps = [*GWAS["steps"], {"algorithm": "logistic", "parameters": logistic}]
    steps = [{"algorithm": "frequencies"}, *steps]
    results = play(cohort.views(), {"steps": steps}).results
    (place,) = np.flatnonzero(cohort.order(results) == 10)
    for name in ("linear", "logistic"):
        assert STATUSES[results[name]["status"][place]] == "constant"
        assert results[name]["frequency"][place] == 0.5
        for statistic in ("beta", "se", "z", "p"):
            assert np.isnan(results[name][statistic][place])  # NA in a table, null in JSON
        tested = results[name]["status"] == 0
        assert np.isfinite(results[name]["z"][tested]).all()
    assert 0 < results["frequencies"]["hardy_weinberg_p"][place] < 1e-50


@pytest.mark.parametrize("masked", [False, True])
def test_a_variant_that_explains_all_of_the_outcome_has_a_status_and_no_infinity(tmp_path, masked):
    cohort = simulate(tmp_path, n_variants=20)
    people = cohort.people
    people["height"] = 100 + 2.5 * cohort.genotypes[15] + 0.3 * people["age"]
    if masked:
        results = play_masked(cohort.views(), GWAS["steps"]).results
    else:
        results = play(cohort.views(), GWAS).results
    (place,) = np.flatnonzero(cohort.order(results) == 15)
    found = results["linear"]
    assert STATUSES[found["status"][place]] == "perfect fit"
    for name in ("beta", "se", "z", "p"):
        assert not np.isinf(found[name]).any()
        assert np.isnan(found[name][place])
    assert (found["status"] == 0).sum() > 5


@pytest.mark.parametrize("name", ["height", "age"])
@pytest.mark.parametrize("shift", [1e3, 1e6])
def test_a_variable_far_from_0_is_exact_or_refused_by_name(tmp_path, name, shift):
    """1e6 is 50,000 standard deviations of age, and 300,000 of height."""
    cohort = simulate(tmp_path, n_variants=20)
    z, *_ = pooled_regressions(cohort, slice(None))
    cohort.people[name] += shift
    if shift == 1e6:
        with pytest.raises(AnalysisError, match="take a number off each, found") as error:
            play(cohort.views(), GWAS)
        assert str(error.value).endswith(f"found {name}")
        return
    results = play(cohort.views(), GWAS).results
    np.testing.assert_allclose(results["linear"]["z"], z[cohort.order(results)], atol=1e-9)


@pytest.mark.parametrize("noise", [0.0, 1e-9])
def test_a_perfect_fit_is_one_for_the_truth_too(tmp_path, noise):
    from rehearsal.truth.association import linear_association

    cohort = simulate(tmp_path, n_variants=20)
    people = cohort.people
    random = np.random.default_rng(6)
    people["height"] = 100 + 2.5 * cohort.genotypes[15] + noise * random.normal(size=len(people))
    results = play(cohort.views(), GWAS).results
    x = np.column_stack([np.ones(len(people)), people["sex"] == "male", people["age"]])
    right = linear_association(cohort.genotypes, people["height"].to_numpy(), x.astype(float))
    tested = np.isfinite(right.statistic)[cohort.order(results)]
    np.testing.assert_array_equal(np.isfinite(results["linear"]["z"]), tested)
    assert not tested.all()
