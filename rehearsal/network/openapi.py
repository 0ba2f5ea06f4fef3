"""The OpenAPI 3.1 description of the network: a Beacon, and endpoints of its own."""

from __future__ import annotations

from rehearsal.network import service_registry
from rehearsal.network.analyses import openapi as analyses
from rehearsal.network.matchmaking import PATH as MATCH
from rehearsal.network.scores import CONFIDENCE
from rehearsal.network.service import LONGEST_DEADLINE_S
from rehearsal.node import drug_genes
from rehearsal.node.alerts import openapi as alerts
from rehearsal.node.beacon.openapi import OF_ITSELF, beacon_description, state_purpose
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

MOST_MATCHES = 10_000  # more than all nodes together return

PATIENT = {
    **all_of(
        {
            "node": {**TEXT, "description": "Country code of the patient's node."},
            "id": {**TEXT, "description": "Identifier of the patient at that node."},
        }
    ),
    "description": "Your own patient, to be located in the histogram.",
}
OWN_PARAMETERS: dict[str, Body] = {
    "deadlineS": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": LONGEST_DEADLINE_S,
        "description": "Deadline of the nodes, in seconds.",
    },
    "partial": {"type": "boolean", "description": "Whether to answer without overdue nodes."},
    "trace": {
        "type": "boolean",
        "description": "Whether to include the whole answer of each node.",
    },
}
NODES = {"nodes": {**list_of(TEXT), "description": "Country codes of the nodes concerned."}}
NOBODY = {
    "502": "No node gave a usable answer.",
    "503": "The registry has no node, or too many queries are under way.",
    "504": "No node answered before the deadline.",
}
# paths that are answered without asking a node
OF_NETWORK = {*service_registry.paths(), *OF_ITSELF, *analyses.paths()} - {analyses.PATH}
ABOUT = "GA4GH Beacon v2 over all nodes of a rehearsal. All people are synthetic."


def description() -> Body:
    """Build the document of the network's ``/openapi.json``.

    Returns:
        An OpenAPI document.
    """
    document = beacon_description("Rehearsal network", ABOUT, OWN_PARAMETERS)
    own = [ref("parameters", name) for name in OWN_PARAMETERS]
    match = matchmaker.paths()
    match[f"/{MATCH}"]["parameters"] = own
    described = (match, _scores(), _drug_flags(), alerts.paths(NODES), analyses.paths(), _own())
    for paths in described:
        document["paths"] |= paths
    document["paths"] = state_purpose(document["paths"], OF_NETWORK)
    document["components"]["schemas"] |= matchmaker.schemas(MOST_MATCHES)
    document["components"]["securitySchemes"] |= matchmaker.KEY_SCHEME
    for path, item in document["paths"].items():
        if path not in OF_NETWORK:
            _may_find_nobody(item)
    return document


def _may_find_nobody(item: Body) -> None:
    content = json_of(ref("schemas", "Error"))
    answers = {status: {"description": why, "content": content} for status, why in NOBODY.items()}
    for method in item.keys() - {"parameters"}:
        item[method] = {**item[method], "responses": item[method]["responses"] | answers}


def _own() -> Body:
    return _health() | service_registry.paths()


def _health() -> Body:
    health = all_of(
        {
            "status": {
                "enum": ["ok", "degraded", "down"],
                "description": "Whether all, some or none of the nodes are healthy.",
            },
            "nodes": {
                **list_of({"type": "object"}),
                "description": "The health of each node, with its last outcome and usual time.",
            },
        }
    )
    content = json_of(health)
    described = {
        "summary": "Report the health of the network and its nodes.",
        "responses": {
            "200": {"description": "At least one node is healthy.", "content": content},
            "503": {"description": "No node is healthy.", "content": content},
        },
    }
    return {"/health": {"get": described}}


def _scores() -> Body:
    listed = list_of(all_of(scoring.FILE["properties"] | NODES))
    files = all_of({"scoringFiles": {**listed, "description": "The scoring files."}})
    asked = _extended(HistogramRequest, {"patient": PATIENT})
    fraction = {
        **NUMBER,
        "exclusiveMinimum": 0,
        "exclusiveMaximum": 1,
        "description": "Level of the confidence interval.",
        "default": CONFIDENCE,
    }
    country = all_of(
        {"people": {**COUNT, "description": "Number of people."}, "groups": scoring.GROUPS}
    )
    histogram = object_of(
        [*scoring.HISTOGRAM, "countries"],
        scoring.HISTOGRAM
        | {
            "countries": {
                "type": "object",
                "additionalProperties": country,
                "description": "Number of people and groups by country code.",
            },
            "patient": _patient(),
        },
    )
    return {
        "/scores": {
            "get": operation(
                "List scoring files and the nodes that have each.", informational(files)
            ),
            "post": operation(scoring.HISTOGRAM_SUMMARY, informational(histogram), asked),
        },
        "/scores/hazard": {
            "post": operation(
                "Estimate the hazard ratio of a standard deviation of a score over all people. "
                "Requires a grant.",
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
    place = all_of(
        {
            "below": {**percent, "description": "Percentage of people in lower bins."},
            "upTo": {**percent, "description": "Percentage of people up to this bin."},
            "people": {**COUNT, "description": "Number of people."},
        }
    )
    edge = {"type": ["number", "null"]}
    return {"description": "Where your own patient stands."} | object_of(
        ["node", "state"],
        {
            "node": {**TEXT, "description": "Country code of the patient's node."},
            "state": {
                "enum": ["answered", "refused", "failed", "late"],
                "description": "Outcome of the request to that node.",
            },
            "reason": {**TEXT, "description": "Why there is no score."},
            "score": {**NUMBER, "description": "The patient's score."},
            "bin": {
                **list_of(edge, 2, 2),
                "description": "Edges of the score's bin. null: outside of all bins.",
            },
            "percentiles": {
                "type": "object",
                "additionalProperties": {"anyOf": [place, {"type": "null"}]},
                "description": "Percentiles in the network and in the patient's country.",
            },
        },
    )


def _hazard() -> Body:
    figures = {
        "hazardRatio": "Hazard ratio of a standard deviation of the score.",
        "low": "Lower end of the confidence interval.",
        "high": "Upper end of the confidence interval.",
        "confidence": "Level of the confidence interval.",
        "coefficient": "Natural logarithm of the hazard ratio.",
        "standardError": "Standard error of the coefficient.",
    }
    counts = {
        "people": "Number of people.",
        "events": "Number of people with the disease.",
        "rounds": "Number of rounds of the fit.",
    }
    return all_of(
        {name: {**NUMBER, "description": about} for name, about in figures.items()}
        | {name: {**COUNT, "description": about} for name, about in counts.items()}
    )


def _drug_flags() -> Body:
    steps = in_path("node", "id")
    return {"/drug_flags/{node}/{id}": {"parameters": steps, "get": drug_genes.described()}}
