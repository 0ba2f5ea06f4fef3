"""The OpenAPI description of WES 1.1 and of the rounds beside it."""

from __future__ import annotations

from typing import Any

from rehearsal.node.wes.coordinators import SIGNATURE_HEADER
from rehearsal.node.wes.request import FORM
from rehearsal.node.wes.run import STATES
from rehearsal.web.openapi import (
    COUNT,
    NUMBER,
    TEXT,
    Body,
    all_of,
    in_query,
    json_of,
    list_of,
    object_of,
    refused,
)

OBJECT = {"type": "object"}
ID = {**TEXT, "description": "Identifier of the run."}
STATE = {"enum": list(STATES), "description": "State of the run."}
TIME = {**TEXT, "description": "A time in UTC, in whole seconds."}
ERROR = all_of(
    {
        "msg": {**TEXT, "description": "What was wrong."},
        "status_code": {"type": "integer", "description": "HTTP status."},
    }
)
LOG = object_of(
    ["name", "cmd"],
    {
        "name": {**TEXT, "description": "Name of the algorithm."},
        "cmd": {**list_of(TEXT), "description": "Empty: the node decides how it runs."},
        "start_time": TIME,
        "end_time": TIME,
        "exit_code": {"enum": [0, 1], "description": "0: complete, 1: not."},
        "system_logs": {
            **list_of(TEXT),
            "description": "Why it failed, one of a fixed set of sentences.",
        },
    },
)
TASK = object_of(["id", *LOG["required"]], {"id": TEXT, **LOG["properties"]})
STATUS = all_of({"run_id": ID, "state": STATE})
SUMMARY = object_of(
    ["run_id", "state", "tags"],
    {"run_id": ID, "state": STATE, "start_time": TIME, "end_time": TIME, "tags": OBJECT},
)
TOKEN = {**TEXT, "description": "Token of the next page; empty after the last."}
PAGES = [
    in_query("page_size", {"type": "integer", "minimum": 1, "description": "Items of a page."}),
    in_query("page_token", {**TEXT, "description": "Token of the page."}),
]
REQUEST = object_of(
    ["workflow_type", "workflow_type_version", "workflow_url"],
    {
        "workflow_params": {**TEXT, "description": "Parameters of the algorithm, JSON."},
        "workflow_type": {**TEXT, "description": "SMK: Snakemake."},
        "workflow_type_version": {**TEXT, "description": "Version of the workflow language."},
        "workflow_url": {**TEXT, "description": "Digest or name of an approved algorithm."},
        "workflow_engine": {**TEXT, "description": "snakemake."},
        "workflow_engine_version": TEXT,
        "workflow_engine_parameters": {**TEXT, "description": "None: the node decides."},
        "tags": {**TEXT, "description": "Texts of the caller's, JSON."},
        "workflow_attachment": {
            **list_of({"type": "string", "contentMediaType": "application/octet-stream"}),
            "description": "Files. A Five Safes RO-Crate is named ro-crate-metadata.json.",
        },
    },
)
NUMBERS = {
    "description": "An NPZ file of numbers. The header X-Rehearsal-Round says what they are.",
    "content": {"application/octet-stream": {"schema": {}}},
}


def paths(base: str) -> Body:
    """Build the path items, by path.

    Args:
        base: The path of the service.
    """
    run = _in_path("run_id", "Identifier of the run.")
    number = _in_path("round", "Number of the round, from 0 on.")
    wait = in_query("wait_s", {**NUMBER, "description": "Seconds to wait for the round."})
    log = all_of({"run_id": ID, "state": STATE, "request": OBJECT, "run_log": LOG})
    runs = all_of({"runs": list_of(SUMMARY), "next_page_token": TOKEN})
    tasks = all_of({"task_logs": list_of(TASK), "next_page_token": TOKEN})
    started = all_of({"run_id": ID})
    return {
        f"{base}/service-info": {"get": _get("Describe the service.", _service())},
        f"{base}/runs": {
            "get": {**_get("List the caller's runs.", runs), "parameters": PAGES},
            "post": {
                **_get("Run an approved algorithm. Requires a grant and a purpose.", started),
                "requestBody": {"required": True, "content": {FORM: {"schema": REQUEST}}},
            },
        },
        f"{base}/runs/{{run_id}}": {"parameters": [run], "get": _get("Return a run.", log)},
        f"{base}/runs/{{run_id}}/status": {
            "parameters": [run],
            "get": _get("Return the state of a run.", STATUS),
        },
        f"{base}/runs/{{run_id}}/cancel": {
            "parameters": [run],
            "post": _get("End a run.", started),
        },
        f"{base}/runs/{{run_id}}/tasks": {
            "parameters": [run],
            "get": {**_get("List the tasks of a run: there is one.", tasks), "parameters": PAGES},
        },
        f"{base}/runs/{{run_id}}/tasks/{{task_id}}": {
            "parameters": [run, _in_path("task_id", "Identifier of the task.")],
            "get": _get("Return a task of a run.", TASK),
        },
        f"{base}/runs/{{run_id}}/outputs/{{name}}": {
            "parameters": [run, _in_path("name", "NAME.npz, or NAME.json which describes it.")],
            "get": _answered("Return a result of a complete run.", {"200": NUMBERS}),
        },
        f"{base}/runs/{{run_id}}/rounds/{{round}}": {
            "parameters": [run, number],
            "get": {**_answered("Return the numbers of a round.", _rounds()), "parameters": [wait]},
            "put": _put(),
        },
        **_masks(f"{base}/runs/{{run_id}}", run, number),
    }


def _masks(path: str, run: Body, number: Body) -> Body:
    """The path items of masked rounds. Bytes are base64 in JSON."""
    keys, nodes = {"type": "object", "additionalProperties": TEXT}, list_of(TEXT)
    words = {
        "200": {**NUMBERS, "description": "Words of 64 bits, little-endian."},
        "202": _rounds()["202"],
    }
    opened = {"200": {**NUMBERS, "description": "The total, an NPZ file."}, "202": words["202"]}
    joined = all_of(
        {
            "node": {**TEXT, "description": "Code of the node."},
            "public_key": {**TEXT, "description": "Its X25519 key in this run."},
            "signature": {**TEXT, "description": "Of the key, with the node's identity key."},
            "task": {**TEXT, "description": "SHA-256 of algorithm, parameters and purpose."},
            "partners": {**keys, "description": "Identity keys that the node accepts, by code."},
        }
    )
    signature = {"signature": {**TEXT, "description": "Of a coordinator, Ed25519."}}
    attempt = {"attempt": COUNT}
    met = {"public_keys": keys, "key_signatures": keys, **signature}
    revealing = {**attempt, "confirmations": keys, "opener": TEXT}
    steps: dict[str, tuple[Body, Body | None]] = {
        "mask": (_answered("Return masked sums.", words), {**attempt, "nodes": nodes, **signature}),
        "confirm": (
            _get("Confirm whose sums are in a total.", all_of({"confirmations": keys})),
            {**attempt, "present": nodes},
        ),
        "reveal": (
            _get("Seal keys of masks for the node that opens.", all_of({"sealed": TEXT})),
            revealing,
        ),
        "open": (_answered("Open a total. The body is an NPZ file.", opened), None),
    }
    return {
        f"{path}/masks": {
            "parameters": [run],
            "post": _with_body(_get("Join masked rounds.", joined), {"analysis": TEXT}),
            "put": _with_body(_get("Take the keys of all nodes.", OBJECT), met),
        },
        **{
            f"{path}/rounds/{{round}}/{name}": {
                "parameters": [run, number],
                "post": _with_body(item, fields),
            }
            for name, (item, fields) in steps.items()
        },
    }


def _with_body(item: Body, fields: Body | None) -> Body:
    """Add the body of a request: a JSON object with given fields, or an NPZ file."""
    content: Body = {"application/octet-stream": {"schema": {}}}
    if fields is not None:
        content = json_of(all_of(fields))
    return {**item, "requestBody": {"required": True, "content": content}}


def _service() -> Body:
    return all_of(
        {
            **dict.fromkeys(("id", "name", "version"), TEXT),
            "type": OBJECT,
            "workflow_type_versions": OBJECT,
            "supported_wes_versions": list_of(TEXT),
            "supported_filesystem_protocols": list_of(TEXT),
            "workflow_engine_versions": OBJECT,
            "default_workflow_engine_parameters": list_of(OBJECT),
            "system_state_counts": {"type": "object", "additionalProperties": COUNT},
            "auth_instructions_url": TEXT,
            "tags": {
                "type": "object",
                "description": "algorithms: the approved ones and their digests, as JSON. not_run: "
                "why this node runs none; empty when it does.",
            },
        }
    )


def _rounds() -> Body:
    waiting = {
        "description": "The round is not there yet.",
        "content": json_of(all_of({"state": STATE})),
    }
    return {"200": NUMBERS, "202": waiting}


def _put() -> Body:
    body = {"required": True, "content": {"application/octet-stream": {"schema": {}}}}
    state = json_of(all_of({"state": STATE}))
    answers = {
        "200": {"description": "The algorithm has the state.", "content": state},
        "202": {"description": "The piece is there, others are missing.", "content": state},
    }
    signature = {
        "name": SIGNATURE_HEADER,
        "in": "header",
        "required": True,
        "description": "A coordinator's signature of the whole state, base64.",
        "schema": TEXT,
    }
    sent = _answered("Send the network's state after a round.", answers)
    return {**sent, "parameters": [signature], "requestBody": body}


def _get(summary: str, answer: Body) -> Body:
    found = {"description": "The request succeeded.", "content": json_of(answer)}
    return _answered(summary, {"200": found})


def _answered(summary: str, answers: Body) -> Body:
    return {"summary": summary, "responses": {**answers, **refused(ERROR)}}


def _in_path(name: str, description: str) -> dict[str, Any]:
    place = {"in": "path", "required": True, "schema": TEXT}
    return {"name": name, "description": description, **place}
