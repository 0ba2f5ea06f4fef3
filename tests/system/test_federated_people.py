"""Nodes with sandboxes find a person enrolled twice, survival curves, a Cox model and LD scores."""

import asyncio
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter

from rehearsal.analyses.kinship import shuffled_rows
from rehearsal.network.analyses.play import WES
from rehearsal.network.wes_client import WesClient
from rehearsal.node.wes.sandbox import why_no_sandbox
from rehearsal.truth.association import hide_small_cells
from tests.unit.analyses.cohort import simulate

from .analysis_nodes import DISEASE, HEIGHT, LEAST, serving, write_node
from .test_federated_analysis import COUNTRIES, PURPOSE, analyse, told_by

pytestmark = pytest.mark.system

SIZES = (150, 142, 160)  # not near 131, the years of a curve: rows of people would be suspected
TWICE = (7, SIZES[0] + 90)  # one person, enrolled in BE and in EE
KEY = bytes(range(32))
WINDOW = 12_000


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """People with few ages and onsets, so that no node counts fewer than five in a year."""
    if reason := why_no_sandbox():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("cohort")
    cohort = simulate(folder, SIZES, n_variants=1000)
    cohort.genotypes[:, TWICE[1]] = cohort.genotypes[:, TWICE[0]]
    random, people = np.random.default_rng(5), cohort.people
    people["height"] = people["height"].fillna(170.0)
    people["age"] = random.choice([45.0, 60.0, 75.0], len(people))
    risk = 1 / (1 + np.exp(-0.3 * (people["height"] - people["height"].mean())))
    people["disease"] = random.random(len(people)) < risk
    people["onset"] = random.choice([30.0, 40.0], len(people))
    return cohort


@pytest.fixture(scope="module")
def nodes(cohort, tmp_path_factory):
    """Entries of three nodes. FI lets no sketches out."""
    with served_nodes(cohort, tmp_path_factory.mktemp("nodes"), ["BE", "EE"]) as entries:
        yield entries


@contextmanager
def served_nodes(cohort, folder, with_sketches, **limits):
    """Entries of three nodes, some of which have the key of sketches."""
    key = folder / "kinship.key"
    key.write_bytes(KEY)
    key.chmod(0o600)
    with ExitStack() as stack:
        entries = []
        for number, country in enumerate(COUNTRIES):
            mine = cohort.node == number
            people = cohort.people[mine].reset_index(drop=True)
            sketches = {"sketches": True, "kinship_key": str(key)}
            own = limits | (sketches if country in with_sketches else {})
            genotypes = cohort.genotypes[:, mine]
            write_node(folder / country, country, genotypes, cohort.sites, people, **own)
            entries.append(stack.enter_context(serving(folder / country)))
        yield entries


def find_person(node, size, row):
    """The person of a row, as a node's operator finds it: by the key and the id of the run."""

    async def last_run():
        async with WesClient(
            f"{node.address_of(WES[1:])}{WES}", {"X-Rehearsal-Purpose": PURPOSE}
        ) as wes:
            return (await wes.runs())[0]["run_id"]

    return shuffled_rows(KEY, asyncio.run(last_run()).encode(), size)[row]


def test_nodes_that_add_under_masks_only_find_the_person_too(cohort, tmp_path):
    """The frequencies are added under masks; lists and sketches cannot be."""
    step = {"algorithm": "kinship", "parameters": {}, "masked": True}
    with served_nodes(cohort, tmp_path, COUNTRIES, modes=("masked",)) as nodes:
        analysis = analyse(nodes, algorithm="kinship", steps=[step])
        assert analysis.state == "complete", analysis.reason
        assert told_by(analysis) == dict.fromkeys(COUNTRIES, ("done", ""))
        columns = analysis.tables["kinship"].columns
        assert [columns[f"node_{i}"].tolist() for i in (1, 2)] == [["BE"], ["EE"]]
        rows = [columns[f"row_{i + 1}"][0] for i in range(2)]
        found = [find_person(nodes[i], SIZES[i], rows[i]) for i in range(2)]
    assert (found[0], SIZES[0] + found[1]) == TWICE


def test_a_person_enrolled_in_two_countries_is_found_and_nobody_else(nodes):
    step = {"algorithm": "kinship", "parameters": {}}
    analysis = analyse(nodes, algorithm="kinship", steps=[step])
    assert analysis.state == "complete", analysis.reason
    lacking = (
        "an algorithm without a sketch of each person, as this node has no "
        "analyses.sketches: true (such an algorithm needs sketches and kinship_key)"
    )
    assert told_by(analysis)["FI"] == (
        "refused",
        f"workflow_url: expected {lacking}, found 'kinship'",
    )
    columns = analysis.tables["kinship"].columns
    assert list(columns)[:2] == ["node_1", "node_2"]
    assert [columns[f"node_{i}"].tolist() for i in (1, 2)] == [["BE"], ["EE"]]
    # each node finds its own person by the key; nobody else can
    found = [find_person(nodes[i], SIZES[i], columns[f"row_{i + 1}"][0]) for i in range(2)]
    assert (found[0], SIZES[0] + found[1]) == TWICE
    assert columns["duplicate"].tolist() == [True]
    (about,) = (one for one in analysis.report()["tables"] if "false_alarms" in one["columns"])
    table = analysis.tables[about["name"]].columns
    assert table["pairs_compared"].tolist() == [SIZES[0] * SIZES[1]]
    assert table["false_alarms"][0] < 0.01
    assert "pairs of strangers that are expected" in about["note"]


@pytest.mark.parametrize("masked", [False, True])
def test_survival_is_that_of_the_pooled_people_by_lifelines(cohort, nodes, masked):
    asked = {
        "kaplan_meier": {"outcome": DISEASE, "group": "sex"},
        "cox": {"outcome": DISEASE, "covariates": [HEIGHT]},
    }
    steps = [
        {"algorithm": name, "parameters": one, "masked": masked} for name, one in asked.items()
    ]
    analysis = analyse(nodes, algorithm="survival", steps=steps)
    assert analysis.state == "complete", analysis.reason
    assert told_by(analysis) == dict.fromkeys(COUNTRIES, ("done", ""))
    people = cohort.people.assign(node=cohort.node, event=cohort.people["disease"])
    people["left"] = np.where(people["event"], people["onset"], people["age"] - 1)
    curves = analysis.tables["kaplan_meier"].columns
    for group, sex in enumerate(("female", "male")):
        mine = people[people["sex"] == sex]
        fit = KaplanMeierFitter().fit(mine["left"], mine["event"])
        rows = curves["group"] == group
        expected = fit.survival_function_at_times(curves["year"][rows]).to_numpy()
        np.testing.assert_allclose(curves["survival"][rows], expected, rtol=1e-12)
    table = people[["left", "event", "height", "sex", "node"]]
    fit = CoxPHFitter().fit(
        *(table, "left", "event"), strata=["sex", "node"], fit_options={"precision": 1e-12}
    )
    found = analysis.tables["cox"].columns
    assert found["covariate"].tolist() == [HEIGHT]
    np.testing.assert_allclose(found["beta"], fit.params_, rtol=1e-6)
    np.testing.assert_allclose(found["se"], fit.standard_errors_, rtol=1e-6)
    assert abs(found["z"][0]) > 3


@pytest.mark.parametrize("masked", [False, True])
def test_ld_scores_are_sums_of_squared_correlations(cohort, nodes, masked):
    parameters = {"least_frequency": 0.05, "window": WINDOW}
    step = {"algorithm": "ld_scores", "parameters": parameters, "masked": masked}
    analysis = analyse(nodes, steps=[step])
    assert analysis.state == "complete", analysis.reason
    result = analysis.result.results["ld_scores"]
    order = cohort.order(analysis.result.results)[result["chosen"]]
    group = np.zeros_like(cohort.node) if masked else cohort.node
    copies = hide_small_cells(cohort.genotypes[order], group, LEAST)
    squared = np.corrcoef(copies) ** 2
    squared -= (1 - squared) / (copies.shape[1] - 2)
    contig = np.array([cohort.sites[i][0] for i in order])
    position = np.array([cohort.sites[i][1] for i in order])
    near = contig[:, None] == contig[None]
    near &= np.abs(position[:, None] - position[None]) <= WINDOW
    assert 500 < len(order) < 1000
    np.testing.assert_array_equal(result["pairs"], near.sum(axis=1))
    np.testing.assert_allclose(result["score"], (squared * near).sum(axis=1), rtol=1e-6)
    columns = analysis.tables["ld_scores"].columns
    assert list(columns) == ["contig", "position", "ref", "alt", "score", "pairs"]
    assert columns["position"].tolist() == (position + 1).tolist()
