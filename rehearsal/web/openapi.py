"""Pieces that the OpenAPI 3.1 descriptions of all parts of an API are made of.

What a request may have in its body or its URL is described by the model that reads it
(:mod:`rehearsal.web.request_models`).
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from rehearsal.model import SEXES

Body = dict[str, Any]

PLAIN = "application/json"
TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
NUMBER = {"type": "number"}
SEX = {"enum": list(SEXES)}
END_IN_PYTHON = r"$(?!\n)"  # "$" alone would let a line break pass, which elsewhere it does not


def schema_of(kind: Any) -> Body:
    """The JSON schema of a type: a request model, a list of models, an annotated text...

    Docstrings of models and the ``description`` of ``msgspec.Meta`` are in it. It refers to
    nothing outside itself; a model that contains itself has no such schema.
    """
    (schema,), components = msgspec.json.schema_components([kind], ref_template="{name}")
    return _without_references(schema, components)


def _without_references(part: Any, components: Body) -> Any:
    if isinstance(part, list):
        return [_without_references(one, components) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        part = components[part["$ref"]] | {key: one for key, one in part.items() if key != "$ref"}
    whole = {key: _without_references(one, components) for key, one in part.items()}
    if isinstance(whole.get("description"), str):
        whole["description"] = inspect.cleandoc(whole["description"])
    if isinstance(whole.get("pattern"), str):
        whole["pattern"] = whole["pattern"].replace(END_IN_PYTHON, "$")
    return whole


def request_body(model: Any, *media_types: str, required: bool = True) -> Body:
    """A request's body, read by a model. ``media_types``: JSON's own by default."""
    content = {"schema": schema_of(model)}
    return {"required": required, "content": dict.fromkeys(media_types or (PLAIN,), content)}


def query_parameters(model: Any) -> list[Body]:
    """The parameters of a URL that a model reads: one for each of its fields."""
    schema = schema_of(model)
    parameters = []
    for name, one in schema["properties"].items():
        parameter = in_query(name, _as_in_url(one))
        parameters.append(parameter | ({"required": True} if name in schema["required"] else {}))
    return parameters


def _as_in_url(schema: Body) -> Body:
    """The schema of a value as a URL may give it: without null and the default that stands for
    it, and without objects."""
    given = {key: one for key, one in schema.items() if (key, one) != ("default", None)}
    if "items" in given:
        given["items"] = _as_in_url(given["items"])
    choices = [
        _as_in_url(one)
        for one in given.pop("anyOf", ())
        if one.get("type") not in ("null", "object")
    ]
    if len(choices) == 1:
        return choices[0] | given
    return given | ({"anyOf": choices} if choices else {})


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
    summary: str, answer: Body, body: Body | None = None, parameters: Sequence[Body] = ()
) -> Body:
    """What one method does. ``answer``, ``body``: schemas of the two bodies, in JSON."""
    described: Body = {
        "summary": summary,
        "responses": {
            "200": {"description": "The answer.", "content": json_of(answer)},
            **refused(ref("schemas", "Error")),
        },
    }
    if body is not None:
        described["requestBody"] = {"required": True, "content": json_of(body)}
    if parameters:
        described["parameters"] = list(parameters)
    return described


def refused(error: Body) -> Body:
    """The responses of a request that is refused. ``error``: schema of their bodies."""
    return {"4XX": {"description": "Why it is refused.", "content": json_of(error)}}


def in_path(*names: str) -> list[Body]:
    """Parameters that are steps of a path."""
    return [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]


def in_query(name: str, schema: Body) -> Body:
    """A parameter of the URL; lists are joined by commas."""
    parameter: Body = {"name": name, "in": "query", "schema": schema}
    if is_list(schema):
        parameter |= {"style": "form", "explode": False}
    return parameter


def is_list(schema: Body) -> bool:
    """Whether a value may be a list."""
    return any(one.get("type") == "array" for one in (schema, *schema.get("anyOf", ())))
