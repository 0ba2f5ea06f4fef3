"""The OpenAPI 3.1 description of the network: a Beacon, and endpoints of its own."""

from __future__ import annotations

from rehearsal.network.service import LONGEST_DEADLINE_S
from rehearsal.node import drug_genes
from rehearsal.node.alerts import openapi as alerts
from rehearsal.node.beacon.openapi import INFORMATIONAL, beacon_description
from rehearsal.node.matchmaker import openapi as matchmaker
from rehearsal.node.scoring import openapi as scoring
from rehearsal.node.scoring.request import HazardRequest, HistogramRequest
from rehearsal.web.openapi import (
    COUNT,
    NUMBER,
    TEXT,
    Body,
    all_of,
    in_path,
    informational,
    json_of,
    list_of,
    object_of,
    operation,
    ref,
    schema_of,
)
from rehearsal.web.request_models import RequestModel

MOST_MATCHES = 10_000  # of all nodes, by far

OWN_PARAMETERS: dict[str, Body] = {
    "deadlineS": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": LONGEST_DEADLINE_S,
        "description": "seconds that the nodes have",
    },
    "partial": {"type": "boolean", "description": "do not wait for nodes that hang"},
    "trace": {"type": "boolean", "description": "how long each node took"},
}
NODES = {"nodes": {**list_of(TEXT), "description": "that said so"}}
NOBODY = {
    "502": "No node gave an answer that can be used.",
    "503": "The registry names no node, or there are more queries than can be asked in time.",
    "504": "No node answered in time.",
}
# what is answered without asking a node
OF_ITSELF = {*(f"/{name}" for name in INFORMATIONAL), "/service-info", "/openapi.json", "/health"}
ABOUT = "GA4GH Beacon v2 over all nodes of a rehearsal. Synthetic people only."


def description() -> Body:
    """Build the document of the network's ``/openapi.json``.

    Returns:
        An OpenAPI document.
    """
    document = beacon_description("Rehearsal network", ABOUT, OWN_PARAMETERS)
    own = [ref("parameters", name) for name in OWN_PARAMETERS]
    match = {path: {**item, "parameters": own} for path, item in matchmaker.paths().items()}
    for paths in (match, _scores(), _drug_flags(), alerts.paths(NODES), _health()):
        document["paths"] |= paths
    document["components"]["schemas"] |= matchmaker.schemas(MOST_MATCHES)
    for path, item in document["paths"].items():
        if path not in OF_ITSELF:
            _may_find_nobody(item)
    return document


def _may_find_nobody(item: Body) -> None:
    content = json_of(ref("schemas", "Error"))
    answers = {status: {"description": why, "content": content} for status, why in NOBODY.items()}
    for method in item.keys() - {"parameters"}:
        item[method] = {**item[method], "responses": item[method]["responses"] | answers}


def _health() -> Body:
    health = all_of({"status": TEXT, "nodes": list_of({"type": "object"})})
    answer = {"description": "503 when no node answers.", "content": json_of(health)}
    described = {"summary": "How the nodes are.", "responses": {"200": answer, "503": answer}}
    return {"/health": {"get": described}}


def _scores() -> Body:
    files = all_of({"scoringFiles": list_of(all_of(scoring.FILE["properties"] | NODES))})
    asked = _extended(HistogramRequest, {"patient": all_of({"node": TEXT, "id": TEXT})})
    fraction = {**NUMBER, "exclusiveMinimum": 0, "exclusiveMaximum": 1}
    country = all_of({"people": COUNT, "groups": scoring.GROUPS})
    histogram = object_of(
        [*scoring.HISTOGRAM, "countries"],
        scoring.HISTOGRAM
        | {"countries": {"type": "object", "additionalProperties": country}, "patient": _patient()},
    )
    return {
        "/scores": {
            "get": operation("Scoring files, and which nodes have each.", informational(files)),
            "post": operation(scoring.HISTOGRAM_SUMMARY, informational(histogram), asked),
        },
        "/scores/hazard": {
            "post": operation(
                "The hazard ratio of a standard deviation of the score, over all people.",
                informational(_hazard()),
                _extended(HazardRequest, {"confidence": fraction}),
            )
        },
    }


def _extended(model: type[RequestModel], properties: Body) -> Body:
    """Build the schema of a node's request with the network's own keys added."""
    schema = schema_of(model)
    return {**schema, "properties": schema["properties"] | properties}


def _patient() -> Body:
    """Build the schema of a clinician's own patient, or why their node reports nothing."""
    percent = {"type": "number", "minimum": 0, "maximum": 100}
    place = all_of({"below": percent, "upTo": percent, "people": COUNT})
    edge = {"type": ["number", "null"]}
    return object_of(
        ["node", "state"],
        {
            "node": TEXT,
            "state": {"enum": ["answered", "refused", "failed", "late"]},
            "reason": TEXT,
            "score": NUMBER,
            "bin": list_of(edge, 2, 2),
            "percentiles": {
                "type": "object",
                "additionalProperties": {"anyOf": [place, {"type": "null"}]},
            },
        },
    )


def _hazard() -> Body:
    figures = ("hazardRatio", "low", "high", "confidence", "coefficient", "standardError")
    counts = ("people", "events", "rounds")
    return all_of(dict.fromkeys(figures, NUMBER) | dict.fromkeys(counts, COUNT))


def _drug_flags() -> Body:
    steps = in_path("node", "id")
    return {"/drug_flags/{node}/{id}": {"parameters": steps, "get": drug_genes.described()}}
