"""Building blocks of the OpenAPI 3.1 descriptions of all APIs.

Bodies and URL parameters of requests are described by the models that read them
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
SEX = {"enum": list(SEXES), "description": "Sex."}
IN_PATHS = {
    "id": "Identifier of the entry.",
    "node": "Country code of a node.",
    "digest": "SHA-256 of a scoring file, as GET /scores lists it.",
    "suffix": "Extension of the file.",
    "name": "Name of the piece, as a ticket lists it.",
}  # descriptions of the parameters in paths
END_IN_PYTHON = r"$(?!\n)"  # in Python "$" also matches before a line break at the end


def schema_of(kind: Any) -> Body:
    """Build the JSON schema of a type.

    Docstrings of models and the ``description`` of ``msgspec.Meta`` become descriptions.

    Args:
        kind: A request model, a list of models, an annotated type or any other type that msgspec
            can decode. A model must not contain itself.

    Returns:
        A schema without references.
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
    """Describe the body of a request.

    Args:
        model: The model that reads it.
        *media_types: Media types that are accepted; ``application/json`` when none is given.
        required: Whether the body must be present.

    Returns:
        An OpenAPI request body object.
    """
    content = {"schema": schema_of(model)}
    return {"required": required, "content": dict.fromkeys(media_types or (PLAIN,), content)}


def query_parameters(model: Any) -> list[Body]:
    """Describe the URL parameters that a model reads.

    Args:
        model: The model. Each of its fields is one parameter.

    Returns:
        OpenAPI parameter objects, in the order of the fields.
    """
    schema = schema_of(model)
    parameters = []
    for name, one in schema["properties"].items():
        parameter = in_query(name, _as_in_url(one))
        parameters.append(parameter | ({"required": True} if name in schema["required"] else {}))
    return parameters


def _as_in_url(schema: Body) -> Body:
    """Adapt a schema to a URL, which can hold neither null (nor a default of null) nor objects."""
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
    """Refer to a component of the document.

    Args:
        kind: Kind of component, for example ``schemas``.
        name: Name of the component.

    Returns:
        An OpenAPI reference object.
    """
    return {"$ref": f"#/components/{kind}/{name}"}


def object_of(required: Collection[str], properties: Body | None = None) -> Body:
    """Build the schema of an object. Other keys are allowed.

    Args:
        required: Keys that must be present.
        properties: Schemas of the keys that are described.

    Returns:
        A JSON schema.
    """
    return {"type": "object", "required": list(required), "properties": properties or {}}


def all_of(properties: Body) -> Body:
    """Build the schema of an object in which all of these keys are required.

    Args:
        properties: Schema of each key.

    Returns:
        A JSON schema.
    """
    return object_of(properties, properties)


def list_of(items: Body, longest: int | None = None, shortest: int = 0) -> Body:
    """Build the schema of a list.

    Args:
        items: Schema of the items.
        longest: Largest number of items; None for no limit.
        shortest: Smallest number of items.

    Returns:
        A JSON schema.
    """
    limit = {} if longest is None else {"maxItems": longest}
    return {"type": "array", "items": items, "minItems": shortest, **limit}


CONTENT = {"description": "The content of the answer."}
META = {
    **object_of(["beaconId", "apiVersion", "returnedSchemas"]),
    "description": "Which Beacon answers, and how it understood the request.",
}


def informational(response: Body) -> Body:
    """Build the schema of a Beacon answer that has ``meta`` and ``response``.

    Args:
        response: Schema of the response.

    Returns:
        A JSON schema.
    """
    return all_of({"meta": META, "response": CONTENT | response})


def json_of(schema: Body) -> Body:
    """Describe the content of a JSON body.

    Args:
        schema: Schema of the body.

    Returns:
        An OpenAPI content object.
    """
    return {PLAIN: {"schema": schema}}


def operation(
    summary: str, answer: Body, body: Body | None = None, parameters: Sequence[Body] = ()
) -> Body:
    """Describe what one HTTP method does at a path.

    Args:
        summary: One sentence for the reader of the reference.
        answer: Schema of the JSON body of the answer.
        body: Schema of the JSON body of the request; None when it has none.
        parameters: OpenAPI parameter objects.

    Returns:
        An OpenAPI operation object.
    """
    described: Body = {
        "summary": summary,
        "responses": {
            "200": {"description": "The request succeeded.", "content": json_of(answer)},
            **refused(ref("schemas", "Error")),
        },
    }
    if body is not None:
        described["requestBody"] = {"required": True, "content": json_of(body)}
    if parameters:
        described["parameters"] = list(parameters)
    return described


def refused(error: Body) -> Body:
    """Describe the responses to a request that is refused, or that cannot be answered now.

    Args:
        error: Schema of their bodies.

    Returns:
        OpenAPI response objects, by status.
    """
    content = json_of(error)
    wait = {"schema": COUNT, "description": "Seconds to wait."}
    return {
        "4XX": {"description": "The request is refused. The body says why.", "content": content},
        "429": {
            "description": "The caller has sent too many requests.",
            "headers": {"Retry-After": wait},
            "content": content,
        },
        "503": {
            "description": "A file of the service cannot be used now: a full disk, or a lock.",
            "content": content,
        },
    }


def in_path(*names: str) -> list[Body]:
    """Describe the parameters in a path.

    Args:
        *names: Their names, in order. Each is a key of ``IN_PATHS``.

    Returns:
        OpenAPI parameter objects.
    """
    place = {"in": "path", "required": True, "schema": TEXT}
    return [{"name": name, "description": IN_PATHS[name], **place} for name in names]


def in_query(name: str, schema: Body) -> Body:
    """Describe a parameter of the URL.

    Args:
        name: Its name.
        schema: Schema of its value. Items of a list are joined by commas.

    Returns:
        An OpenAPI parameter object.
    """
    parameter: Body = {"name": name, "in": "query", "schema": schema}
    if "description" in schema:
        parameter["description"] = schema["description"]
    if is_list(schema):
        parameter |= {"style": "form", "explode": False}
    return parameter


def is_list(schema: Body) -> bool:
    """Tell whether a value may be a list.

    Args:
        schema: JSON schema of the value.

    Returns:
        Whether it, or one of its alternatives, is a list.
    """
    return any(one.get("type") == "array" for one in (schema, *schema.get("anyOf", ())))
