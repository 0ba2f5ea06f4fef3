"""The node's OpenAPI 3.1 description, made from the same tables as its routes."""

from __future__ import annotations

from typing import Any

from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.node.beacon.entry_types import COLLECTIONS, ENTRY_TYPES
from rehearsal.node.beacon.framing import API_VERSION
from rehearsal.node.beacon.request import GRANULARITIES, INCLUDES
from rehearsal.node.matchmaker import openapi as matchmaker
from rehearsal.node.settings import NodeSettings

Body = dict[str, Any]

LONGEST = max(CONTIG_LENGTHS.values())
BASES = r"^[ACGTUNRYSWKMBDHVacgtunryswkmbdhv.\-]*$"
INFORMATIONAL = ("", "info", "configuration", "map", "entry_types")


def description(settings: NodeSettings) -> Body:
    """The whole document of a node's ``/openapi.json``."""
    document = beacon_description(
        f"Rehearsal node of {settings.country_name}",
        "GA4GH Beacon v2 and Matchmaker Exchange over synthetic people.",
    )
    document["paths"]["/match"] = matchmaker.path()
    document["components"]["schemas"] |= matchmaker.schemas()
    return document


def beacon_description(title: str, about: str, also: dict[str, Body] | None = None) -> Body:
    """A document of the paths that every Beacon here has. ``also``: schemas, by name, of
    parameters that may be given anywhere."""
    paths: Body = {f"/{name}": {"get": _told("What the node is.")} for name in INFORMATIONAL}
    paths["/service-info"] = {"get": _operation("GA4GH service-info.", "ServiceInfo")}
    paths["/filtering_terms"] = _both("What people can be filtered by.", "Informational", [])
    for path, entry_type in ENTRY_TYPES.items():
        name = entry_type.name
        paths[f"/{path}"] = _entries(f"{name} that match.", path, [])
        paths[f"/{path}/filtering_terms"] = paths["/filtering_terms"]
        paths[f"/{path}/{{id}}"] = _entries(f"One of {name}.", path, [_ref("parameters", "id")])
        paths[f"/{path}/{{id}}/filtering_terms"] = _both(
            "What people can be filtered by.", "Informational", [_ref("parameters", "id")]
        )
        for listed in entry_type.lists:
            summary = f"{ENTRY_TYPES[listed].name} of one of {name}."
            paths[f"/{path}/{{id}}/{listed}"] = _entries(
                summary, listed, [_ref("parameters", "id")]
            )
    for path in paths.values() if also else ():
        path["parameters"] = [*path.get("parameters", ()), *(_ref("parameters", n) for n in also)]
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
                "id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                **{
                    name: _parameter(name, schema)
                    for name, schema in (_parameters() | (also or {})).items()
                },
            },
            "schemas": _schemas(),
        },
    }


def _ref(kind: str, name: str) -> Body:
    return {"$ref": f"#/components/{kind}/{name}"}


def _json(schema: str) -> Body:
    return {"application/json": {"schema": _ref("schemas", schema)}}


def _operation(summary: str, schema: str) -> Body:
    return {
        "summary": summary,
        "responses": {
            "200": {"description": "The answer.", "content": _json(schema)},
            "4XX": {"description": "Why it is refused.", "content": _json("Error")},
        },
    }


def _told(summary: str) -> Body:
    return _operation(summary, "Informational")


def _both(summary: str, schema: str, parameters: list[Body]) -> Body:
    return {
        "parameters": parameters,
        "get": _operation(summary, schema),
        "post": _operation(summary, schema),
    }


def _entries(summary: str, path: str, parameters: list[Body]) -> Body:
    answers = _operation(summary, "Collections" if path in COLLECTIONS else "ResultSets")
    return {
        "parameters": parameters,
        "get": {**answers, "parameters": [_ref("parameters", name) for name in _parameters()]},
        "post": {**answers, "requestBody": {"content": _json("Request")}},
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


def _parameter(name: str, schema: Body) -> Body:
    parameter = {"name": name, "in": "query", "schema": schema}
    if schema.get("type") == "array":
        parameter |= {"style": "form", "explode": False}
    return parameter


def _object(required: list[str], properties: Body | None = None) -> Body:
    return {"type": "object", "required": required, "properties": properties or {}}


def _schemas() -> dict[str, Body]:
    meta = _object(["beaconId", "apiVersion", "returnedSchemas"])
    summary = _object(
        ["exists"],
        {"exists": {"type": "boolean"}, "numTotalResults": {"type": "integer", "minimum": 0}},
    )
    result_set = _object(
        ["id", "setType", "exists"],
        {
            "id": {"type": "string"},
            "setType": {"enum": ["dataset"]},
            "exists": {"type": "boolean"},
            "resultsCount": {"type": "integer", "minimum": 0},
            "results": {"type": "array", "items": {"type": "object"}},
        },
    )
    sets = _object(["resultSets"], {"resultSets": {"type": "array", "items": result_set}})
    collection = {"type": "array", "items": _object(["id", "name"])}
    collections = _object(["collections"], {"collections": collection})
    answer = ["meta", "responseSummary", "response"]
    return {
        "Informational": _object(
            ["meta", "response"], {"meta": meta, "response": {"type": "object"}}
        ),
        "ServiceInfo": _object(["id", "name", "type", "organization", "version"]),
        "ResultSets": _object(answer, {"meta": meta, "responseSummary": summary, "response": sets}),
        "Collections": _object(
            answer, {"meta": meta, "responseSummary": summary, "response": collections}
        ),
        "Error": _object(
            ["meta", "error"],
            {
                "meta": meta,
                "error": _object(
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
    query["pagination"] = _object([], {key: known[key] for key in ("skip", "limit")})
    query["requestParameters"] = _object([], parameters)
    return _object(
        [], {"meta": _object([], {"apiVersion": {"type": "string"}}), "query": _object([], query)}
    )
