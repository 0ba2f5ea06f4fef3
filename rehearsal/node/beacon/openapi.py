"""A Beacon's OpenAPI 3.1 description, built from the same tables as its routes."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from rehearsal.node.access.consent import HEADER_NAME
from rehearsal.node.beacon.entry_types import API_VERSION, COLLECTIONS, ENTRY_TYPES
from rehearsal.node.beacon.request import URL_MODELS, URL_PARAMETERS
from rehearsal.node.beacon.request_models import BeaconQuery
from rehearsal.web.openapi import (
    CONTENT,
    META,
    Body,
    in_path,
    in_query,
    informational,
    json_of,
    object_of,
    operation,
    query_parameters,
    ref,
    schema_of,
)

INFORMATIONAL = {
    "": "Describe the Beacon.",
    "info": "Describe the Beacon.",
    "configuration": "Return the Beacon's configuration.",
    "map": "List the Beacon's endpoints.",
    "entry_types": "List the Beacon's entry types.",
}
OF_ITSELF = frozenset(
    {*(f"/{name}" for name in INFORMATIONAL), "/service-info", "/openapi.json", "/health"}
)  # paths at which a service tells about itself only
PURPOSE: Body = {
    "name": HEADER_NAME,
    "in": "header",
    "schema": {"type": "string"},
    "description": "What the answer is for: a code of the Data Use Ontology, with conditions after "
    "commas. Without it only people who permit any use are in the answer.",
    "example": "DUO:0000006",
}
SINGULAR = {
    "g_variants": "genomic variant",
    "individuals": "individual",
    "biosamples": "biological sample",
    "runs": "sequencing run",
    "analyses": "bioinformatics analysis",
    "datasets": "dataset",
    "cohorts": "cohort",
}


def beacon_description(title: str, about: str, also: dict[str, Body] | None = None) -> Body:
    """Build the OpenAPI document of the paths that every Beacon of this project has.

    Args:
        title: Title of the document.
        about: One sentence about the service.
        also: Schemas of parameters that every path accepts, by name.

    Returns:
        The document.
    """
    paths = _paths()
    everywhere = [ref("parameters", name) for name in also or ()]
    for path in paths.values() if everywhere else ():
        path["parameters"] = [*path.get("parameters", ()), *everywhere]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": API_VERSION,
            "description": about,
        },
        "servers": [{"url": "."}],  # beside this document, whatever the prefix of its path
        "paths": paths,
        "security": [{}, {"passport": []}],  # a token is optional and gives more access
        "components": {
            "securitySchemes": {
                "passport": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A GA4GH Passport, or an access token, of a trusted issuer.",
                }
            },
            "parameters": {
                "id": in_path("id")[0] | {"description": "Identifier of one entry."},
                "purpose": PURPOSE,
                **{_component(one): one for one in _parameters()},
                **{name: in_query(name, schema) for name, schema in (also or {}).items()},
            },
            "schemas": _schemas(),
        },
    }


def _paths() -> Body:
    """Build the path items, by path."""
    paths: Body = {
        f"/{name}": {"get": _operation(summary, "Informational")}
        for name, summary in INFORMATIONAL.items()
    }
    service_info = _operation("Return the GA4GH service information.", "ServiceInfo")
    paths["/service-info"] = {"get": service_info}
    document = operation("Return this OpenAPI description.", object_of(["openapi"]))
    paths["/openapi.json"] = {"get": document}
    paths["/filtering_terms"] = _terms([])
    for path, entry_type in ENTRY_TYPES.items():
        name, one = entry_type.name.lower(), SINGULAR[path]
        paths[f"/{path}"] = _entries(f"Find the {name} that match a query.", path, [])
        paths[f"/{path}/filtering_terms"] = _terms([])
        paths[f"/{path}/{{id}}"] = _entries(f"Get one {one}.", path, [ref("parameters", "id")])
        if path in COLLECTIONS:
            paths[f"/{path}/{{id}}/filtering_terms"] = _terms([ref("parameters", "id")])
        for listed in entry_type.lists:
            found = ENTRY_TYPES[listed].name.lower()
            summary = f"Find the {found} of one {one}."
            if path == "g_variants":
                carriers = "carriers" if listed == "individuals" else f"{found} of the carriers"
                summary = f"Find the {carriers} of one {one}."
            paths[f"/{path}/{{id}}/{listed}"] = _entries(summary, listed, [ref("parameters", "id")])
    return paths


def _operation(summary: str, schema: str) -> Body:
    return operation(summary, ref("schemas", schema))


def _terms(parameters: list[Body]) -> Body:
    listing = _operation("List the terms and fields that filters may use.", "Informational")
    return {"parameters": parameters, "get": listing, "post": listing}


def _entries(summary: str, path: str, parameters: list[Body]) -> Body:
    answers = _operation(summary, "Collections" if path in COLLECTIONS else "ResultSets")
    return {
        "parameters": parameters,
        "get": {
            **answers,
            "parameters": [ref("parameters", _component(one)) for one in _parameters()],
        },
        "post": {**answers, "requestBody": {"content": json_of(ref("schemas", "Request"))}},
    }


def _component(parameter: Body) -> str:
    """Name a parameter among the components, whose names may have no dollar sign."""
    return str(parameter["name"]).removeprefix("$")


def state_purpose(paths: Body, without: Collection[str]) -> Body:
    """Add the header with the purpose to path items.

    Args:
        paths: The path items, by path.
        without: Paths whose answers do not depend on the purpose.

    Returns:
        The path items.
    """
    purpose = ref("parameters", "purpose")
    return {
        path: item
        if path in without
        else {**item, "parameters": [*item.get("parameters", ()), purpose]}
        for path, item in paths.items()
    }


@cache
def _parameters() -> tuple[Body, ...]:
    """Describe the parameters of a GET, from the models that read them."""
    every = [one for model in URL_MODELS for one in query_parameters(model)]
    return tuple({one["name"]: one for one in every if one["name"] in URL_PARAMETERS}.values())


def _schemas() -> dict[str, Body]:
    summary = object_of(
        ["exists"],
        {
            "exists": {"type": "boolean", "description": "Whether there are matches."},
            "numTotalResults": {
                "type": "integer",
                "minimum": 0,
                "description": "Number of different matches, on all pages.",
            },
        },
    )
    result_set = object_of(
        ["id", "setType", "exists"],
        {
            "id": {"type": "string", "description": "Identifier of the dataset."},
            "setType": {"enum": ["dataset"], "description": "Always dataset."},
            "exists": {"type": "boolean", "description": "Whether the dataset has matches."},
            "resultsCount": {
                "type": "integer",
                "minimum": 0,
                "description": "Number of matches in the dataset, on all pages.",
            },
            "results": {
                "type": "array",
                "items": {"type": "object"},
                "description": "A page of records.",
            },
        },
    )
    described = {"description": "One set per dataset."}
    set_list = {"type": "array", "items": result_set, **described}
    sets = {**object_of(["resultSets"], {"resultSets": set_list}), **CONTENT}
    described = {"description": "The datasets or cohorts."}
    collection = {"type": "array", "items": object_of(["id", "name"]), **described}
    collections = {**object_of(["collections"], {"collections": collection}), **CONTENT}
    summary = {**summary, "description": "The result for all datasets together."}
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
                    {
                        "errorCode": {"type": "integer", "description": "The HTTP status."},
                        "errorMessage": {
                            "type": "string",
                            "description": "What is wrong: place, expected, found.",
                        },
                    },
                ),
            },
        ),
        "Request": schema_of(BeaconQuery),
    }
