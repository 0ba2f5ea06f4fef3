"""Pieces that the OpenAPI 3.1 descriptions of all parts of an API are made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from rehearsal.model import SEXES

Body = dict[str, Any]

PLAIN = "application/json"
TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
NUMBER = {"type": "number"}
TERM = {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9]*:[^\s:%]+$"}
SEX = {"enum": list(SEXES)}


def ref(kind: str, name: str) -> Body:
    """A reference to one of the document's components."""
    return {"$ref": f"#/components/{kind}/{name}"}


def object_of(required: Collection[str], properties: Body | None = None) -> Body:
    """The schema of an object, which may have other keys beside these."""
    return {"type": "object", "required": list(required), "properties": properties or {}}


def all_of(properties: Body) -> Body:
    """The schema of an object with all of these keys."""
    return object_of(properties, properties)


def list_of(items: Body, longest: int | None = None, shortest: int = 0) -> Body:
    limit = {} if longest is None else {"maxItems": longest}
    return {"type": "array", "items": items, "minItems": shortest, **limit}


META = object_of(["beaconId", "apiVersion", "returnedSchemas"])


def informational(response: Body) -> Body:
    """The schema of an answer with ``meta`` and a response."""
    return all_of({"meta": META, "response": response})


def json_of(schema: Body) -> Body:
    """The content of a JSON body."""
    return {PLAIN: {"schema": schema}}


def operation(
    summary: str, answer: Body, asked: Body | None = None, parameters: Sequence[Body] = ()
) -> Body:
    """What one method does. ``answer``, ``asked``: schemas of the bodies, in JSON."""
    told: Body = {
        "summary": summary,
        "responses": {
            "200": {"description": "The answer.", "content": json_of(answer)},
            **refused(ref("schemas", "Error")),
        },
    }
    if asked is not None:
        told["requestBody"] = {"required": True, "content": json_of(asked)}
    if parameters:
        told["parameters"] = list(parameters)
    return told


def refused(error: Body) -> Body:
    """The responses of a request that is refused. ``error``: schema of their bodies."""
    return {"4XX": {"description": "Why it is refused.", "content": json_of(error)}}


def in_path(*names: str) -> list[Body]:
    """Parameters that are steps of a path."""
    return [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]


def in_query(name: str, schema: Body) -> Body:
    """A parameter of the URL; lists are joined by commas."""
    parameter = {"name": name, "in": "query", "schema": schema}
    if schema.get("type") == "array":
        parameter |= {"style": "form", "explode": False}
    return parameter
