"""The OpenAPI description of ``/match``."""

from __future__ import annotations

from rehearsal.node.matchmaker.endpoint import MEDIA_TYPE, MOST_MATCHES
from rehearsal.node.matchmaker.request import Feature, GenomicFeature, MatchBody, Text
from rehearsal.web.openapi import (
    PLAIN,
    Body,
    list_of,
    object_of,
    ref,
    refused,
    request_body,
    schema_of,
)

TEXT = schema_of(Text)


def paths() -> Body:
    """Build the path items, by path."""
    response = {"schema": ref("schemas", "MatchResponse")}
    item = {
        "summary": (
            "Find similar patients (Matchmaker Exchange 1.1). Requires a grant and the purpose "
            "of clinical care."
        ),
        "requestBody": request_body(MatchBody, MEDIA_TYPE, PLAIN),
        "responses": {
            "200": {
                "description": "Matches with what they share with the patient, best first.",
                "content": {MEDIA_TYPE: response, PLAIN: response},
            },
            **refused(ref("schemas", "Error")),
        },
    }
    return {"/match": {"post": item}}


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
                "items": schema_of(Feature),
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
            "disclaimer": {**TEXT, "description": "A note that all people are synthetic."},
            "_hpo": {"description": "Release of HPO. In answers of a network, by node."},
            "_notes": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Parts of the request that were not used.",
            },
        },
    )
