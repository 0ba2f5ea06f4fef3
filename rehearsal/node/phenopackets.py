"""A person's Phenopacket, GA4GH Phenopackets 2.0: ``GET /individuals/{id}/phenopacket``.

It has what the person's Beacon record has, for callers who receive the record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rehearsal.errors import shown
from rehearsal.formats.phenopacket_resources import resources
from rehearsal.node.access.rights import caller_rights
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.people_records import duration, individual
from rehearsal.web.app import Api, Json
from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem

PATH = "/individuals/{id}/phenopacket"


class Phenopackets:
    """The endpoint of Phenopackets.

    Args:
        node_data: The node's data.
    """

    def __init__(self, node_data: NodeData) -> None:
        self._node_data = node_data

    def add_to(self, api: Api) -> None:
        """Add the route.

        Args:
            api: The node's API.
        """
        api.add(PATH, self._answer)

    def paths(self) -> Body:
        """Return the OpenAPI path items of the route, by path."""
        return {PATH: {"get": described()}}

    async def _answer(self, request: Request) -> Response:
        rights, data = caller_rights(request), self._node_data
        rights.require_records([data.settings.people_dataset])
        identifier = request.path_params["id"]
        position = data.people.position(identifier)
        if position is None or position in rights.excluded:
            expected = "a person of this node who permits the purpose"
            raise Problem.mismatch("individuals", expected, shown(identifier), 404)
        return Json(phenopacket(individual(position, data, rights.excluded), data))


def described() -> Body:
    """Describe the endpoint for OpenAPI."""
    content = {"application/json": {"schema": {"type": "object"}}}
    identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "summary": "Return the Phenopacket of a person, to whoever may see the record.",
        "parameters": [identifier],
        "responses": {"200": {"description": "A Phenopacket 2.0.", "content": content}},
    }


def phenopacket(record: Mapping[str, Any], node_data: NodeData) -> Body:
    """Build a Phenopacket from a person's Beacon record.

    Args:
        record: The record of an individual.
        node_data: The node's data.

    Returns:
        The Phenopacket, JSON values.
    """
    settings = node_data.settings
    age = {"iso8601duration": duration(record["info"]["age"])}
    body: Body = {
        "id": record["id"],
        "subject": {
            "id": record["id"],
            "sex": record["sex"]["label"].upper(),
            "timeAtLastEncounter": {"age": age},
        },
        "phenotypicFeatures": [
            {"type": one["featureType"], **_onset(one.get("onset"))}
            for one in record["phenotypicFeatures"]
        ],
        "diseases": [
            {"term": _disease(one["diseaseCode"]), **_onset(one.get("ageOfOnset"))}
            for one in record["diseases"]
        ],
    }
    body["metaData"] = {
        "created": f"{settings.reference_year}-12-31T00:00:00Z",
        "createdBy": f"Rehearsal {settings.version}",
        "resources": resources(one.partition(":")[0] for one in _terms(body)),
        "phenopacketSchemaVersion": "2.0",
    }
    return body


def _disease(code: Mapping[str, str]) -> Body:
    return {"id": code.get("sameAs", code["id"]), "label": code["label"]}


def _onset(age: Mapping[str, str] | None) -> Body:
    return {} if age is None else {"onset": {"age": dict(age)}}


def _terms(body: Body) -> Iterator[str]:
    yield from (one["type"]["id"] for one in body["phenotypicFeatures"])
    yield from (one["term"]["id"] for one in body["diseases"])
