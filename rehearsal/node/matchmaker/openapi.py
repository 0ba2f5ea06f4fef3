"""``/match`` in the node's OpenAPI description."""

from __future__ import annotations

from typing import Any

from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.node.matchmaker.app import MEDIA_TYPE, MOST_MATCHES, PLAIN
from rehearsal.node.matchmaker.request import MAX_BASES, MAX_FEATURES, MAX_GENOMIC, MAX_TEXT

Body = dict[str, Any]

TEXT = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
ZYGOSITY = {"enum": [1, 2], "description": "copies"}


def path() -> Body:
    """The path item of ``/match``."""
    refused = {PLAIN: {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        "post": {
            "summary": "Patients alike (Matchmaker Exchange 1.1), for clinicians with a grant.",
            "requestBody": {"required": True, "content": _content("MatchRequest")},
            "responses": {
                "200": {"description": "Shared facts, most alike first.", **_answer()},
                "4XX": {"description": "Why it is refused.", "content": refused},
            },
        }
    }


def schemas(most: int = MOST_MATCHES) -> Body:
    """The schemas that the path refers to. ``most``: results of an answer."""
    return {"MatchRequest": _request(), "MatchResponse": _response(most)}


def _content(schema: str) -> Body:
    reference = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {MEDIA_TYPE: reference, PLAIN: reference}


def _answer() -> Body:
    return {"content": _content("MatchResponse")}


def _object(required: list[str], properties: Body) -> Body:
    return {"type": "object", "required": required, "properties": properties}


def _list(items: Body, longest: int, shortest: int = 0) -> Body:
    return {"type": "array", "items": items, "minItems": shortest, "maxItems": longest}


def _variant() -> Body:
    bases = {"type": "string", "pattern": "^[ACGTN]+$", "maxLength": MAX_BASES}
    place = {"type": "integer", "minimum": 0, "maximum": max(CONTIG_LENGTHS.values()) - 1}
    return _object(
        ["assembly", "referenceName"],
        {
            "assembly": {**TEXT, "description": "GRCh38; of others the gene alone is used"},
            "referenceName": {**TEXT, "description": "17, chr17 or NC_000017.11"},
            "start": {**place, "description": "0-based"},
            "referenceBases": bases,
            "alternateBases": bases,
        },
    )


def _genomic_feature() -> Body:
    gene = _object(["id"], {"id": {**TEXT, "description": "symbol"}})
    feature = _object([], {"gene": gene, "variant": _variant(), "zygosity": ZYGOSITY})
    return {**feature, "anyOf": [{"required": ["gene"]}, {"required": ["variant"]}]}


def _feature() -> Body:
    return _object(
        ["id"],
        {
            "id": {**TEXT, "description": "a term of HPO"},
            "label": TEXT,
            "observed": {"enum": ["yes", "no"], "default": "yes"},
            "ageOfOnset": TEXT,
        },
    )


def _contact() -> Body:
    return _object(["name", "href"], {"name": TEXT, "href": TEXT, "institution": TEXT})


def _request() -> Body:
    use = {"type": "string", "pattern": r"^DUO:\d{7}( MONDO:\d{7})?$"}
    patient = _object(
        ["id", "contact", "features", "genomicFeatures", "_consent"],
        {
            "id": TEXT,
            "contact": _contact(),
            "features": _list(_feature(), MAX_FEATURES, 1),
            "genomicFeatures": _list(_genomic_feature(), MAX_GENOMIC, 1),
            "disorders": {"type": "array", "maxItems": MAX_FEATURES},
            "inheritanceMode": TEXT,
            "_consent": {
                **_list(use, MAX_FEATURES),
                "description": "uses that the patient permits",
            },
        },
    )
    return _object(["patient"], {"patient": patient})


def _response(most: int) -> Body:
    score = {"type": "number", "minimum": 0, "maximum": 1}
    patient = _object(
        ["id", "contact", "features", "genomicFeatures"],
        {
            "id": {**TEXT, "description": "a contact token, of this asker's for this person"},
            "contact": _contact(),
            "features": {"type": "array", "items": _feature(), "description": "shared"},
            "genomicFeatures": {
                "type": "array",
                "items": _genomic_feature(),
                "description": "shared; the zygosity is the other's",
            },
        },
    )
    result = _object(
        ["score", "patient"],
        {"score": _object(["patient"], {"patient": score}), "patient": patient},
    )
    return _object(
        ["results"],
        {
            "results": _list(result, most),
            "disclaimer": TEXT,
            "_hpo": {"description": "release of the ontology; of a network, by node"},
            "_notes": {"type": "array", "items": {"type": "string"}},
        },
    )
