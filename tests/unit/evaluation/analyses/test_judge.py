"""Federated analyses are judged by the truth: right ones pass, wrong ones fail."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.api import OLS

from rehearsal.evaluation.analyses.findings import component_table, gwas_facts, gwas_table
from rehearsal.evaluation.analyses.judge import (
    Judged,
    judge_components,
    judge_nodes,
    judge_regressions,
    sure_components,
)
from rehearsal.evaluation.analyses.plan import FREQUENCIES, Step
from rehearsal.evaluation.analyses.play import (
    NO_SANDBOX,
    NodePart,
    Played,
    read_answers,
    read_played,
    write_played,
)
from rehearsal.evaluation.analyses.right_answers import ALLELES, PEOPLE, write_answers
from rehearsal.model import Variant
from rehearsal.report.figures.association import manhattan_figure
from rehearsal.truth.analysis_answers import AnalysisTruth
from rehearsal.truth.pooled_genotypes import PooledGenotypes
from rehearsal.truth.variant_classes import Extent
from tests.unit.analyses.cohort import play, simulate

LEAST = 5
CODES = ["AT", "BE", "FI"]
COVARIATES = ["sex", "age", "components"]
STEPS = [
    Step(
        part, name, False, {"algorithm": algorithm, "name": name, "parameters": parameters}
    )
    for part, name, algorithm, parameters in (
        ("pca", "pca", "components", {"number": 2, "window": 3000, "tolerance": 1e-12}),
        ("gwas", "gwas", "linear", {"outcome": "height", "covariates": COVARIATES}),
    )
]  # fmt: skip


def played_by(cohort, lost=None):
    """Play the steps, and compute the right answers for those who were there."""
    parameters = {"steps": [FREQUENCIES, *(step.request for step in STEPS)]}
    names = ["alleles", "frequencies", "pca", "gwas"]
    gone = lost or {}
    network = play(cohort.views(), {**parameters, "smallest_count": LEAST}, gone)
    present = dict.fromkeys(names, CODES)
    if gone:
        present = {name: CODES[:2] if name in gone["from"] else CODES for name in names}
    return network.results, present


def answers_of(cohort, results, present):
    order = cohort.order(results)
    sites = [cohort.sites[i] for i in order]
    alleles = [(Variant(*site), Extent(site[1] + len(site[2]), 0)) for site in sites]
    people = cohort.people.assign(country=np.array(CODES)[cohort.node])
    genotypes = PooledGenotypes(alleles, cohort.genotypes[order])
    truth = AnalysisTruth(genotypes, people, LEAST, countries=present["frequencies"])
    for step in STEPS:
        truth.add(step.request, present[step.name])
    contig, position, ref, alt = zip(*sites, strict=True)
    named = {
        ALLELES: {
            "contig": np.array(contig),
            "position": np.array(position),
            "change": np.array([f"{r}>{a}" for r, a in zip(ref, alt, strict=True)]),
        },
        PEOPLE: {"country": people["country"].to_numpy(str)},
    }
    return truth.answers | named


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    return simulate(folder, sizes=(90, 70, 60), n_variants=120, structure=0.15)


@pytest.fixture(scope="module")
def judged(cohort):
    results, present = played_by(cohort)
    nodes = {code: NodePart("took part") for code in CODES}
    counts = pd.DataFrame({"country": CODES, "known": [80, 60, 50]})
    played = Played(nodes=nodes, present=present, rounds=9, results=results)
    return Judged(STEPS, played, answers_of(cohort, results, present), counts, LEAST)


def rows_of(judged):
    parts = judge_nodes(judged), judge_components(judged), judge_regressions(judged, "gwas")
    return [row for part in parts for row in part]


def test_right_analyses_pass_every_check(judged):
    rows = rows_of(judged)
    assert len(rows) == 7
    assert all(row["passed"] for row in rows), rows
    assert rows[-1]["name"].startswith("gwas: largest difference in z, of ")


def test_a_statistic_that_is_off_in_the_eighth_digit_fails(judged):
    results = {name: dict(arrays) for name, arrays in judged.played.results.items()}
    results["gwas"]["z"] = results["gwas"]["z"] + 1e-8
    wrong = replace(judged, played=replace(judged.played, results=results))
    assert [row["passed"] for row in judge_regressions(wrong, "gwas")] == [True, True, False]


def test_a_turned_component_fails(judged):
    results = {name: dict(arrays) for name, arrays in judged.played.results.items()}
    turned = results["pca"]["loadings"] @ np.array([[np.cos(0.01), -np.sin(0.01)],
                                                    [np.sin(0.01), np.cos(0.01)]])  # fmt: skip
    results["pca"]["loadings"] = turned
    wrong = replace(judged, played=replace(judged.played, results=results))
    assert [row["passed"] for row in judge_components(wrong)] == [True, False]


def test_a_node_that_is_lost_fails_unless_it_vetoed_or_has_too_few_people(judged):
    for node, passed in (
        (NodePart("failed", "The node was stopped.", 4), False),
        (NodePart("vetoed", "expected an algorithm that this node approves"), True),
    ):
        nodes = {**judged.played.nodes, "FI": node}
        lost = replace(judged, played=replace(judged.played, nodes=nodes))
        mark, check, *_ = judge_nodes(lost)
        assert mark == {"name": "node FI", "why": f"{node.outcome}: {node.reason}"}
        assert check["passed"] is passed
    few = pd.DataFrame({"country": CODES, "known": [80, 60, 4]})
    nodes = {**judged.played.nodes, "FI": NodePart("held", "few_people")}
    lost = replace(judged, played=replace(judged.played, nodes=nodes), counts=few)
    assert list(judge_nodes(lost))[1]["passed"]


def test_what_was_not_played_is_marked_with_the_reason(judged):
    nothing = Played(why=f"{NO_SANDBOX}: bubblewrap is not installed.")
    rows = rows_of(replace(judged, played=nothing, answers={}))
    assert [row["name"] for row in rows] == ["pca", "gwas"]
    assert {row["why"] for row in rows} == {nothing.why}


def test_components_whose_eigenvalues_are_near_each_other_are_not_sure():
    assert sure_components(np.array([10.0, 5.0, 4.99, 2.0])).tolist() == [True, False, False]


def test_what_was_played_and_the_answers_can_be_kept(judged, tmp_path):
    about, results = tmp_path / "played.json", tmp_path / "results.npz"
    write_played(judged.played, about, results)
    again = read_played(about, results)
    assert again.nodes == judged.played.nodes
    np.testing.assert_array_equal(again.results["gwas"]["z"], judged.played.results["gwas"]["z"])
    flat = {
        f"{step}/{key}": one for step, some in judged.answers.items() for key, one in some.items()
    }
    write_answers(flat, Path(tmp_path / "answers.npz"))
    kept = read_answers(tmp_path / "answers.npz")
    assert all(row["passed"] for row in rows_of(replace(judged, played=again, answers=kept)))


def test_the_tables_of_the_report_have_the_statistics_beside_the_truth(judged, cohort):
    table = gwas_table(judged)
    known = np.isfinite(table["z"])
    np.testing.assert_allclose(table["z"][known], table["clear_truth_z"][known], atol=1e-9)
    contig, position, ref, alt = table.loc[known, ["contig", "position", "ref", "alt"]].iloc[0]
    causal = {"trait": "height", "contig": contig, "start": position, "ref": ref, "alt": alt}
    effects = pd.DataFrame([causal | {"frequency": 0.3, "effect_in_unit": 0.5, "unit": "cm"}])
    facts = gwas_facts(table, effects, ["height"])
    assert facts["tested"] == known.sum()
    assert facts["meta"]["all"]["largest"] > 0.01
    assert [one["simulated"] for one in facts["effects"]] == [0.5]
    components = component_table(judged)
    assert list(components.columns) == ["country", "PC1", "PC2"]
    assert len(components) == len(cohort.people)
    assert 0 < components.attrs["shares"][0] < 1


def test_the_cost_of_hiding_is_told_against_all_people_on_all_genotypes(judged, cohort):
    """Where a country hides carriers, z in clear differs from statsmodels on all genotypes."""
    table = gwas_table(judged)
    people = cohort.people.assign(sex=cohort.people["sex"] == "male")
    known = people["height"].notna().to_numpy()
    pcs = judged.answers["pca"]["components"] * np.sqrt(len(people))
    x = np.column_stack([np.ones(len(people)), people[["sex", "age"]], pcs]).astype(float)[known]
    hidden = table["hidden_people"].to_numpy()
    for place in [*np.flatnonzero(hidden > 0)[:5], *np.flatnonzero(hidden == 0)[:5]]:
        genotypes = cohort.genotypes[cohort.order(judged.played.results)[place], known]
        fit = OLS(people["height"][known], np.column_stack([x, genotypes])).fit()
        assert table["all_z"][place] == pytest.approx(fit.tvalues.iloc[-1], abs=1e-8)
        is_same = abs(table["all_z"][place] - table["z"][place]) < 1e-8
        assert is_same == (hidden[place] == 0)
    rare, common = (
        [one for one in rows if one["mode"] == "clear" and one["frequency"] == label]
        for rows, label in ((facts_of(table), "1 to 5 %"), (facts_of(table), "above 5 %"))
    )
    assert rare[0]["hidden"] > common[0]["hidden"] >= 0
    assert rare[0]["largest"] > 0.1


def test_variants_that_the_rule_destroys_count_in_its_cost(judged):
    """Where all carriers are hidden a variant has no z: its copies are hidden, and its signal."""
    table = gwas_table(judged)
    rarer = np.minimum(table["all_frequency"], 1 - table["all_frequency"])
    here = ((rarer > 0.05) & np.isfinite(table["all_z"])).to_numpy()
    before = next(
        one for one in facts_of(table) if one["mode"] == "clear" and one["frequency"] == "above 5 %"
    )
    places = np.flatnonzero(here & np.isfinite(table["clear_z"]))[:3]
    table.loc[places, ["clear_z", "clear_frequency"]] = np.nan
    table.loc[places, "all_z"] = [2.5, -3.0, 1.0]
    after = next(
        one for one in facts_of(table) if one["mode"] == "clear" and one["frequency"] == "above 5 %"
    )
    assert after["lost"] == before["lost"] + 3
    assert after["lost_signals"] == before["lost_signals"] + 2
    assert after["variants"] == before["variants"] - 3
    told = np.where(
        table["all_frequency"] <= 0.5, table["clear_frequency"], 1 - table["clear_frequency"]
    )
    share = 1 - np.nansum(told[here]) / rarer[here].sum()
    assert after["hidden"] == pytest.approx(share)


def test_an_allele_that_the_truth_does_not_know_is_judged_and_shown(judged):
    """The check of the list fails; tables and facts are made all the same."""
    position = judged.answers[ALLELES]["position"] + 1
    answers = {**judged.answers, ALLELES: {**judged.answers[ALLELES], "position": position}}
    foreign = replace(judged, answers=answers)
    assert not list(judge_nodes(foreign))[-1]["passed"]
    assert facts_of(gwas_table(foreign)) == []
    manhattan_figure(gwas_table(foreign))


def facts_of(table):
    effects = pd.DataFrame(columns=["trait", "contig", "start", "ref", "alt"])
    return gwas_facts(table, effects, [])["hidden"]


def test_a_meta_analysis_is_compared_with_an_estimate_of_its_own_kind(judged):
    """An intercept by country, as each study of the meta-analysis has one."""
    facts = gwas_facts(
        gwas_table(judged), pd.DataFrame(columns=["trait", "contig", "start", "ref", "alt"]), []
    )["meta"]
    assert facts["country"]["correlation"] > facts["all"]["correlation"]
    assert facts["country"]["median"] < facts["all"]["median"]


def test_those_who_are_there_are_judged_by_their_own_truth(cohort):
    """Finland is lost before the components: they and the regression are those of the others."""
    results, present = played_by(cohort, {2: [2], "from": ("pca", "gwas")})
    nodes = {code: NodePart("took part") for code in CODES}
    counts = pd.DataFrame({"country": CODES, "known": [80, 60, 50]})
    played = Played(nodes=nodes, present=present, results=results)
    judged = Judged(STEPS, played, answers_of(cohort, results, present), counts, LEAST)
    rows = [*judge_components(judged), *judge_regressions(judged, "gwas")]
    assert all(row["passed"] for row in rows), rows
    assert int(results["gwas"]["people"].max()) < 160
