"""``/match`` in OpenAPI descriptions."""

from __future__ import annotations

from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.node.matchmaker.endpoint import MEDIA_TYPE, MOST_MATCHES
from rehearsal.node.matchmaker.request import MAX_BASES, MAX_FEATURES, MAX_GENOMIC, MAX_TEXT
from rehearsal.web.openapi import PLAIN, Body, list_of, object_of, ref, refused

TEXT = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
ZYGOSITY = {"enum": [1, 2], "description": "copies"}


def paths() -> Body:
    """The path items, by path."""
    item = {
        "summary": "Patients alike (Matchmaker Exchange 1.1), for clinicians with a grant.",
        "requestBody": {"required": True, "content": _content("MatchRequest")},
        "responses": {
            "200": {"description": "Shared facts, most alike first.", **_answer()},
            **refused(ref("schemas", "Error")),
        },
    }
    return {"/match": {"post": item}}


def schemas(most: int = MOST_MATCHES) -> Body:
    """The schemas that it refers to. ``most``: results of an answer."""
    return {"MatchRequest": _request(), "MatchResponse": _response(most)}


def _content(schema: str) -> Body:
    reference = {"schema": ref("schemas", schema)}
    return {MEDIA_TYPE: reference, PLAIN: reference}


def _answer() -> Body:
    return {"content": _content("MatchResponse")}


def _variant() -> Body:
    bases = {"type": "string", "pattern": "^[ACGTN]+$", "maxLength": MAX_BASES}
    place = {"type": "integer", "minimum": 0, "maximum": max(CONTIG_LENGTHS.values()) - 1}
    return object_of(
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
    gene = object_of(["id"], {"id": {**TEXT, "description": "symbol"}})
    feature = object_of([], {"gene": gene, "variant": _variant(), "zygosity": ZYGOSITY})
    return {**feature, "anyOf": [{"required": ["gene"]}, {"required": ["variant"]}]}


def _feature() -> Body:
    return object_of(
        ["id"],
        {
            "id": {**TEXT, "description": "a term of HPO"},
            "label": TEXT,
            "observed": {"enum": ["yes", "no"], "default": "yes"},
            "ageOfOnset": TEXT,
        },
    )


def _contact() -> Body:
    return object_of(["name", "href"], {"name": TEXT, "href": TEXT, "institution": TEXT})


def _request() -> Body:
    use = {"type": "string", "pattern": r"^DUO:\d{7}( MONDO:\d{7})?$"}
    patient = object_of(
        ["id", "contact", "features", "genomicFeatures", "_consent"],
        {
            "id": TEXT,
            "contact": _contact(),
            "features": list_of(_feature(), MAX_FEATURES, 1),
            "genomicFeatures": list_of(_genomic_feature(), MAX_GENOMIC, 1),
            "disorders": {"type": "array", "maxItems": MAX_FEATURES},
            "inheritanceMode": TEXT,
            "_consent": {
                **list_of(use, MAX_FEATURES),
                "description": "uses that the patient permits",
            },
        },
    )
    return object_of(["patient"], {"patient": patient})


def _response(most: int) -> Body:
    score = {"type": "number", "minimum": 0, "maximum": 1}
    patient = object_of(
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
