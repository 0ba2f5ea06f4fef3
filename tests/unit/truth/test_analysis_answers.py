"""The right answers of analyses agree with what nodes and network find by sums."""

import numpy as np
import pandas as pd
import pytest

from rehearsal.model import Variant
from rehearsal.truth.analysis_answers import AnalysisTruth, people_of
from rehearsal.truth.gene_consequences import Consequence
from rehearsal.truth.pooled_genotypes import PooledGenotypes
from rehearsal.truth.variant_classes import Extent
from tests.unit.analyses.cohort import play, play_masked, simulate

LEAST = 5
STEPS = [
    {"algorithm": "components", "parameters": {"number": 2, "window": 3000, "tolerance": 1e-12}},
    {
        "name": "gwas",
        "algorithm": "linear",
        "parameters": {"outcome": "height", "covariates": ["sex", "age", "components"]},
    },
]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    return simulate(folder, sizes=(90, 70, 60), n_variants=120, structure=0.15)


@pytest.fixture(scope="module")
def found(cohort):
    return play(cohort.views(), {"steps": STEPS, "smallest_count": LEAST}).results


@pytest.fixture(scope="module")
def truth(cohort, found):
    order = cohort.order(found)
    alleles = [
        (Variant(contig, start, ref, alt), Extent(start + len(ref), 0))
        for contig, start, ref, alt in (cohort.sites[i] for i in order)
    ]
    people = cohort.people.assign(country=[f"N{number}" for number in cohort.node])
    computed = AnalysisTruth(PooledGenotypes(alleles, cohort.genotypes[order]), people, LEAST)
    for step in STEPS:
        computed.add(step)
    return computed.answers


def test_statistics_agree_where_the_regression_has_components(found, truth):
    known = np.isfinite(truth["gwas"]["z"])
    assert known.sum() > 60
    np.testing.assert_array_equal(np.isfinite(found["gwas"]["z"]), known)
    for name in ("beta", "se", "z"):
        np.testing.assert_allclose(
            found["gwas"][name][known], truth["gwas"][name][known], atol=1e-9
        )


def test_components_agree_where_their_eigenvalues_stand_apart(found, truth):
    values = truth["components"]["eigenvalues"]
    assert (values[:-1] / values[1:] > 1.01).all()
    cosines = (found["components"]["loadings"] * truth["components"]["loadings"]).sum(axis=0)
    assert (1 - np.abs(cosines) < 1e-8).all()
    np.testing.assert_array_equal(found["components"]["chosen"], truth["components"]["chosen"])


def test_meta_analysis_is_another_estimate(truth):
    known = np.isfinite(truth["gwas"]["z"])
    assert np.nanmax(np.abs(truth["gwas"]["meta_z"] - truth["gwas"]["z"])[known]) > 0.01


def test_masked_sums_hide_by_the_total(cohort, found):
    """Ten carriers in each of two countries are few there with a smallest count of 15, not here."""
    copies = np.zeros((1, 60), np.int8)
    copies[0, :10] = copies[0, 30:40] = 1
    variant = Variant("chr1", 5, "A", "C")
    people = pd.DataFrame(
        {"country": ["EE"] * 30 + ["FI"] * 30, "sex": ["male", "female"] * 30, "age": 1.0}
    ).assign(height=np.random.default_rng(1).normal(size=60))
    step = {"algorithm": "linear", "parameters": {"outcome": "height"}}
    answers = AnalysisTruth(PooledGenotypes([(variant, Extent(6, 0))], copies), people, 15)
    answers.add(step)
    answers.add({**step, "name": "masked", "masked": True})
    assert np.isnan(answers.answers["linear"]["z"]).all()
    assert np.isfinite(answers.answers["masked"]["z"]).all()


def test_masked_components_leave_out_what_too_few_of_those_present_carry():
    """Of three variants, the second is carried by four people of FI, the only one there."""
    copies = np.random.default_rng(5).binomial(2, 0.5, (3, 60)).astype(np.int8)
    copies[1, 30:] = 0
    copies[1, 30:34] = 1
    alleles = [(Variant("chr1", i, "A", "C"), Extent(i + 1, 0)) for i in range(3)]
    people = pd.DataFrame({"country": ["EE"] * 30 + ["FI"] * 30})
    chosen = {}
    for masked in (False, True):
        truth = AnalysisTruth(PooledGenotypes(alleles, copies), people, LEAST)
        step = {"algorithm": "components", "parameters": {"number": 1}, "masked": masked}
        truth.add(step, ["FI"])
        chosen[masked] = truth.answers["components"]["chosen"].tolist()
    assert chosen == {False: [0, 1, 2], True: [0, 2]}


class Genes:
    """Genes of which each variant has the consequence that its alternate allele names."""

    def consequences(self, contig, start, ref, alt, end):
        label = {"C": "missense_variant", "T": "intron_variant"}[alt]
        return [Consequence("LDLR", "NM_1", label)]


def test_burden_regresses_on_carriers_of_qualifying_variants_of_a_gene():
    """Two rare missense variants count; an intron variant and a common one do not."""
    random = np.random.default_rng(3)
    copies = np.zeros((4, 200), np.int8)
    copies[0, :6], copies[1, 4:12], copies[2, 20:30], copies[3, 30:130] = 1, 2, 1, 1
    alts = ("C", "C", "T", "C")
    alleles = [(Variant("chr1", i, "A", alt), Extent(i + 1, 0)) for i, alt in enumerate(alts)]
    people = pd.DataFrame({"country": "FI", "sex": "male", "LDL": random.normal(size=200)})
    parameters = {
        "model": "linear",
        "outcome": "LDL",
        "genes": ["LDLR"],
        "consequences": ["missense_variant"],
        "largest_frequency": 0.05,
    }
    truth = AnalysisTruth(PooledGenotypes(alleles, copies), people, LEAST, Genes())
    truth.add({"algorithm": "burden", "parameters": parameters})
    carries = np.arange(200) < 12
    ldl = people["LDL"].to_numpy()
    difference = ldl[carries].mean() - ldl[~carries].mean()
    assert truth.answers["burden"]["beta"] == pytest.approx([difference])


def test_alleles_that_no_node_names_qualify_unless_most_people_of_a_country_have_them():
    """Of the unnamed alleles, one is rare; the other is in nearly everybody of EE."""
    random = np.random.default_rng(3)
    copies = np.zeros((3, 200), np.int8)
    copies[0, :6], copies[1, 50:54], copies[2, 100:199] = 1, 1, 2
    alleles = [(Variant("chr1", i, "A", "C"), Extent(i + 1, 0)) for i in range(3)]
    people = pd.DataFrame({"country": ["FI"] * 100 + ["EE"] * 100, "sex": "male"})
    people = people.assign(LDL=random.normal(size=200))
    genotypes = PooledGenotypes(alleles[:1], copies[:1], PooledGenotypes(alleles[1:], copies[1:]))
    parameters = {"model": "linear", "outcome": "LDL", "genes": ["LDLR"]}
    parameters |= {"consequences": ["missense_variant"], "largest_frequency": 0.05}
    truth = AnalysisTruth(genotypes, people, LEAST, Genes())
    truth.add({"algorithm": "burden", "parameters": parameters, "masked": True})
    carries = np.isin(np.arange(200), [*range(6), *range(50, 54)])
    ldl, answer = people["LDL"].to_numpy(), truth.answers["burden"]
    assert answer["beta"] == pytest.approx([ldl[carries].mean() - ldl[~carries].mean()])
    assert (answer["qualifying"].tolist(), answer["unnamed"].tolist()) == ([3], [2])


@pytest.mark.parametrize("weights", ["beta", "madsen_browning"])
def test_weighted_burden_agrees_with_what_nodes_and_network_find(tmp_path, weights):
    """In clear, so that countries with few carriers of a gene, or few without, are hidden."""
    cohort = simulate(tmp_path, sizes=(60, 50, 40), n_variants=40)
    members = [list(one) for one in cohort.sites]
    listed = [{"name": "A", "variants": members[:6]}, {"name": "B", "variants": members[20:40]}]
    parameters = {"model": "linear", "outcome": "height", "weights": weights, "genes": listed}
    parameters |= {"largest_frequency": 0.4}
    step = {"algorithm": "burden", "parameters": parameters}
    found = play(cohort.views(), {"steps": [step], "smallest_count": LEAST}).results
    order = cohort.order(found)

    class Members:
        def consequences(self, contig, start, ref, alt, end):
            return [
                Consequence(one["name"], "NM_1", "any")
                for one in listed
                if [contig, start, ref, alt] in one["variants"]
            ]

    sites = [cohort.sites[i] for i in order]
    alleles = [(Variant(*site), Extent(site[1] + len(site[2]), 0)) for site in sites]
    people = cohort.people.assign(country=[f"N{number}" for number in cohort.node])
    genotypes = PooledGenotypes(alleles, cohort.genotypes[order])
    truth = AnalysisTruth(genotypes, people, LEAST, Members())
    truth.add({**step, "parameters": {**parameters, "genes": ["A", "B"], "consequences": ["any"]}})
    assert truth.answers["burden"]["z"] == pytest.approx(found["burden"]["z"], abs=1e-9)
    assert np.isfinite(truth.answers["burden"]["z"]).all()


@pytest.mark.parametrize(("least", "window"), [(0.05, 0), (0.3, 0), (0.05, 7000)])
def test_masked_regressions_of_a_disease_agree_with_what_nodes_find(tmp_path, least, window):
    """Of the frequent variants, also one that no case carries."""
    cohort = simulate(tmp_path, sizes=(150, 140, 160), n_variants=40)
    ill = cohort.people["disease"].to_numpy()
    cohort.genotypes[20, ill] = 0
    parameters = {"outcome": "disease", "covariates": ["sex", "age"]}
    parameters |= {"least_frequency": least, "window": window}
    step = {"algorithm": "logistic", "parameters": parameters}
    found = play_masked(cohort.views(), [step], LEAST).results
    order = cohort.order(found)
    sites = [cohort.sites[i] for i in order]
    alleles = [(Variant(*site), Extent(site[1] + len(site[2]), 0)) for site in sites]
    people = cohort.people.assign(country=[f"N{number}" for number in cohort.node])
    truth = AnalysisTruth(PooledGenotypes(alleles, cohort.genotypes[order]), people, LEAST)
    truth.add({**step, "masked": True})
    answer, result = truth.answers["logistic"], found["logistic"]
    np.testing.assert_array_equal(result["chosen"], answer["chosen"])
    assert 5 < len(answer["chosen"]) < 40
    for name in ("beta", "se", "z"):
        np.testing.assert_allclose(result[name], answer[name], atol=1e-6)
    for name in ("people", "cases"):
        np.testing.assert_array_equal(result[name], answer[name])
    assert result["firth"].sum() == (20 in order[answer["chosen"]])


def test_an_algorithm_that_the_truth_does_not_know_is_named(cohort):
    nothing = PooledGenotypes([], np.zeros((0, len(cohort.people)), np.int8))
    truth = AnalysisTruth(nothing, cohort.people.assign(country="FI"), LEAST)
    expected = "expected one of components, linear, burden, logistic, found 'x'"
    with pytest.raises(ValueError, match=expected):
        truth.add({"algorithm": "x"})


def test_people_have_their_age_and_the_mean_of_their_values():
    people = pd.DataFrame(
        {"id": ["a", "b"], "country": "FI", "sex": ["male", "female"], "birth_year": [1990, 2000]}
    )
    rows = [("a", "LDL", 3.0), ("a", "LDL", 4.0), ("b", "BMI", 22.0)]
    measured = pd.DataFrame(rows, columns=["individual", "code", "value"])
    table = people_of(people, measured, np.array([True, True]), ["LDL"], 2026)
    assert table["age"].tolist() == [36.0, 26.0]
    assert table["LDL"].iloc[0] == 3.5
    assert np.isnan(table["LDL"].iloc[1])
