"""Gene burden over nodes is a regression on carriers among the pooled people."""

import numpy as np
import pytest
from scipy.stats import beta
from statsmodels.api import OLS, Logit

from rehearsal.analyses.protocol import AnalysisError

from .cohort import play, play_masked, simulate

GENES = 6
MOST = 0.3  # frequency up to which variants qualify here


def with_genes(folder):
    cohort = simulate(folder, n_variants=60)
    gene = np.arange(60) % (GENES + 1)  # those of the last number are in no gene
    listed = [
        {"name": f"G{i}", "variants": [list(cohort.sites[v]) for v in np.flatnonzero(gene == i)]}
        for i in range(GENES)
    ]
    return cohort, gene, listed


def carriers_of(cohort, gene, qualifying):
    return np.array(
        [(cohort.genotypes[(gene == i) & qualifying] > 0).any(axis=0) for i in range(GENES)]
    ).astype(float)


def burden(genes, model, outcome, **others):
    parameters = {"genes": genes, "model": model, "outcome": outcome, "covariates": ["sex", "age"]}
    parameters |= {"largest_frequency": MOST} | others
    return {"steps": [{"algorithm": "burden", "parameters": parameters}]}


def design(cohort, carriers):
    people = cohort.people
    return np.column_stack([np.ones(len(people)), people["sex"] == "male", people["age"], carriers])


@pytest.mark.parametrize(("model", "outcome"), [("linear", "height"), ("logistic", "disease")])
def test_statistics_are_those_of_statsmodels_on_pooled_carriers(tmp_path, model, outcome):
    cohort, gene, listed = with_genes(tmp_path)
    found = play(cohort.views(), burden(listed, model, outcome)).results["burden"]
    rare = cohort.genotypes.mean(axis=1) / 2 <= MOST
    y = cohort.people[outcome].to_numpy().astype(float)
    used = np.isfinite(y)
    assert len(found["z"]) == GENES
    for i, carriers in enumerate(carriers_of(cohort, gene, rare)):
        x = design(cohort, carriers)[used]
        if model == "linear":
            fit = OLS(y[used], x).fit()
        else:
            fit = Logit(y[used], x).fit(disp=0, method="newton", tol=1e-13)
        assert found["z"][i] == pytest.approx(fit.tvalues[-1], abs=1e-9)
        assert found["frequency"][i] == pytest.approx(carriers[used].mean())


def score_of(weights, genotypes, frequency):
    """What users of other software expect: R's ``SKAT(weights.beta=c(1, 25))``, and 1 / sd."""
    alleles, chromosomes = genotypes.sum(axis=1), 2 * genotypes.shape[1]
    adjusted = (alleles + 1) / (chromosomes + 2)
    weight = {
        "beta": beta.pdf(frequency, 1, 25),
        "madsen_browning": (adjusted * (1 - adjusted)) ** -0.5,
    }[weights]
    return weight @ genotypes


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("weights", ["beta", "madsen_browning"])
def test_weighted_scores_are_regressed_on_as_statsmodels_does(tmp_path, weights, masked):
    cohort, gene, listed = with_genes(tmp_path)
    asked = burden(listed, "linear", "height", weights=weights)
    asked["steps"][0]["masked"] = masked
    found = play(cohort.views(), asked).results["burden"]
    frequency = cohort.genotypes.mean(axis=1) / 2
    y = cohort.people["height"].to_numpy()
    used = np.isfinite(y)
    unweighted = play(cohort.views(), burden(listed, "linear", "height")).results["burden"]
    for i in range(GENES):
        mine = (gene == i) & (frequency <= MOST)
        score = score_of(weights, cohort.genotypes[mine], frequency[mine])
        fit = OLS(y[used], design(cohort, score)[used]).fit()
        assert found["z"][i] == pytest.approx(fit.tvalues[-1], abs=1e-9)
        assert found["beta"][i] == pytest.approx(fit.params[-1], rel=1e-9)
        assert found["frequency"][i] == unweighted["frequency"][i]  # of carriers
        assert abs(found["z"][i] - unweighted["z"][i]) > 1e-4


def test_nodes_look_up_consequences_in_their_own_variants(tmp_path):
    cohort, gene, _ = with_genes(tmp_path)
    terms = np.where(np.arange(60) % 2, "stop_gained", "synonymous_variant")
    info = {
        site: f"AC=1;CSQ=intron_variant,{term};GENE=G{(number + 1) % 3},G{number}"
        for site, term, number in zip(cohort.sites, terms, gene, strict=True)
    }
    views = cohort.views()
    for view in views:
        annotate(view.folder / "genotypes.pvar", info)
    names = [f"G{i}" for i in range(GENES)]
    asked = burden(names, "linear", "height", consequences=["stop_gained", "frameshift_variant"])
    found = play(views, asked).results["burden"]
    rare = cohort.genotypes.mean(axis=1) / 2 <= MOST
    y = cohort.people["height"].to_numpy()
    used = np.isfinite(y)
    for i, carriers in enumerate(carriers_of(cohort, gene, rare & (terms == "stop_gained"))):
        if carriers[used].any():
            fit = OLS(y[used], design(cohort, carriers)[used]).fit()
            assert found["z"][i] == pytest.approx(fit.tvalues[-1], abs=1e-9)
        else:
            assert np.isnan(found["z"][i])
    assert np.isfinite(found["z"]).sum() >= 3


@pytest.mark.parametrize("masked", [False, True])
def test_alleles_that_are_too_rare_to_be_listed_qualify(tmp_path, masked):
    """All that are carried, but those that more than half of the alleles of a node are."""
    cohort, gene, _ = with_genes(tmp_path)
    some = np.flatnonzero(cohort.node == 0)
    cohort.genotypes[:GENES] = 0
    for variant in range(GENES):  # three carriers at each of two nodes, in each gene
        cohort.genotypes[variant, [*range(variant, 150, 50), *range(150 + variant, 240, 30)]] = 1
    cohort.genotypes[GENES + 2, :] = 0
    cohort.genotypes[GENES + 2, some] = 2  # nearly fixed at its only node, so not listed
    cohort.genotypes[GENES + 2, some[:3]] = 1
    views = cohort.views()
    info = {site: f"CSQ=stop_gained;GENE=G{i}" for site, i in zip(cohort.sites, gene, strict=True)}
    for view in views:
        annotate(view.folder / "genotypes.pvar", info)
    names = [f"G{i}" for i in range(GENES)]
    asked = burden(names, "linear", "height", consequences=["stop_gained"], largest_frequency=0.02)
    if masked:
        found = play_masked(views, asked["steps"]).results
    else:
        found = play(views, asked | {"smallest_count": 5}).results
    listed = np.isin(np.arange(60), cohort.order(found))
    assert not listed[:GENES].any()
    frequency = found["frequencies"]["frequency"]
    rare = ~listed
    rare[cohort.order(found)] = frequency <= 0.02
    rare[GENES + 2] = False
    carriers = carriers_of(cohort, gene, rare)
    y = cohort.people["height"].to_numpy()
    used = np.isfinite(y)
    if not masked:
        for node in range(3):
            mine = used & (cohort.node == node)
            few = carriers[:, mine].sum(axis=1) < 5
            carriers[np.ix_(few, mine)] = 0
    for i in range(GENES):
        if not carriers[i, used].any():
            assert not masked
            assert np.isnan(found["burden"]["z"][i])
            continue
        fit = OLS(y[used], design(cohort, carriers[i])[used]).fit()
        assert found["burden"]["z"][i] == pytest.approx(fit.tvalues[-1], abs=1e-9)


def test_weighted_scores_leave_out_alleles_that_are_not_listed(tmp_path):
    """Nobody knows their joint frequency, from which weights follow; carriers count them."""
    cohort, gene, _ = with_genes(tmp_path)
    cohort.genotypes[:GENES] = 0
    for variant in range(GENES):  # three carriers at each of two nodes, in each gene
        cohort.genotypes[variant, [*range(variant, 150, 50), *range(150 + variant, 240, 30)]] = 1
    views = cohort.views()
    info = {site: f"CSQ=stop_gained;GENE=G{i}" for site, i in zip(cohort.sites, gene, strict=True)}
    for view in views:
        annotate(view.folder / "genotypes.pvar", info)
    asked = {"consequences": ["stop_gained"], "weights": "beta"}
    steps = burden([f"G{i}" for i in range(GENES)], "linear", "height", **asked)["steps"]
    found = play_masked(views, steps).results
    order = cohort.order(found)
    frequency = np.full(60, np.nan)
    frequency[order] = found["frequencies"]["frequency"]
    assert np.isnan(frequency[:GENES]).all()
    y = cohort.people["height"].to_numpy()
    used = np.isfinite(y)
    for i in range(GENES):
        mine = (gene == i) & (frequency <= MOST)
        score = score_of("beta", cohort.genotypes[mine], frequency[mine])
        fit = OLS(y[used], design(cohort, score)[used]).fit()
        assert found["burden"]["z"][i] == pytest.approx(fit.tvalues[-1], abs=1e-8)


def annotate(path, info):
    """Add INFO to a PVAR."""
    lines = path.read_text().splitlines()
    text = [lines[0], f"{lines[1]}\tINFO"]
    for line in lines[2:]:
        contig, position, _, ref, alt = line.split("\t")
        text.append(f"{line}\t{info[contig, int(position) - 1, ref, alt]}")
    path.write_text("\n".join(text) + "\n")


def test_genes_with_few_carriers_at_a_node_count_as_carried_by_nobody(tmp_path):
    cohort, gene, listed = with_genes(tmp_path)
    asked = burden(listed, "linear", "height", largest_frequency=0.1) | {"smallest_count": 20}
    found = play(cohort.views(), asked).results
    shown = np.zeros(60, dtype=bool)
    shown[cohort.order(found)] = found["frequencies"]["frequency"] <= 0.1
    used = cohort.people["height"].notna().to_numpy()
    carriers = carriers_of(cohort, gene, shown)[:, used]
    node = cohort.node[used]
    for number in range(3):
        own = np.flatnonzero(node == number)
        few = carriers[:, own].sum(axis=1) < 20
        carriers[np.ix_(few, own)] = 0
    np.testing.assert_allclose(found["burden"]["frequency"], carriers.mean(axis=1))
    assert (carriers.sum(axis=1) > 0).any()


@pytest.mark.parametrize(
    ("genes", "model", "message"),
    [
        ([], "linear", "genes: expected at least one gene, found none"),
        (["G1"], "cox", "model: expected linear or logistic, found 'cox'"),
        (["G1"], "linear", "genes: expected a name and variants"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(tmp_path, genes, model, message):
    cohort = simulate(tmp_path, n_variants=8)
    with pytest.raises(AnalysisError, match=message):
        play(cohort.views(), burden(genes, model, "height"))


@pytest.mark.parametrize(
    ("model", "weights", "message"),
    [
        ("linear", "skat", "weights: expected null or one of madsen_browning, beta, found 'skat'"),
        ("logistic", "beta", "weights: expected null where the model is not linear, found 'beta'"),
    ],
)
def test_weights_that_cannot_be_used_are_named(tmp_path, model, weights, message):
    cohort = simulate(tmp_path, n_variants=8)
    with pytest.raises(AnalysisError, match=message):
        play(cohort.views(), burden(["G1"], model, "height", weights=weights))
