"""Three nodes with sandboxes play an analysis in clear and masked; the pooled people judge."""

import asyncio
import io
import json
import time
from contextlib import ExitStack

import numpy as np
import pandas as pd
import pytest

from rehearsal.network.analyses.analysis_plan import plan_analysis
from rehearsal.network.analyses.analysis_request import AnalysisRequest
from rehearsal.network.analyses.play import WES
from rehearsal.network.analyses.played_analysis import PlayedAnalysis
from rehearsal.network.client import NodeRequest
from rehearsal.network.launcher import running_network
from rehearsal.network.registry import NodeEntry, write_nodes
from rehearsal.network.wes_client import WesClient
from rehearsal.node.wes.sandbox import why_no_sandbox
from rehearsal.truth.association import (
    hide_small_cells,
    linear_association,
    pooled_components,
    standardised,
)
from rehearsal.web.request_models import convert_values
from tests.unit.analyses.cohort import simulate
from tests.unit.signing_keys import COORDINATOR, signing_key, write_key

from .analysis_nodes import DISEASE, HEIGHT, LEAST, serving, write_node
from .test_network_service import ask

pytestmark = pytest.mark.system

COUNTRIES = ["BE", "EE", "FI"]
PURPOSE = "DUO:0000006"
PATH = "/federated_analyses"
LINEAR = {"outcome": HEIGHT, "covariates": ["sex", "age"]}
STEPS = [
    {"algorithm": "linear", "parameters": LINEAR},
    {"algorithm": "linear", "parameters": LINEAR, "name": "masked linear", "masked": True},
]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    if reason := why_no_sandbox():
        pytest.skip(reason)
    return simulate(tmp_path_factory.mktemp("cohort"), sizes=(60, 50, 40), n_variants=150)


@pytest.fixture(scope="module")
def nodes(cohort, tmp_path_factory):
    """Entries of three nodes. In EE three people have the disease, in FI nobody."""
    folder = tmp_path_factory.mktemp("nodes")
    with ExitStack() as stack:
        entries = []
        for number, (country, cases) in enumerate(zip(COUNTRIES, (None, 3, 0), strict=True)):
            mine = cohort.node == number
            people = cohort.people[mine].reset_index(drop=True)
            genotypes = cohort.genotypes[:, mine]
            write_node(folder / country, country, genotypes, cohort.sites, people, cases)
            entries.append(stack.enter_context(serving(folder / country)))
        yield entries


@pytest.fixture(scope="module")
def network(nodes, tmp_path_factory):
    with serving_network(nodes, tmp_path_factory.mktemp("network")) as service:
        yield service


def serving_network(nodes, folder):
    key = write_key(folder / "coordinator.pem", COORDINATOR)
    return running_network(nodes, 10.0, folder, options=["--coordinator-key", str(key)])


def analyse(nodes, signed_by=COORDINATOR, **request):
    plan = plan_analysis(convert_values(request, AnalysisRequest), nodes)
    asked = NodeRequest("", purpose=PURPOSE)
    analysis = PlayedAnalysis(plan, asked, signing_key=signing_key(signed_by))
    asyncio.run(analysis.play())
    return analysis


def told_by(analysis):
    return {one["node"]: (one["state"], one["reason"]) for one in analysis.report()["nodes"]}


def pooled(cohort, results, group):
    """The regression of all people, with what is rare in a group hidden."""
    known = cohort.people["height"].notna().to_numpy()
    people = cohort.people[known]
    sex = (people["sex"] == "male").to_numpy(float)
    covariates = np.column_stack([np.ones(known.sum()), sex, people["age"]])
    genotypes = cohort.genotypes[cohort.order(results)][:, known]
    hidden = hide_small_cells(genotypes, group[known], LEAST)
    return linear_association(hidden, people["height"].to_numpy(), covariates)


def test_nodes_find_what_the_pooled_people_show_in_clear_and_masked(cohort, nodes):
    analysis = analyse(nodes, steps=STEPS)
    result = analysis.result
    assert result.losses == []
    assert result.nodes["masked linear"] == COUNTRIES
    assert told_by(analysis) == dict.fromkeys(COUNTRIES, ("done", ""))
    for step, group, tolerance in (
        ("linear", cohort.node, 1e-9),
        ("masked linear", np.zeros_like(cohort.node), 1e-6),
    ):
        expected = pooled(cohort, result.results, group.astype(np.int64)).statistic
        found = result.results[step]["z"]
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
        np.testing.assert_allclose(found, expected, atol=tolerance)
        assert np.isfinite(found).sum() > 30


def test_masked_components_are_those_of_the_pooled_people(cohort, nodes):
    components = {"algorithm": "components", "parameters": {"number": 1}, "masked": True}
    result = analyse(nodes, steps=[{"algorithm": "frequencies"}, components]).result
    assert result.losses == []
    found = result.results["components"]
    copies = cohort.genotypes[cohort.order(result.results)][found["chosen"]]
    frequency = result.results["frequencies"]["frequency"][found["chosen"]]
    right, values = pooled_components(copies, frequency, 1)
    loadings = standardised(copies, frequency) @ right[:, 0]
    assert values[0] > 1.01 * values[1]
    cosine = found["loadings"][:, 0] @ loadings / np.linalg.norm(loadings)
    assert 1 - abs(cosine) < 1e-8
    assert found["eigenvalues"][0] == pytest.approx(values[0] / len(copies), rel=1e-9)


def test_nodes_that_are_down_or_have_no_wes_cost_their_own_people_only(cohort, nodes, network):
    """The network's own service is a Beacon without WES."""
    away = NodeEntry("FI", "http://127.0.0.1:9")
    foreign = NodeEntry("SE", network.url)
    analysis = analyse([*nodes[:2], away, foreign], steps=STEPS[:1])
    assert {one.node: one.outcome for one in analysis.result.losses} == {
        "FI": "failed",
        "SE": "not run",
    }
    assert told_by(analysis)["SE"] == ("not run", "no WES here (status 404)")
    assert analysis.result.nodes["linear"] == ["BE", "EE"]
    assert int(analysis.result.results["linear"]["people"].max()) == int(
        cohort.people["height"].notna().to_numpy()[cohort.node < 2].sum()
    )


def test_nodes_take_no_states_of_a_network_that_they_do_not_know(nodes):
    """The first round is played: it needs no state."""
    analysis = analyse(nodes, signed_by="somebody", steps=STEPS[:1])
    assert (analysis.state, analysis.result.rounds) == ("failed", 0)
    for state, reason in told_by(analysis).values():
        assert state == "refused"
        assert reason.startswith("signature: expected one by a coordinator that analyses.coord")


def test_a_late_node_costs_its_own_people_only(nodes):
    analysis = analyse(nodes, steps=STEPS[:1], deadlineS=0.05)
    assert {state for state, _ in told_by(analysis).values()} == {"late"}
    assert told_by(analysis)["BE"][1] == "no answer within 0.05 s"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"algorithm": "sha256:0", "parameters": {"n": 1}}, "workflow_url: expected digest or na"),
        ({"steps": [{"algorithm": "kaplan_meier"}]}, "params.steps[0].algorithm: expected"),
        (
            {"steps": [{"algorithm": "linear", "parameters": {"outcome": "LOINC:0"}}]},
            "outcome: expected a variable of this node's people, found 'LOINC:0'",
        ),
    ],
)
def test_what_nodes_refuse_is_one_line_for_each(nodes, request_, reason):
    analysis = analyse(nodes, **request_)
    assert analysis.state == "failed"
    for state, told in told_by(analysis).values():
        assert state == "refused"
        assert reason in told
        assert "\n" not in told
    assert "at least one, found none" in analysis.reason


def test_countries_without_enough_cases_are_marked_and_the_others_go_on(nodes):
    logistic = {"outcome": DISEASE, "covariates": ["sex"]}
    analysis = analyse(nodes, steps=[{"algorithm": "logistic", "parameters": logistic}])
    told = told_by(analysis)
    assert told["BE"] == ("done", "")
    assert told["EE"] == ("failed", "The run has ended. No people are left for the algorithm.")
    assert told["FI"][0] == "refused"
    assert analysis.result.nodes["logistic"] == ["BE"]
    assert (analysis.tables["logistic"].columns["status"] == "tested").any()


def test_collinear_covariates_end_the_analysis_in_one_line(nodes):
    twice = {"outcome": HEIGHT, "covariates": ["age", "age"]}
    analysis = analyse(nodes, steps=[{"algorithm": "linear", "parameters": twice}])
    assert analysis.state == "failed"
    assert "covariates" in analysis.reason
    assert "\n" not in analysis.reason
    assert {state for state, _ in told_by(analysis).values()} == {"stopped"}
    assert set(analysis.tables) == {"frequencies", "frequencies.people"}  # of the steps before


def test_the_command_writes_tables_that_read_back_exactly(nodes, tmp_path, capsys):
    """Numbers are the same as those in memory; a variant that varies nowhere has a row."""
    from rehearsal.cli import main

    write_nodes(nodes, tmp_path / "nodes.yaml")
    (tmp_path / "request.json").write_text(json.dumps({"steps": STEPS[:1]}))
    out = tmp_path / "out"
    files = [str(tmp_path / "request.json"), "--nodes", str(tmp_path / "nodes.yaml")]
    key = ["--coordinator-key", str(write_key(tmp_path / "coordinator.pem", COORDINATOR))]
    with pytest.raises(SystemExit) as ended:
        main(["network", "analyse", *files, *key, "--purpose", PURPOSE, "--out", str(out)])
    assert ended.value.code == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:3] == [
        "round 0: step alleles, 3 nodes",
        "round 1: step frequencies, 3 nodes",
        "round 2: step linear, 3 nodes",
    ]
    assert said[3:6] == ["BE       done", "EE       done", "FI       done"]
    report = json.loads((out / "analysis.json").read_text())
    assert (report["state"], report["rounds"]) == ("complete", 3)
    table = pd.read_csv(out / "linear.tsv", sep="\t")
    assert list(table)[:7] == ["contig", "position", "ref", "alt", "beta", "se", "z"]
    constant = table[table["status"] == "constant"]
    assert len(constant)
    assert constant["z"].isna().all()
    again = analyse(nodes, steps=STEPS[:1]).result.results["linear"]
    for name in ("beta", "z", "p", "frequency"):
        np.testing.assert_array_equal(table[name], again[name])


def wait_until_ended(network, address, **headers):
    until = time.monotonic() + 120
    while time.monotonic() < until:
        status, body = ask(network, address, **headers)
        assert status == 200
        if body["response"]["state"] != "running":
            return body["response"]
        time.sleep(0.2)
    raise AssertionError("the analysis goes on")


def test_the_network_plays_it_for_who_asked_and_nobody_else(network):
    mine = {"X-Rehearsal-Purpose": PURPOSE, "Authorization": "Bearer mine"}
    status, body = ask(network, PATH, {"steps": STEPS[:1]}, **mine)
    assert (status, body["response"]["state"]) == (202, "running")
    address = f"{PATH}/{body['response']['analysis']}"
    assert body["response"]["address"] == f"{network.url}{address}"
    for headers in ({}, {"Authorization": "Bearer other"}):
        assert ask(network, address, **headers)[0] == 404
    told = wait_until_ended(network, address, Authorization="Bearer mine")
    # the nodes trust no issuer, so that they refuse the token
    assert {one["state"] for one in told["nodes"]} == {"refused"}
    assert (told["state"], told["tables"]) == ("failed", [])


def test_callers_without_a_token_leave_room_for_others(nodes, tmp_path):
    request, purpose = {"steps": STEPS[:1], "nodes": ["BE"]}, {"X-Rehearsal-Purpose": PURPOSE}
    with serving_network(nodes, tmp_path) as service:
        answers = [ask(service, PATH, request, **purpose)[0] for _ in range(3)]
        named = ask(service, PATH, request, **purpose, Authorization="Bearer mine")[0]
    assert (answers, named) == ([202, 202, 429], 202)
    going = {"QUEUED", "INITIALIZING", "RUNNING"}
    assert not [state for _, state in asyncio.run(runs_of(nodes[0])) if state in going]


def test_the_network_gives_tables_as_json_and_text(network):
    _, body = ask(network, PATH, {"steps": STEPS[:1]}, **{"X-Rehearsal-Purpose": PURPOSE})
    told = wait_until_ended(network, f"{PATH}/{body['response']['analysis']}")
    assert told["state"] == "complete"
    (about,) = (one for one in told["tables"] if one["name"] == "linear")
    assert about["nodes"] == COUNTRIES
    address = about["address"].removeprefix(network.url)
    status, columns = ask(network, address)
    assert status == 200
    _, text = ask(network, address, Accept="text/tab-separated-values")
    table = pd.read_csv(io.BytesIO(text), sep="\t")
    assert list(table) == about["columns"] == list(columns)
    assert len(table) == about["rows"]
    for name in ("position", "z", "p"):
        np.testing.assert_array_equal(table[name], np.array(columns[name], float))
    assert ask(network, f"{address}s")[0] == 404


def test_a_network_that_stops_ends_the_runs_at_the_nodes(nodes, tmp_path):
    with serving_network(nodes, tmp_path) as service:
        before = asyncio.run(runs_of(nodes[0]))
        headers = {"X-Rehearsal-Purpose": PURPOSE}
        assert ask(service, PATH, {"steps": STEPS[:1], "nodes": ["BE"]}, **headers)[0] == 202
        until = time.monotonic() + 60
        while not (new := asyncio.run(runs_of(nodes[0])) - before):
            assert time.monotonic() < until
    ((_, state),) = {one for one in asyncio.run(runs_of(nodes[0])) if one[0] in dict(new)}
    assert state == "CANCELED"


async def runs_of(node):
    async with WesClient(f"{node.url}{WES}", {"X-Rehearsal-Purpose": PURPOSE}) as client:
        return {(one["run_id"], one["state"]) for one in await client.runs()}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "steps: expected at least one step, found none"),
        ({"steps": [{"algorithm": "linearr"}]}, "algorithm: expected one of alleles"),
        ({"steps": STEPS, "nodes": ["XX"]}, "nodes: expected codes of the network's nodes (BE, "),
        ({"steps": STEPS, "nodes": ["BE", "EE"]}, "at least 3, because sums are masked"),
        ({"steps": STEPS[:1], "parameters": {"a": 1}}, "expected steps or parameters, found both"),
        ({"steps": [STEPS[0], STEPS[0]]}, "name: expected names that differ from each other"),
        ({"steps": STEPS[:1], "deadlineS": 0}, "deadlineS: expected a number above 0"),
        ({"steps": [{**STEPS[0], "name": "../up"}]}, "steps[0].name: expected"),
    ],
)
def test_requests_that_cannot_be_played_are_refused_in_a_line(network, body, message):
    status, told = ask(network, PATH, body)
    assert status == 400
    assert message in told["error"]["errorMessage"]
