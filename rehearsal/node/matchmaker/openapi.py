"""``/match`` in OpenAPI descriptions."""

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
    """The path items, by path."""
    response = {"schema": ref("schemas", "MatchResponse")}
    item = {
        "summary": "Patients alike (Matchmaker Exchange 1.1), for clinicians with a grant.",
        "requestBody": request_body(MatchBody, MEDIA_TYPE, PLAIN),
        "responses": {
            "200": {
                "description": "Shared facts, most alike first.",
                "content": {MEDIA_TYPE: response, PLAIN: response},
            },
            **refused(ref("schemas", "Error")),
        },
    }
    return {"/match": {"post": item}}


def schemas(most: int = MOST_MATCHES) -> Body:
    """The schemas that it refers to. ``most``: results of an answer."""
    return {"MatchResponse": _response(most)}


def _response(most: int) -> Body:
    score = {"type": "number", "minimum": 0, "maximum": 1}
    patient = object_of(
        ["id", "contact", "features", "genomicFeatures"],
        {
            "id": {**TEXT, "description": "a contact token, of this asker's for this person"},
            "contact": object_of(
                ["name", "href"], {"name": TEXT, "href": TEXT, "institution": TEXT}
            ),
            "features": {"type": "array", "items": schema_of(Feature), "description": "shared"},
            "genomicFeatures": {
                "type": "array",
                "items": schema_of(GenomicFeature),
                "description": "shared; the zygosity is the other's",
            },
        },
    )
    result = object_of(
        ["score", "patient"],
        {"score": object_of(["patient"], {"patient": score}), "patient": patient},
    )
    return object_of(
        ["results"],
        {
            "results": list_of(result, most),
            "disclaimer": TEXT,
            "_hpo": {"description": "release of the ontology; of a network, by node"},
            "_notes": {"type": "array", "items": {"type": "string"}},
        },
    )
