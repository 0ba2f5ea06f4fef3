"""The OpenAPI description of the Matchmaker Exchange."""

from __future__ import annotations

from rehearsal.node.access.matchmaker_keys import HEADER_NAME
from rehearsal.node.matchmaker.endpoint import (
    HEARTBEAT,
    MATCH,
    MEDIA_TYPE,
    METRICS,
    MOST_MATCHES,
)
from rehearsal.node.matchmaker.request import Feature, GenomicFeature, MatchBody, Text
from rehearsal.web.openapi import (
    COUNT,
    PLAIN,
    Body,
    all_of,
    json_of,
    list_of,
    object_of,
    ref,
    refused,
    request_body,
    schema_of,
)

TEXT = schema_of(Text)
NOTICES: Body = {
    "disclaimer": {**TEXT, "description": "A note that all people are synthetic."},
    "terms": {**TEXT, "description": "What the answer may be used for."},
}
# a key of a matchmaker instead of a token; an open node needs neither
KEY_SCHEME: Body = {
    "matchmaker": {
        "type": "apiKey",
        "in": "header",
        "name": HEADER_NAME,
        "description": "The key of a matchmaker that the node knows.",
    }
}
SECURITY: list[Body] = [{}, {"passport": []}, {"matchmaker": []}]


def paths() -> Body:
    """Build the path items, by path."""
    response = {"schema": ref("schemas", "MatchResponse")}
    item = {
        "summary": (
            "Find similar patients (Matchmaker Exchange 1.1). Requires a grant and the purpose "
            "of clinical care."
        ),
        "security": SECURITY,
        "requestBody": request_body(MatchBody, MEDIA_TYPE, PLAIN),
        "responses": {
            "200": {
                "description": "Matches with what they share with the patient, best first.",
                "content": {MEDIA_TYPE: response, PLAIN: response},
            },
            **refused(ref("schemas", "Error")),
        },
    }
    return {MATCH: {"post": item}, HEARTBEAT: {"get": _heartbeat()}, METRICS: {"get": _metrics()}}


def _heartbeat() -> Body:
    beat = {
        "production": {"const": False, "description": "Whether this is more than a test."},
        "version": {**TEXT, "description": "Version of the software."},
        "accept": {**list_of(TEXT), "description": "Media types that are understood."},
    }
    answer = {"heartbeat": {**all_of(beat), "description": "The heartbeat."}}
    summary = "Tell that patients can be matched. Requires the same rights as matching."
    return _get(summary, object_of(["heartbeat"], answer | NOTICES), "The service answers.")


def _metrics() -> Body:
    numbers = {
        "numberOfCases": {**COUNT, "description": "People whose consent permits matching."},
        "numberOfGenes": {**COUNT, "description": "Their candidate genes, counted per person."},
        "numberOfUniqueGenes": {**COUNT, "description": "Different candidate genes."},
        "dateGenerated": {**TEXT, "description": "The date, ISO 8601."},
    }
    answer = {"metrics": {**object_of([], numbers), "description": "The metrics."}}
    summary = "Count what can be matched. Requires the same rights as matching."
    return _get(summary, object_of(["metrics"], answer | NOTICES), "The metrics.")


def _get(summary: str, schema: Body, description: str) -> Body:
    answered = {"description": description, "content": json_of(schema)}
    answers = {"200": answered, **refused(ref("schemas", "Error"))}
    return {"summary": summary, "security": SECURITY, "responses": answers}


def schemas(most: int = MOST_MATCHES) -> Body:
    """Build the schemas that the path items refer to.

    Args:
        most: Largest number of results in an answer.

    Returns:
        Schemas by name.
    """
    return {"MatchResponse": _response(most)}


def _response(most: int) -> Body:
    score = {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "description": "Similarity of the phenotypes.",
    }
    contact = object_of(
        ["name", "href"],
        {
            "name": {**TEXT, "description": "Whom to contact about the match."},
            "href": {**TEXT, "description": "Address, with the contact token."},
            "institution": {**TEXT, "description": "The node."},
        },
    )
    patient = object_of(
        ["id", "contact", "features", "genomicFeatures"],
        {
            "id": {**TEXT, "description": "Contact token of this person, for this caller only."},
            "contact": {**contact, "description": "How to reach the node about the match."},
            "features": {
                "type": "array",
                "items": _feature(),
                "description": "Shared features.",
            },
            "genomicFeatures": {
                "type": "array",
                "items": schema_of(GenomicFeature),
                "description": "Shared genes and variants, with the zygosity of the match.",
            },
        },
    )
    result = object_of(
        ["score", "patient"],
        {
            "score": {
                **object_of(["patient"], {"patient": score}),
                "description": "How similar the patient is.",
            },
            "patient": {**patient, "description": "The matching patient."},
        },
    )
    return object_of(
        ["results"],
        {
            "results": list_of(result, most),
            **NOTICES,
            "_hpo": {"description": "Release of HPO. In answers of a network, by node."},
            "_notes": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Parts of the request that were not used.",
            },
        },
    )


def _feature() -> Body:
    """The schema of a feature in an answer, which also has the term's label."""
    feature = schema_of(Feature)
    label = {**TEXT, "description": "Label of the term."}
    return {**feature, "properties": {**feature["properties"], "label": label}}
