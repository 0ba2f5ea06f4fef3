"""A Beacon's OpenAPI 3.1 description, made from the same tables as its routes."""

from __future__ import annotations

from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.node.beacon.entry_types import COLLECTIONS, ENTRY_TYPES
from rehearsal.node.beacon.envelope import API_VERSION
from rehearsal.node.beacon.request import GRANULARITIES, INCLUDES
from rehearsal.web.openapi import (
    META,
    Body,
    in_path,
    in_query,
    informational,
    json_of,
    object_of,
    operation,
    ref,
)

LONGEST = max(CONTIG_LENGTHS.values())
BASES = r"^[ACGTUNRYSWKMBDHVacgtunryswkmbdhv.\-]*$"
INFORMATIONAL = ("", "info", "configuration", "map", "entry_types")


def beacon_description(title: str, about: str, also: dict[str, Body] | None = None) -> Body:
    """A document of the paths that every Beacon here has. ``also``: schemas, by name, of
    parameters that may be given anywhere."""
    paths: Body = {
        f"/{name}": {"get": _operation("What the Beacon is.", "Informational")}
        for name in INFORMATIONAL
    }
    paths["/service-info"] = {"get": _operation("GA4GH service-info.", "ServiceInfo")}
    paths["/openapi.json"] = {"get": operation("This description.", object_of(["openapi"]))}
    paths["/filtering_terms"] = _terms([])
    for path, entry_type in ENTRY_TYPES.items():
        name = entry_type.name
        paths[f"/{path}"] = _entries(f"{name} that match.", path, [])
        paths[f"/{path}/filtering_terms"] = _terms([])
        paths[f"/{path}/{{id}}"] = _entries(f"One of {name}.", path, [ref("parameters", "id")])
        paths[f"/{path}/{{id}}/filtering_terms"] = _terms([ref("parameters", "id")])
        for listed in entry_type.lists:
            summary = f"{ENTRY_TYPES[listed].name} of one of {name}."
            paths[f"/{path}/{{id}}/{listed}"] = _entries(summary, listed, [ref("parameters", "id")])
    for path in paths.values() if also else ():
        path["parameters"] = [*path.get("parameters", ()), *(ref("parameters", n) for n in also)]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": API_VERSION,
            "description": about,
        },
        "paths": paths,
        "security": [{}, {"passport": []}],  # a token gives more; without one there is an answer
        "components": {
            "securitySchemes": {
                "passport": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A GA4GH Passport, or an access token of an issuer known here.",
                }
            },
            "parameters": {
                "id": in_path("id")[0],
                **{
                    name: in_query(name, schema)
                    for name, schema in (_parameters() | (also or {})).items()
                },
            },
            "schemas": _schemas(),
        },
    }


def _operation(summary: str, schema: str) -> Body:
    return operation(summary, ref("schemas", schema))


def _terms(parameters: list[Body]) -> Body:
    told = _operation("What people can be filtered by.", "Informational")
    return {"parameters": parameters, "get": told, "post": told}


def _entries(summary: str, path: str, parameters: list[Body]) -> Body:
    answers = _operation(summary, "Collections" if path in COLLECTIONS else "ResultSets")
    return {
        "parameters": parameters,
        "get": {**answers, "parameters": [ref("parameters", name) for name in _parameters()]},
        "post": {**answers, "requestBody": {"content": json_of(ref("schemas", "Request"))}},
    }


def _parameters() -> dict[str, Body]:
    """Schemas of what a GET may ask, by name."""
    return {
        "requestedGranularity": {"enum": list(GRANULARITIES)},
        "includeResultsetResponses": {"enum": list(INCLUDES)},
        "testMode": {"type": "boolean"},
        "skip": {"type": "integer", "minimum": 0, "description": "pages"},
        "limit": {"type": "integer", "minimum": 0, "description": "entries a page; 0: most"},
        "filters": {"type": "array", "items": {"type": "string"}, "maxItems": 100},
        "datasets": {"type": "array", "items": {"type": "string"}},
        **_variant_parameters(),
    }


def _variant_parameters() -> dict[str, Body]:
    place = {"type": "integer", "minimum": 0, "maximum": LONGEST}
    places = {"type": "array", "items": place, "minItems": 1, "maxItems": 2}
    text = {"type": "string"}
    return {
        "assemblyId": {"enum": ["GRCh38"]},
        "referenceName": {"type": "string", "description": "17, chr17 or NC_000017.11"},
        "start": {**places, "description": "0-based; two values make a bracket"},
        "end": {**places, "description": "exclusive; two values make a bracket"},
        "referenceBases": {"type": "string", "pattern": BASES},
        "alternateBases": {"type": "string", "pattern": BASES},
        "variantType": text,
        "variantMinLength": {"type": "integer", "minimum": 0},
        "variantMaxLength": {"type": "integer", "minimum": 1},
        "geneId": text,
        "aminoacidChange": text,
        "genomicAlleleShortForm": text,
    }


def _schemas() -> dict[str, Body]:
    summary = object_of(
        ["exists"],
        {"exists": {"type": "boolean"}, "numTotalResults": {"type": "integer", "minimum": 0}},
    )
    result_set = object_of(
        ["id", "setType", "exists"],
        {
            "id": {"type": "string"},
            "setType": {"enum": ["dataset"]},
            "exists": {"type": "boolean"},
            "resultsCount": {"type": "integer", "minimum": 0},
            "results": {"type": "array", "items": {"type": "object"}},
        },
    )
    sets = object_of(["resultSets"], {"resultSets": {"type": "array", "items": result_set}})
    collection = {"type": "array", "items": object_of(["id", "name"])}
    collections = object_of(["collections"], {"collections": collection})
    answer = ["meta", "responseSummary", "response"]
    return {
        "Informational": informational({"type": "object"}),
        "ServiceInfo": object_of(["id", "name", "type", "organization", "version"]),
        "ResultSets": object_of(
            answer, {"meta": META, "responseSummary": summary, "response": sets}
        ),
        "Collections": object_of(
            answer, {"meta": META, "responseSummary": summary, "response": collections}
        ),
        "Error": object_of(
            ["meta", "error"],
            {
                "meta": META,
                "error": object_of(
                    ["errorCode", "errorMessage"],
                    {"errorCode": {"type": "integer"}, "errorMessage": {"type": "string"}},
                ),
            },
        ),
        "Request": _request(),
    }


def _request() -> Body:
    known = _parameters()
    query_keys = ("requestedGranularity", "includeResultsetResponses", "testMode")
    filters = {"type": "array", "maxItems": 100, "items": {"type": ["object", "string"]}}
    parameters = {**_variant_parameters(), "datasets": known["datasets"]}
    query = {key: known[key] for key in query_keys}
    query["filters"] = filters
    query["pagination"] = object_of([], {key: known[key] for key in ("skip", "limit")})
    query["requestParameters"] = object_of([], parameters)
    return object_of(
        [],
        {"meta": object_of([], {"apiVersion": {"type": "string"}}), "query": object_of([], query)},
    )
