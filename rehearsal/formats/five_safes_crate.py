"""Requests to run an algorithm as Five Safes RO-Crates, profile 0.4 (w3id.org/5s-crate/0.4).

The crate says who asks (safe people), in which project (safe projects), for which approved workflow
with which inputs, before it has run. The profile builds on Workflow Run RO-Crate.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.errors import mismatch, shown

FILE_NAME = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/5s-crate/"
VERSION = "0.4"
CONTEXT = "https://w3id.org/ro/crate/1.2/context"
CRATE = "https://w3id.org/ro/crate/1.2"
PURPOSES = "http://purl.obolibrary.org/obo/"  # of terms of the Data Use Ontology
LICENCE = "https://opensource.org/license/mit"
SNAKEMAKE = "https://snakemake.readthedocs.io"
ASKED = "http://schema.org/PotentialActionStatus"  # has not run yet


class CrateError(ValueError):
    """A crate that is no such request. Its text is one line."""


@dataclass(frozen=True)
class CrateRequest:
    """What a crate asks for."""

    digest: str  # of the algorithm
    parameters: Mapping[str, Any]
    agent: str  # name of who asks
    project: str
    purpose: str  # a term of the Data Use Ontology, as DUO:0000006


def write_crate(request: CrateRequest, date: str) -> bytes:
    """Write the metadata file of a request.

    Args:
        request: The request.
        date: Date of the request, as 2026-11-30.

    Returns:
        The content of ``ro-crate-metadata.json``.
    """
    workflow, purpose = f"urn:{request.digest}", PURPOSES + request.purpose.replace(":", "_")
    inputs = [
        {
            "@id": f"#input-{name}",
            "@type": "PropertyValue",
            "name": name,
            "value": json.dumps(value),
        }
        for name, value in request.parameters.items()
    ]
    graph = [
        {
            "@id": FILE_NAME,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": CRATE},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "conformsTo": {"@id": PROFILE + VERSION},
            "name": "Request to run an algorithm",
            "description": "A request to run an approved algorithm at a node of the network.",
            "datePublished": date,
            "license": {"@id": LICENCE},
            "hasPart": [{"@id": workflow}],
            "mainEntity": {"@id": workflow},
            "mentions": {"@id": "#request"},
            "sourceOrganization": {"@id": "#project"},
            "usageInfo": {"@id": purpose},
        },
        {
            "@id": PROFILE + VERSION,
            "@type": ["CreativeWork", "Profile"],
            "name": "Five Safes RO-Crate profile",
        },
        {"@id": LICENCE, "@type": "CreativeWork", "name": "MIT License"},
        {"@id": purpose, "@type": "DefinedTerm", "name": request.purpose},
        {
            "@id": workflow,
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": "Approved algorithm",
            "description": "An algorithm, by the digest that nodes approve.",
            "identifier": request.digest,
            "programmingLanguage": {"@id": "#snakemake"},
        },
        {
            "@id": "#snakemake",
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "url": SNAKEMAKE,
            "version": "9",
        },
        {
            "@id": "#request",
            "@type": "CreateAction",
            "name": "Run the algorithm",
            "actionStatus": ASKED,
            "agent": {"@id": "#agent"},
            "instrument": {"@id": workflow},
            "object": [{"@id": one["@id"]} for one in inputs],
        },
        {"@id": "#agent", "@type": "Person", "name": request.agent},
        {"@id": "#project", "@type": "Project", "name": request.project},
        *inputs,
    ]
    return json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1).encode()


def read_crate(content: bytes) -> CrateRequest:
    """Read the metadata file of a request.

    Args:
        content: The content of ``ro-crate-metadata.json``.

    Returns:
        The request.

    Raises:
        CrateError: It is not the metadata of such a crate. Names the entity.
    """
    entities = _entities(content)
    root = _entity(entities, "./", "the crate")
    profile = _reference(root, "conformsTo", "the crate")
    if not profile.startswith(PROFILE):
        expected = f"a version of {PROFILE}"
        raise CrateError(mismatch(f"{FILE_NAME}: conformsTo", expected, shown(profile)))
    workflow = _entity(entities, _reference(root, "mainEntity", "the crate"), "mainEntity")
    action = _entity(entities, _reference(root, "mentions", "the crate"), "mentions")
    if action.get("@type") != "CreateAction":
        found = shown(action.get("@type"))
        raise CrateError(mismatch(f"{FILE_NAME}: mentions", "a CreateAction", found))
    instrument = _reference(action, "instrument", "the CreateAction")
    if instrument != workflow["@id"]:
        expected = f"the mainEntity, {workflow['@id']}"
        raise CrateError(mismatch(f"{FILE_NAME}: instrument", expected, shown(instrument)))
    agent = _entity(entities, _reference(action, "agent", "the CreateAction"), "agent")
    project = _entity(entities, _reference(root, "sourceOrganization", "the crate"), "project")
    purpose = _reference(root, "usageInfo", "the crate").removeprefix(PURPOSES).replace("_", ":")
    return CrateRequest(
        _text(workflow, "identifier"),
        _inputs(entities, action),
        _text(agent, "name"),
        _text(project, "name"),
        purpose,
    )


def _entities(content: bytes) -> dict[str, dict[str, Any]]:
    try:
        graph = json.loads(content)["@graph"]
        return {one["@id"]: one for one in graph}
    except (ValueError, TypeError, KeyError, RecursionError):
        expected = "JSON with @graph, a list of objects with @id"
        raise CrateError(mismatch(FILE_NAME, expected, "something else")) from None


def _entity(entities: Mapping[str, dict[str, Any]], name: str, what: str) -> dict[str, Any]:
    if name not in entities:
        raise CrateError(mismatch(f"{FILE_NAME}: {what}", f"an entity {shown(name)}", "none"))
    return entities[name]


def _reference(entity: Mapping[str, Any], key: str, what: str) -> str:
    value = entity.get(key)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict) or not isinstance(value.get("@id"), str):
        where = f"{FILE_NAME}: {key} of {what}"
        raise CrateError(mismatch(where, "a reference with @id", shown(value)))
    return str(value["@id"])


def _text(entity: Mapping[str, Any], key: str) -> str:
    value = entity.get(key)
    if not isinstance(value, str) or not value:
        where = f"{FILE_NAME}: {key} of {shown(entity['@id'])}"
        raise CrateError(mismatch(where, "a text", shown(value)))
    return value


def _inputs(entities: Mapping[str, dict[str, Any]], action: Mapping[str, Any]) -> dict[str, Any]:
    listed = action.get("object", [])
    values: dict[str, Any] = {}
    for one in listed if isinstance(listed, list) else [listed]:
        name = one.get("@id") if isinstance(one, dict) else None
        value = _entity(entities, str(name), "object of the CreateAction")
        try:
            values[_text(value, "name")] = json.loads(_text(value, "value"))
        except ValueError as error:
            if isinstance(error, CrateError):
                raise
            where = f"{FILE_NAME}: value of {shown(name)}"
            raise CrateError(mismatch(where, "JSON", shown(value["value"]))) from None
    return values
