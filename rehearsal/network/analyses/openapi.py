"""The OpenAPI description of ``/federated_analyses``."""

from __future__ import annotations

from rehearsal.network.analyses.analysis_request import AnalysisRequest
from rehearsal.web.openapi import (
    COUNT,
    TEXT,
    Body,
    all_of,
    in_path,
    informational,
    json_of,
    list_of,
    operation,
    schema_of,
)

PATH = "/federated_analyses"
TSV, JSON = "text/tab-separated-values", "application/json"
STATES = ["running", "complete", "failed"]
OF_NODES = ["running", "done", "stopped", "refused", "late", "failed", "held", "not run"]
ROUND = {"type": ["integer", "null"], "description": "The round in which the node was lost."}
ID = {"description": "Id of the analysis."}


def paths() -> Body:
    """Build the path items, by path. The first depends on the purpose, others do not."""
    analysis = informational(_analysis())
    start = operation(
        "Start an analysis over the nodes. Each node decides whether the caller may run it.",
        analysis,
        schema_of(AnalysisRequest),
    )
    responses = dict(start["responses"])
    started = responses.pop("200") | {"description": "The analysis has started."}
    start["responses"] = {"202": started} | responses
    found = operation("Tell where an analysis stands. Send the token that started it.", analysis)
    read = operation("Return a table of its results, a column for each key.", {"type": "object"})
    content = {**json_of({"type": "object"}), TSV: {"schema": TEXT}}
    read["responses"]["200"] = {"description": "The table.", "content": content}
    one, name = in_path("id")[0] | ID, in_path("name")[0] | {"description": "Name of the table."}
    return {
        PATH: {"post": start},
        f"{PATH}/{{id}}": {"parameters": [one], "get": found},
        f"{PATH}/{{id}}/tables/{{name}}": {"parameters": [one, name], "get": read},
    }


def _analysis() -> Body:
    node = all_of(
        {
            "node": {**TEXT, "description": "Code of the node."},
            "state": {"enum": OF_NODES, "description": "What became of the node."},
            "round": ROUND,
            "reason": {**TEXT, "description": "Why the node was lost, one line."},
        }
    )
    table = all_of(
        {
            "name": {**TEXT, "description": "Name of the table."},
            "step": {**TEXT, "description": "The step whose results it has."},
            "rows": {**COUNT, "description": "Number of rows."},
            "columns": {**list_of(TEXT), "description": "Names of the columns."},
            "note": {**TEXT, "description": "How to read it. Empty: its columns say all."},
            "nodes": {**list_of(TEXT), "description": "The nodes whose people are in it."},
            "address": {**TEXT, "description": "Where it is."},
        }
    )
    return all_of(
        {
            "analysis": {**TEXT, "description": "Id of the analysis."},
            "address": {**TEXT, "description": "Where this is told."},
            "algorithm": {**TEXT, "description": "The algorithm."},
            "state": {"enum": STATES, "description": "Whether it goes on, or how it ended."},
            "reason": {**TEXT, "description": "Why it failed, one line."},
            "rounds": {**COUNT, "description": "Number of rounds so far."},
            "step": {"type": ["string", "null"], "description": "The current step."},
            "nodes": {**list_of(node), "description": "The nodes."},
            "tables": {**list_of(table), "description": "The results, at the end."},
        }
    )
