"""Counts, frequencies and Hardy-Weinberg tests agree with pooled people and with plink2."""

import numpy as np
import pandas as pd
import pytest

from rehearsal.analyses.hardy_weinberg import exact_test

from .cohort import play, simulate


@pytest.mark.parametrize("missing", [0.0, 0.03])
def test_frequencies_are_those_of_the_pooled_people(tmp_path, missing):
    cohort = simulate(tmp_path, missing=missing)
    results = play(cohort.views(), {"steps": [{"algorithm": "frequencies"}]}).results
    pooled = cohort.genotypes[cohort.order(results)]
    found = results["frequencies"]
    called = pooled >= 0
    np.testing.assert_array_equal(found["missing"], (~called).sum(axis=1))
    np.testing.assert_array_equal(found["carriers"], (pooled > 0).sum(axis=1))
    np.testing.assert_array_equal(found["homozygotes"], (pooled == 2).sum(axis=1))
    frequency = np.where(called, pooled, 0).sum(axis=1) / (2 * called.sum(axis=1))
    np.testing.assert_allclose(found["frequency"], frequency, rtol=1e-15)
    np.testing.assert_allclose(found["missingness"], (~called).mean(axis=1))


def test_hardy_weinberg_p_values_are_those_of_plink2(tmp_path):
    cohort = simulate(tmp_path, sizes=(400, 300, 200), structure=0.2)
    results = play(cohort.views(), {"steps": [{"algorithm": "frequencies"}]}).results
    folder = cohort.plink2("--hardy", "--nonfounders")
    printed = pd.read_csv(folder / "plink2.hardy", sep="\t")["P"].to_numpy()
    found = results["frequencies"]["hardy_weinberg_p"]
    np.testing.assert_allclose(found, printed[cohort.order(results)], rtol=1e-5)
    assert found.min() < 1e-15  # of structure


def test_p_values_sum_the_weights_of_all_possible_numbers_of_heterozygotes():
    """The example of Wigginton and others: 100 people with 21 rare alleles."""
    none, one, two = np.array([84, 84, 82]), np.array([11, 13, 15]), np.array([5, 4, 3])
    p = exact_test(none, one, two)
    assert p[2] == pytest.approx(brute_force(82, 15, 3), rel=1e-12)
    assert p[0] == pytest.approx(brute_force(84, 11, 5), rel=1e-12)


def brute_force(none, one, two):
    alleles = 2 * two + one
    people = none + one + two
    weights = {}
    for heterozygotes in range(alleles % 2, alleles + 1, 2):
        rare = (alleles - heterozygotes) // 2
        common = people - heterozygotes - rare
        ways = 2**heterozygotes * multinomial(common, heterozygotes, rare)
        weights[heterozygotes] = ways
    return sum(w for w in weights.values() if w <= weights[one]) / sum(weights.values())


def multinomial(*parts):
    from math import factorial, prod

    return factorial(sum(parts)) // prod(factorial(part) for part in parts)
