"""Components over nodes are those of the pooled matrix; people's own never leave a node."""

import numpy as np
import pandas as pd
import pytest

from rehearsal.analyses.components import _begin, advance, node_components
from rehearsal.analyses.protocol import AnalysisError
from rehearsal.analyses.rounds import NetworkRun, NodeRun

from .cohort import play, simulate

NUMBER = 2  # three nodes have two axes of structure
PCA = {"algorithm": "components", "parameters": {"number": NUMBER, "least_frequency": 0.05}}


def structured(folder, missing=0.0):
    return simulate(folder, n_variants=400, structure=0.15, missing=missing)


def pooled_matrix(cohort, order, found):
    """Standardised genotypes of the chosen variants, shape (n_variants, n_people)."""
    genotypes = cohort.genotypes[order][found["components"]["chosen"]]
    p = np.where(genotypes < 0, 0, genotypes).sum(axis=1) / (2 * (genotypes >= 0).sum(axis=1))
    matrix = (genotypes - 2 * p[:, None]) / np.sqrt(2 * p * (1 - p))[:, None]
    return np.where(genotypes < 0, 0.0, matrix), p


@pytest.mark.parametrize("missing", [0.0, 0.02])
def test_loadings_are_singular_vectors_of_the_pooled_matrix(tmp_path, missing):
    cohort = structured(tmp_path, missing)
    found = play(cohort.views(), {"steps": [PCA]}).results
    matrix, p = pooled_matrix(cohort, cohort.order(found), found)
    assert np.minimum(p, 1 - p).min() >= 0.05
    left, values, _ = np.linalg.svd(matrix, full_matrices=False)
    assert (values[:NUMBER] ** 2 / values[1 : NUMBER + 1] ** 2 > 1.01).all()  # eigengaps
    result = found["components"]
    np.testing.assert_allclose(result["eigenvalues"], values[:NUMBER] ** 2 / len(p), rtol=1e-9)
    cosines = np.abs((result["loadings"] * left[:, :NUMBER]).sum(axis=0))
    assert (1 - cosines < 1e-8).all()


@pytest.mark.parametrize(("noise", "rounds"), [(0.0, 12), (1e-10, 15)])
def test_the_search_ends_when_rounding_lets_residuals_get_no_smaller(noise, rounds):
    """Fixed point has such an error where a bound is thousands of times that of the default run."""
    values = 1000.0 * np.arange(1, 301) ** -0.7
    variants = {name: np.arange(300) for name in ("chosen", "mean", "scale")}
    random, parameters = np.random.default_rng(1), {"number": 3, "tolerance": 1e-12}
    state = _begin(parameters, variants, {})
    number = 0
    while "block" in state.shared:
        images = values[:, None] * state.shared["block"]
        images += noise * values[2] / 300**0.5 * random.normal(size=images.shape)
        state = advance(parameters, state, {"images": images, "people": np.array(1000)})
        number += 1
    loadings = state.private["loadings"]
    assert (1 - np.abs(np.diag(loadings[:3])) < 1e-12).all()
    assert number <= rounds


def test_components_stay_at_nodes_and_are_those_that_plink2_prints(tmp_path):
    cohort = structured(tmp_path)
    found, nodes = play_and_keep(cohort, {"steps": [PCA]})
    chosen = cohort.order(found)[found["components"]["chosen"]]
    cohort.genotypes = cohort.genotypes[chosen]
    cohort.sites = [cohort.sites[i] for i in chosen]
    folder = cohort.plink2("--pca", str(NUMBER), "--nonfounders")
    printed = pd.read_csv(folder / "plink2.eigenvec", sep="\t")[["PC1", "PC2"]].to_numpy()
    values = np.loadtxt(folder / "plink2.eigenval")
    mine = np.vstack([node_components(view, kept) for view, kept in nodes])
    mine = mine / np.sqrt(len(mine))
    mine *= np.sign((mine * printed).sum(axis=0))
    np.testing.assert_allclose(mine, printed, atol=2e-6)
    np.testing.assert_allclose(found["components"]["eigenvalues"], values, rtol=1e-5)


def play_and_keep(cohort, parameters):
    """Play an analysis and return its results, and views with what their nodes keep."""
    views, kept = cohort.views(), {}
    network = NetworkRun(parameters)
    nodes = [NodeRun(view, parameters) for view in views]
    number = 0
    while not network.done:
        network.advance([node.sums() for node in nodes])
        kept |= {name: array for name, array in network.message(number).items() if "." in name}
        for node in nodes:
            node.follow(network.message(number))
        number += 1
    return network.results, [(view, kept) for view in views]


def test_no_array_that_leaves_a_node_has_an_entry_per_person(tmp_path):
    cohort = structured(tmp_path)
    network, nodes = NetworkRun({"steps": [PCA]}), []
    nodes = [NodeRun(view, {"steps": [PCA]}) for view in cohort.views()]
    number = 0
    while not network.done:
        sums = [node.sums() for node in nodes]
        lengths = {n for one in sums for array in one.values() for n in array.shape}
        assert not lengths & {150, 90, 60}
        network.advance(sums)
        for node in nodes:
            node.follow(network.message(number))
        number += 1
    assert number < 25


def test_components_are_covariates_of_a_later_step(tmp_path):
    cohort = structured(tmp_path)
    gwas = {"outcome": "height", "covariates": ["sex", "age", "components"]}
    steps = [PCA, {"algorithm": "linear", "parameters": gwas}]
    found = play(cohort.views(), {"steps": steps}).results
    order = cohort.order(found)
    matrix, _ = pooled_matrix(cohort, order, found)
    components = np.linalg.svd(matrix, full_matrices=False)[2][:NUMBER].T
    people = cohort.people
    sex = people["sex"] == "male"
    x = np.column_stack([np.ones(len(people)), sex, people["age"], components])
    used = people["height"].notna().to_numpy()
    y = people["height"].to_numpy()[used]
    for g, z in zip(cohort.genotypes[order], found["linear"]["z"], strict=True):
        design = np.column_stack([x, g])[used]
        if np.ptp(g[used]) == 0:
            assert np.isnan(z)
            continue
        beta, residual, *_ = np.linalg.lstsq(design, y)
        variance = residual[0] / (len(y) - 6) * np.linalg.inv(design.T @ design)[-1, -1]
        assert z == pytest.approx(beta[-1] / np.sqrt(variance), abs=1e-9)


def test_variants_are_thinned_to_one_in_a_window(tmp_path):
    cohort = structured(tmp_path)
    pca = {"algorithm": "components", "parameters": PCA["parameters"] | {"window": 10_000}}
    found = play(cohort.views(), {"steps": [pca]}).results
    order = cohort.order(found)[found["components"]["chosen"]]
    windows = [(cohort.sites[i][0], cohort.sites[i][1] // 10_000) for i in order]
    assert len(windows) == len(set(windows)) > 30


def test_too_few_common_variants_are_refused(tmp_path):
    cohort = simulate(tmp_path, n_variants=6)
    pca = {"algorithm": "components", "parameters": {"number": 10}}
    with pytest.raises(AnalysisError, match="expected at least 10 common variants, found 5"):
        play(cohort.views(), {"steps": [pca]})
