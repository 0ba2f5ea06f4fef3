"""WES of a node: runs, states, results, rounds and refusals."""

import io
import itertools
import json
import sqlite3
import threading
import time

import numpy as np
import pytest
import yaml

from rehearsal.analyses import alleles, frequencies, linear
from rehearsal.analyses.exchange import pack_arrays, unpack_arrays
from rehearsal.analyses.rounds import NetworkRun
from rehearsal.errors import InputError
from rehearsal.formats.five_safes_crate import CrateRequest, write_crate
from rehearsal.node.access.settings import Veto
from rehearsal.node.access.withdrawals import add_withdrawals
from rehearsal.node.airlock.bits import bits_of_result
from rehearsal.node.airlock.desk import Desk
from rehearsal.node.wes.kinship_key import read_kinship_key

from ...node_algorithms import ANYTHING
from ..conftest import NAMES
from .conftest import DATASET, ROUNDS, K, numbers, of_coordinator

HEART = {"workflow_params": {"disease": "MONDO:0005010"}}
ALL = {
    "ones": {
        "script": 'save("result", {"all": ([number], "count", {})})',
        "schema": ANYTHING,
        "arrays": {"all": "count"},
    }
}
IN_ROUNDS = {
    "rounds": {
        "script": ROUNDS,
        "schema": ANYTHING,
        "rounds": True,
        "outputs": [],
        "arrays": {"total": "sum"},
    }
}


def test_a_run_counts_the_people_who_permit_the_purpose(node, sandboxes):
    """By Snakemake: ten of twelve permit it."""
    asked = node(ALL)
    log = asked.run_to_end(workflow_url="ones", tags={"note": "mine"})
    assert log["state"] == "COMPLETE", log
    assert log["run_log"]["exit_code"] == 0
    assert log["request"]["tags"] == {"note": "mine"}
    status, content = asked.send(f"/runs/{log['run_id']}/outputs/result.npz")
    assert (status, numbers(content)) == (200, {"all": [10]})
    status, about = asked.send(f"/runs/{log['run_id']}/outputs/result.json")
    assert about == {
        "people": 10,
        "additive": True,
        "masked": False,
        "arrays": {"all": {"class": "count"}},
    }


def test_who_is_in_the_view_depends_on_the_purpose(node, quick):
    asked = node(ALL)
    for purpose, people in (("DUO:0000011", 11), ("DUO:0000006", 10)):
        status, told = asked.run(purpose=purpose, workflow_url="ones")
        assert status == 200
        until = time.monotonic() + 60
        while (log := asked.send(f"/runs/{told['run_id']}", purpose=purpose)[1])[
            "state"
        ] != "COMPLETE":
            if log["state"] == "PAUSED":  # differs by one person from the result before
                return
            assert time.monotonic() < until, log
        found = asked.send(f"/runs/{told['run_id']}/outputs/result.npz", purpose=purpose)[1]
        assert numbers(found) == {"all": [people]}
    pytest.fail("the second result differs by one person and was not held")


def test_a_count_below_the_smallest_waits_for_a_person(node, quick):
    asked = node()
    _, told = asked.run(workflow_url="counting", **HEART)  # one woman, two men
    log = asked.ended(told["run_id"], states=("PAUSED",))
    assert log["outputs"] == {}
    status, problem = asked.send(f"/runs/{told['run_id']}/outputs/result.npz")
    assert status == 404 and problem["status_code"] == 404


def test_rounds_go_out_and_states_come_in(node, quick):
    asked = node(IN_ROUNDS)
    _, told = asked.run(workflow_url="rounds")
    run = f"/runs/{told['run_id']}/rounds"
    assert put(asked, f"{run}/0", [1.0])[0] in (200, 409)  # 409 before the round is there
    status, content = asked.send(f"{run}/0", wait_s=20)
    assert (status, numbers(content)) == (200, {"total": [10.0]})
    assert put(asked, f"{run}/1", [1.0])[0] == 409
    assert put(asked, f"{run}/0", [21.0]) == (200, {"state": "RUNNING"})
    status, content = asked.send(f"{run}/1", wait_s=20)
    assert (status, numbers(content)) == (200, {"total": [42.0]})
    assert put(asked, f"{run}/1", [0.0])[0] == 200
    assert asked.ended(told["run_id"])["state"] == "COMPLETE"
    assert asked.send(f"{run}/2")[0] == 410


def test_numbers_of_a_round_are_gone_once_the_network_has_answered(node, quick):
    asked = node(IN_ROUNDS)
    _, told = asked.run(workflow_url="rounds")
    run = f"/runs/{told['run_id']}/rounds"
    assert asked.send(f"{run}/0", wait_s=20)[0] == 200
    assert put(asked, f"{run}/0", [1.0])[0] == 200
    assert asked.send(f"{run}/0")[0] == 410
    asked.send(f"/runs/{told['run_id']}/cancel", b"")
    assert asked.send(f"{run}/1", wait_s=20)[0] == 410


def test_a_round_that_comes_before_its_turn_ends_the_run(node, quick):
    """Otherwise rounds could fill the memory of the node."""
    script = """
for number in range(3):
    save(f"round-{number}", {"total": ([5.0], "sum", {})}, folder="outbox", round=number)
"""
    asked = node({"rounds": {**IN_ROUNDS["rounds"], "script": script}})
    log = asked.run_to_end(workflow_url="rounds")
    assert log["run_log"]["system_logs"] == [OTHER_FORM]


OTHER_FORM = (
    "The run wrote more, or in another form, than it declared. The log at the node says what."
)
FAILED = "The algorithm ended with an error. The log at the node has it."
HELD = """
save("round-0", {"cases": ([1], "count", {})}, folder="outbox", round=0)
wait_for("round-0")
"""


@pytest.mark.parametrize(("word", "status"), [("refuse", 410), ("release", 200)])
def test_a_decision_stands_after_the_run_has_ended(node, quick, word, status):
    held = {**IN_ROUNDS["rounds"], "script": HELD, "arrays": {"cases": "count"}}
    asked = node({"rounds": held})
    _, told = asked.run(workflow_url="rounds")
    path = f"/runs/{told['run_id']}/rounds/0"
    assert asked.send(path, wait_s=20)[0] == 423
    Desk(asked.folder).decide(f"{told['run_id']}-round-0", word, "a test")
    assert asked.send(path)[0] == status
    if word == "release":
        assert put(asked, path, [1.0])[0] == 200
        status = 410  # its turn is over
    asked.ended(told["run_id"])
    runs = asked.endpoints._runs
    until = time.monotonic() + 20
    while told["run_id"] in runs._workers and time.monotonic() < until:
        time.sleep(0.05)
    for _ in range(2):
        assert asked.send(path)[0] == status


def put(asked, path, total, pieces=1):
    buffer = io.BytesIO()
    np.savez(buffer, total=np.array(total))
    content = buffer.getvalue()
    cut = [i * len(content) // pieces for i in range(pieces + 1)]
    for first, last in itertools.pairwise(cut):
        place = f"bytes {first}-{last - 1}/{len(content)}".encode()
        headers = [(b"content-range", place), *of_coordinator(path, content)]
        answer = asked.send(path, content[first:last], headers=headers, method="PUT")
        if answer[0] != 202:
            break
    return answer


VARIABLE = {"type": "string", "format": "variable"}
STEPS = {
    "type": "object",
    "properties": {
        "steps": {
            "items": {
                "properties": {
                    "parameters": {
                        "properties": {
                            "outcome": VARIABLE,
                            "covariates": {
                                "items": {
                                    "anyOf": [{"const": "components"}, {"format": "variable"}]
                                }
                            },
                        }
                    }
                }
            }
        }
    },
}
OWN = {
    "sequence": {
        "script": """
import subprocess
places = ["--view", "/view", "--parameters", "parameters.json", "--inbox", "inbox"]
command = [sys.executable, "-m", "rehearsal.analyses", "sequence", *places, "--outbox", "outbox"]
sys.exit(subprocess.run(command).returncode)
""",
        "schema": STEPS,
        "genotypes": True,
        "rounds": True,
        "outputs": [],
        "arrays": {
            name: one.kind
            for module in (alleles, frequencies, linear)
            for name, one in module.DISCLOSURE.items()
        },
    }
}


def test_our_own_analyses_run_and_nothing_of_theirs_is_held(node, quick):
    asked = node(OWN)
    outcome = {"outcome": "LOINC:22748-8", "covariates": []}
    steps = [{"algorithm": "linear", "parameters": outcome}]
    _, told = asked.run(workflow_url="sequence", workflow_params={"steps": steps})
    network = NetworkRun(
        {"steps": [{"algorithm": "linear", "parameters": outcome}], "smallest_count": K}
    )
    number = 0
    while not network.done:
        path = f"/runs/{told['run_id']}/rounds/{number}"
        status, content = asked.send(path, wait_s=20)
        assert status == 200, content
        network.advance([unpack_arrays(content, "here")])
        content = pack_arrays(network.message(number))
        signed = of_coordinator(path, content)
        assert asked.send(path, content, headers=signed, method="PUT")[0] == 200
        number += 1
    assert asked.ended(told["run_id"])["state"] == "COMPLETE"
    table = network.results["linear"]
    assert number == 3 and np.isfinite(table["z"]).any()


def test_a_long_state_comes_in_pieces(node, quick):
    asked = node(IN_ROUNDS)
    _, told = asked.run(workflow_url="rounds")
    run = f"/runs/{told['run_id']}/rounds"
    assert asked.send(f"{run}/0", wait_s=20)[0] == 200
    assert put(asked, f"{run}/0", [5.0], pieces=3)[0] == 200
    assert numbers(asked.send(f"{run}/1", wait_s=20)[1]) == {"total": [10.0]}
    asked.send(f"/runs/{told['run_id']}/cancel", b"")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no archive", "expected an NPZ file of finite numbers"),
        (None, "expected an NPZ file of finite numbers"),
    ],
)
def test_a_state_that_is_no_numbers_is_refused(node, quick, content, said):
    asked = node(IN_ROUNDS)
    _, told = asked.run(workflow_url="rounds")
    run = f"/runs/{told['run_id']}/rounds"
    assert asked.send(f"{run}/0", wait_s=20)[0] == 200
    if content is None:
        buffer = io.BytesIO()
        np.savez(buffer, total=np.array([{"an": "object"}], dtype=object))
        content = buffer.getvalue()
    signed = of_coordinator(f"{run}/0", content)
    status, problem = asked.send(f"{run}/0", content, headers=signed, method="PUT")
    assert status == 400 and said in problem["msg"]
    asked.send(f"/runs/{told['run_id']}/cancel", b"")


def test_a_run_can_be_cancelled(node, quick):
    asked = node(IN_ROUNDS)
    _, told = asked.run(workflow_url="rounds")
    assert asked.send(f"/runs/{told['run_id']}/cancel", b"") == (200, told)
    assert asked.send(f"/runs/{told['run_id']}/status")[1]["state"] == "CANCELED"
    assert asked.send(f"/runs/{told['run_id']}/rounds/0")[0] in (200, 410)


def test_runs_wait_for_each_other_and_too_many_are_refused(node, quick):
    asked = node(IN_ROUNDS, runs=1, waiting=1)
    first, second = (asked.run(workflow_url="rounds")[1]["run_id"] for _ in range(2))
    assert asked.send(f"/runs/{second}/status")[1]["state"] == "QUEUED"
    status, problem = asked.run(workflow_url="rounds")
    assert status == 429
    assert problem["msg"] == "runs: expected at most 1 runs that wait, found one more"
    asked.send(f"/runs/{first}/cancel", b"")
    assert asked.send(f"/runs/{second}/rounds/0", wait_s=20)[0] == 200
    asked.send(f"/runs/{second}/cancel", b"")


def test_runs_are_listed_in_pages_and_belong_to_their_callers(node, quick):
    asked = node(IN_ROUNDS, runs=1)
    mine = [asked.run(workflow_url="rounds")[1]["run_id"] for _ in range(3)]
    _, page = asked.send("/runs", page_size=2)
    _, rest = asked.send("/runs", page_size=2, page_token=page["next_page_token"])
    assert [one["run_id"] for one in (*page["runs"], *rest["runs"])] == mine
    assert rest["next_page_token"] == ""
    assert asked.send("/runs", who="other")[1]["runs"] == []
    assert asked.send(f"/runs/{mine[0]}", who="other")[0] == 404
    assert asked.send("/runs", page_size=0)[0] == 400
    for run in mine:
        asked.send(f"/runs/{run}/cancel", b"")


def test_tasks(node, quick):
    asked = node(ALL)
    log = asked.run_to_end(workflow_url="ones")
    _, tasks = asked.send(f"/runs/{log['run_id']}/tasks")
    (task,) = tasks["task_logs"]
    assert (task["id"], task["name"], task["exit_code"]) == ("algorithm", "ones", 0)
    assert asked.send(f"/runs/{log['run_id']}/tasks/algorithm")[1] == task
    assert asked.send(f"/runs/{log['run_id']}/tasks/other")[0] == 404


@pytest.mark.parametrize(
    ("who", "status", "said"),
    [
        (None, 401, "This request requires a token."),
        ("registered", 403, "The token does not give access to this."),
        ("vetoed", 403, "The token does not give access to this."),
    ],
)
def test_a_run_needs_the_visa_of_the_dataset(node, who, status, said):
    asked = node(ALL, vetoes=(Veto("not for France", dataset=DATASET, country="FR"),))
    assert asked.run(who=who, workflow_url="ones") == (
        status,
        {"msg": said, "status_code": status},
    )


def test_a_purpose_needs_its_role(node):
    status, problem = node(ALL).run(purpose="DUO:0000043", workflow_url="ones")
    assert status == 403 and problem["status_code"] == 403


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (
            {"workflow_url": "sha256:" + 64 * "0"},
            "workflow_url: expected digest or name of an algorithm that this node approves "
            "(counting), found 'sha256:0000",
        ),
        (
            {"workflow_params": {"disease": 5}},
            "workflow_params.disease: expected a value that fits type of the algorithm's schema, "
            "found 5 is not of type 'string'",
        ),
        (
            {"workflow_params": {"disease": "MONDO:9999999"}},
            "workflow_params.disease: expected a variable of this node's people, "
            "found 'MONDO:9999999'",
        ),
        (
            {"workflow_params": {**HEART["workflow_params"], "masked": True}},
            "workflow_params: expected keys of the algorithm's schema (disease), found 'masked'",
        ),
        ({"workflow_params": "{"}, "workflow_params: expected a JSON object, found invalid JSON"),
        ({"workflow_type": "CWL"}, "workflow_type: expected one of SMK, found 'CWL'"),
        (
            {"workflow_engine_parameters": {"--cores": "64"}},
            "workflow_engine_parameters: expected none, as the node decides how its engine runs, "
            "found some",
        ),
        ({"colour": "red"}, "the form: expected one of workflow_params"),
        ({"tags": {"note": 5}}, "tags.note: expected a text, found"),
    ],
)
def test_invalid_requests_are_one_line(node, form, said):
    status, problem = node().run(**{"workflow_url": "counting", **HEART, **form})
    assert status == 400
    assert problem["msg"].startswith(said) and "\n" not in problem["msg"]


def test_an_algorithm_that_is_not_on_the_list_does_not_run(node):
    status, problem = node(approved=()).run(workflow_url="counting", **HEART)
    assert status == 400 and "(none)" in problem["msg"]


def test_an_algorithm_that_was_changed_does_not_run(node, quick):
    asked = node(ALL)
    (asked.folder / "algorithms/ones/main.py").write_text("steal()")
    log = asked.run_to_end(workflow_url="ones")
    assert log["state"] == "SYSTEM_ERROR"
    assert log["run_log"]["system_logs"] == [
        "The algorithm's files are not those that were approved."
    ]


def test_a_form_in_another_type_is_refused(node):
    asked = node()
    status, problem = asked.send("/runs", b"{}", headers=[(b"content-type", b"application/json")])
    assert status == 415
    assert problem["msg"].startswith("content-type: expected multipart/form-data or")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        (
            {"digest": "sha256:" + 64 * "0"},
            "ro-crate-metadata.json: expected the algorithm of the request",
        ),
        ({"purpose": "DUO:0000011"}, "ro-crate-metadata.json: expected the purpose of the request"),
        (
            {"parameters": {"disease": "ICD10:C50"}},
            "ro-crate-metadata.json: expected the parameters of the request",
        ),
    ],
)
def test_a_request_may_be_a_five_safes_crate(node, quick, change, said):
    asked = node()
    given = {
        "digest": asked.digests["counting"],
        "parameters": HEART["workflow_params"],
        "agent": "Ann",
        "project": "Hearts of Europe",
        "purpose": "DUO:0000006",
    }
    crate = write_crate(CrateRequest(**given | change), "2026-11-30").decode()
    attached = {"workflow_attachment": ("ro-crate-metadata.json", crate)}
    status, told = asked.run(workflow_url="counting", **HEART, **attached)
    if said is None:
        assert status == 200
        asked.send(f"/runs/{told['run_id']}/cancel", b"")
    else:
        assert status == 400 and told["msg"].startswith(said)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("./ro-crate-metadata.json", "{", "ro-crate-metadata.json: expected JSON with @graph"),
        ("crate/RO-Crate-Metadata.JSON", "{", "ro-crate-metadata.json: expected JSON with @graph"),
        ("crate.json", '{"@graph": []}', "ro-crate-metadata.json: the crate"),
        ("crate.zip", "junk", "workflow_attachment: expected no archive"),
        ("crate", "PK\x03\x04", "workflow_attachment: expected no archive"),
    ],
)
def test_no_crate_is_accepted_unread(node, name, content, said):
    attached = {"workflow_attachment": (name, content)}
    status, problem = node().run(workflow_url="counting", **HEART, **attached)
    assert (status, problem["msg"][: len(said)]) == (400, said)


def test_fields_that_come_as_files_are_accepted(node, quick):
    """The client of GA4GH's workflow-service gives every field the name of a file."""
    form = {
        "workflow_params": ("workflow_params", "{}"),
        "workflow_type": ("workflow_type", "SMK"),
        "workflow_type_version": ("workflow_type_version", "1.0.0"),
        "workflow_url": ("workflow_url", "ones"),
        "workflow_attachment": ("Snakefile", "rule all:"),
    }
    asked = node(ALL)
    status, told = asked.run(**form)
    assert status == 200, told
    log = asked.ended(told["run_id"])
    assert log["state"] == "COMPLETE"  # what is attached does not run: the approved algorithm does
    assert log["request"]["workflow_url"] == "ones"


def test_the_form_of_a_url_is_accepted(node, quick):
    asked = node(ALL)
    body = b"workflow_type=SMK&workflow_type_version=1.0&workflow_url=ones"
    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    status, told = asked.send("/runs", body, headers=headers)
    assert status == 200
    assert asked.ended(told["run_id"])["state"] == "COMPLETE"


def test_what_an_algorithm_says_does_not_leave(node, quick):
    script = 'print("a secret"); print("a secret", file=sys.stderr); sys.exit(77)'
    asked = node({"ones": {**ALL["ones"], "script": script}})
    log = asked.run_to_end(workflow_url="ones")
    assert log["state"] == "EXECUTOR_ERROR"
    assert log["run_log"]["exit_code"] == 1
    assert log["run_log"]["system_logs"] == [FAILED]
    assert "secret" not in json.dumps(log)
    assert kept_log(asked, log) == f"a secret\na secret\n{FAILED}\n"  # for the node's operator


def test_the_log_at_the_node_ends_with_the_error_of_python(node, quick):
    script = 'print("begins"); {}["age"]\n'
    asked = node({"ones": {**ALL["ones"], "script": script}})
    log = asked.run_to_end(workflow_url="ones")
    lines = kept_log(asked, log).splitlines()
    assert lines[-2:] == ["The last Python error: KeyError: 'age'", FAILED]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            'save("result", {"al": ([number], "count", {})})',
            "undeclared_array: array 'al': expected the class in algorithm.yaml: none, "
            "found class 'count'",
        ),
        (
            'save("result", {"all": ([number], "sum", {})})',
            "undeclared_array: array 'all': expected the class in algorithm.yaml: count, "
            "found class 'sum'",
        ),
        (
            'save("result", {"all": ([np.nan], "count", {})})',
            "not_finite: array 'all': expected finite numbers, found NaN or infinity",
        ),
        (
            'save("result", {"all": ([number], "count", {})}, people=None)',
            "wrong_description: JSON, people: expected a whole number from 0 to 2147483647, "
            "found nothing",
        ),
        (
            'save("result", {"all": (np.zeros(300000), "count", {})})',
            "too_large: outputs/result.npz: expected at most 1048576 bytes (largest_mb), "
            "found more",
        ),
        (
            'save("results", {"all": ([number], "count", {})})',
            "undeclared_file: file: expected a declared output, once, as .npz and .json, "
            "found 'outputs/results.json'",
        ),
    ],
)
def test_the_log_at_the_node_says_what_was_not_as_declared(node, quick, caplog, script, said):
    asked = node({"ones": {**ALL["ones"], "script": script, "largest_mb": 1}})
    log = asked.run_to_end(workflow_url="ones")
    assert log["run_log"]["system_logs"] == [OTHER_FORM]
    assert said not in json.dumps(log)
    assert kept_log(asked, log) == f"{said}\n{OTHER_FORM}\n"
    assert f"run {log['run_id']}: {said}" in caplog.text


def test_a_result_of_arrays_without_their_description_is_told(node, quick):
    script = 'np.savez("outputs/result.npz", all=np.array([number]))'
    asked = node({"ones": {**ALL["ones"], "script": script}})
    log = asked.run_to_end(workflow_url="ones")
    assert log["state"] == "EXECUTOR_ERROR"
    lines = kept_log(asked, log).splitlines()
    assert "result: expected a .json beside the .npz, found none" in lines


def kept_log(asked, log):
    """What the operator of the node reads about a run."""
    return (asked.folder / "analysis_logs" / f"{log['run_id']}.log").read_text()


def test_files_with_other_names_end_a_run(node, quick):
    script = 'save("result_116", {"all": ([number], "count", {})})'
    asked = node({"ones": {**ALL["ones"], "script": script}})
    log = asked.run_to_end(workflow_url="ones")
    assert log["state"] == "EXECUTOR_ERROR"
    assert log["run_log"]["system_logs"] == [OTHER_FORM]


def test_limits_end_a_run(node, quick):
    script = "while True: pass"
    asked = node({"ones": {**ALL["ones"], "script": script}}, cpu_s=1)
    log = asked.run_to_end(workflow_url="ones")
    assert log["state"] == "SYSTEM_ERROR"
    assert log["run_log"]["system_logs"] == ["The run used more CPU time than it may."]


def test_somebody_who_withdraws_ends_the_runs_that_saw_them(node, quick):
    asked = node(IN_ROUNDS)
    _, told = asked.run(workflow_url="rounds")
    assert asked.send(f"/runs/{told['run_id']}/rounds/0", wait_s=20)[0] == 200
    add_withdrawals(asked.folder, [NAMES[2]])
    time.sleep(1.1)  # changes are looked for once a second
    status, problem = asked.send(f"/runs/{told['run_id']}/rounds/0")
    assert status == 410
    assert "Consent or access rules changed" in problem["msg"]


def test_a_result_that_is_checked_while_somebody_withdraws_never_leaves(
    node, quick, monkeypatch, sandboxes
):
    asked = node(IN_ROUNDS)
    runs = asked.endpoints._runs
    take, begun, go_on = runs.airlock.take, threading.Event(), threading.Event()

    def slowly(*given):
        begun.set()
        go_on.wait(20)
        return take(*given)

    monkeypatch.setattr(runs.airlock, "take", slowly)
    _, told = asked.run(workflow_url="rounds")
    path = f"/runs/{told['run_id']}/rounds/0"
    assert begun.wait(20)
    add_withdrawals(asked.folder, [NAMES[2]])
    time.sleep(1.1)  # changes are looked for once a second
    assert asked.send(path)[0] == 410
    go_on.set()
    until = time.monotonic() + 20
    while told["run_id"] in runs._workers and time.monotonic() < until:
        time.sleep(0.05)
    status, problem = asked.send(path)
    assert status == 410 and "Consent or access rules changed" in problem["msg"]


def test_results_of_ended_runs_are_bounded_by_their_bytes(node, quick, monkeypatch):
    asked = node(ALL)
    first = asked.run_to_end(workflow_url="ones")["run_id"]
    monkeypatch.setattr("rehearsal.node.wes.runs.MOST_BYTES", 0)
    last = asked.run_to_end(workflow_url="ones")["run_id"]
    until = time.monotonic() + 20
    while asked.endpoints._runs._workers and time.monotonic() < until:
        time.sleep(0.05)
    assert asked.send(f"/runs/{first}")[0] == 404
    assert asked.send(f"/runs/{last}/outputs/result.npz")[0] == 200  # the last one stays


def test_a_run_is_in_the_audit_log_and_in_the_ledger(node, quick):
    asked = node(ALL)
    log = asked.run_to_end(workflow_url="ones")
    lines = [json.loads(line) for line in (asked.folder / "audit.jsonl").read_text().splitlines()]
    mine = [line["rule"] for line in lines if line.get("run") == log["run_id"]]
    assert mine == ["run asked for", "run ended: COMPLETE"]
    assert {line["algorithm"] for line in lines if "run" in line} == set(asked.digests.values())
    with sqlite3.connect(asked.folder / "ledger.sqlite") as ledger:
        ((tier, nats),) = ledger.execute("SELECT tier, nats FROM charges").fetchall()
    bits = bits_of_result({"all": np.array([10])}, 1, 1, 10, 48)
    assert (tier, nats) == ("controlled", pytest.approx(bits * np.log(2)))


def test_nothing_of_a_run_stays(node, quick):
    asked = node(ALL)
    asked.run_to_end(workflow_url="ones")
    time.sleep(0.1)
    assert list((asked.folder / "analyses").iterdir()) == []


def test_nothing_of_a_run_stays_when_its_node_ends(node, quick):
    asked = node(IN_ROUNDS)
    _, told = asked.run(workflow_url="rounds")
    asked.ended(told["run_id"], states=("RUNNING",))
    assert list((asked.folder / "analyses").iterdir()) != []
    asked.endpoints.close()
    assert not (asked.folder / "analyses").exists()
    lines = [json.loads(line) for line in (asked.folder / "audit.jsonl").read_text().splitlines()]
    assert lines[-1]["rule"] == "run ended: SYSTEM_ERROR, ended"


@pytest.fixture(scope="module")
def official(shared):
    """Checks an answer against a schema of the standard: ``official("RunLog", body)``."""
    jsonschema = pytest.importorskip("jsonschema")
    path = shared / "reference/schemas/wes/wes-1.1.openapi.yaml"
    if not path.is_file():
        pytest.skip("no WES schema in ../shared")
    schemas = yaml.safe_load(path.read_text())["components"]["schemas"]
    service = schemas["ServiceInfo"]["allOf"]
    schemas["ServiceInfo"]["allOf"] = [one for one in service if "$ref" not in one]
    whole = {"components": {"schemas": schemas}}

    def check(name, body):
        jsonschema.validate(body, {**whole, "$ref": f"#/components/schemas/{name}"})
        known = properties(schemas, schemas[name])
        assert set(body) <= known, set(body) - known

    return check


def properties(schemas, one):
    found = set(one.get("properties", {}))
    for part in one.get("allOf", ()):
        if "$ref" in part:
            part = schemas[part["$ref"].rpartition("/")[2]]
        found |= properties(schemas, part)
    return found


SERVICE = {"id", "name", "type", "description", "organization", "environment", "version"}


def test_answers_have_the_official_form(node, quick, official):
    asked = node(ALL)
    official("RunId", asked.run(workflow_url="ones")[1])
    log = asked.run_to_end(workflow_url="ones")
    official("RunLog", log)
    run = f"/runs/{log['run_id']}"
    official("RunStatus", asked.send(f"{run}/status")[1])
    official("RunListResponse", listed := asked.send("/runs")[1])
    for one in listed["runs"]:
        official("RunSummary", one)
    official("TaskListResponse", asked.send(f"{run}/tasks")[1])
    official("TaskLog", asked.send(f"{run}/tasks/algorithm")[1])
    official("ErrorResponse", asked.send("/runs/none")[1])
    told = asked.send("/service-info")[1]
    assert set(told) >= SERVICE
    official("ServiceInfo", {name: one for name, one in told.items() if name not in SERVICE})


def test_the_service_tells_what_it_runs(node, sandboxes):
    asked = node()
    status, told = asked.send("/service-info", who=None)
    assert status == 200
    assert told["type"] == {"group": "org.ga4gh", "artifact": "wes", "version": "1.1.0"}
    assert json.loads(told["tags"]["algorithms"]) == asked.digests
    assert told["tags"]["not_run"] == ""
    assert told["workflow_type_versions"]["SMK"]["workflow_type_version"][0] == "1.0"


def test_without_sandboxes_nothing_runs_and_the_reason_is_said(node, monkeypatch):
    where = "rehearsal.node.wes.endpoints.why_no_sandbox"
    monkeypatch.setattr(where, lambda: "bubblewrap is not installed")
    asked = node()
    assert asked.send("/service-info")[1]["tags"]["not_run"] == "bubblewrap is not installed"
    status, problem = asked.run(workflow_url="counting", **HEART)
    assert status == 503
    assert problem["msg"] == "This node runs no algorithms: bubblewrap is not installed."


def test_a_node_without_bubblewrap_says_at_its_start_that_it_runs_nothing(
    node, monkeypatch, caplog
):
    monkeypatch.setenv("PATH", "")
    node(ALL)
    said = "This node runs no algorithms: bubblewrap is not installed"
    assert said in caplog.text


def test_sketches_of_people_need_a_setting_of_the_node(node, tmp_path):
    asked = node({"kin": {"arrays": {"sketches": "sketch"}, "schema": ANYTHING}})
    status, problem = asked.run(workflow_url="kin")
    assert (status, problem["msg"]) == (
        403,
        "workflow_url: expected an algorithm without a sketch of each person, as this node has no "
        "analyses.sketches: true (such an algorithm needs sketches and kinship_key), found 'kin'",
    )


READ_KEY = """
from pathlib import Path
key = Path("/view/run.key")
save("result", {"sketches": (list(key.read_bytes()) if key.exists() else [0], KIND, {})})
"""


@pytest.mark.parametrize(("kind", "told"), [("sketch", list(range(40))), ("list", [0])])
def test_an_algorithm_of_sketches_and_no_other_sees_the_key(quick, node, tmp_path, kind, told):
    key = tmp_path / "kinship.key"
    key.write_bytes(bytes(range(40)))
    key.chmod(0o600)
    script = READ_KEY.replace("KIND", repr(kind))
    asked = node(
        {"kin": {"arrays": {"sketches": kind}, "schema": ANYTHING, "script": script}},
        sketches=True,
        kinship_key=str(key),
    )
    log = asked.run_to_end(workflow_url="kin")
    assert log["state"] == "COMPLETE"
    status, content = asked.send(f"/runs/{log['run_id']}/outputs/result.npz")
    assert (status, numbers(content)) == (200, {"sketches": told})


def test_a_key_of_equal_bytes_or_a_name_that_no_file_has_is_one_line(tmp_path):
    (tmp_path / "equal.key").write_bytes(b"0" * 32)
    (tmp_path / "equal.key").chmod(0o600)
    for name, told in (
        ("equal.key", "content: expected bytes that"),
        ("a\0b", "file: expected"),
    ):
        with pytest.raises(InputError, match=told) as refused:
            read_kinship_key(tmp_path, name)
        assert "\0" not in str(refused.value)


@pytest.mark.parametrize(
    ("size", "mode", "told"),
    [
        (None, 0, "file: expected the file that analyses.kinship_key names, found No such file"),
        (32, 0o640, "permissions: expected a file that only its owner may read .*, found mode 640"),
        (31, 0o600, "length: expected at least 32 bytes, found 31 bytes"),
    ],
)
def test_a_node_does_not_start_with_a_wrong_key(node, tmp_path, size, mode, told):
    if size is not None:
        (tmp_path / "kinship.key").write_bytes(bytes(range(size)))
        (tmp_path / "kinship.key").chmod(mode)
    with pytest.raises(InputError, match=f"kinship.key: {told}"):
        node(sketches=True, kinship_key="../kinship.key")


def test_an_algorithm_that_promises_less_than_the_node_wants_is_refused(node):
    asked = node({"counting": {"smallest_count": K - 1}})
    status, problem = asked.run(workflow_url="counting", **HEART)
    assert status == 403
    assert problem["msg"] == (
        "workflow_url: expected an algorithm that promises counts of at least 3, found 2"
    )
