"""Pages of HTTP APIs, from the OpenAPI documents that the services publish."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docs_build.markdown import code, number, sentence, table
from rehearsal.network import openapi as network
from rehearsal.node import drug_genes, phenopackets
from rehearsal.node import openapi as node
from rehearsal.node.alerts import openapi as alerts
from rehearsal.node.fair_data_point import FILE, FairDataPoint
from rehearsal.node.scoring import openapi as scoring
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes.endpoints import WesEndpoints
from rehearsal.web.openapi import in_path

Body = dict[str, Any]

FAIR_DATA_POINT = ("/fdp", "/fdp/catalog", "/fdp/dataset/{id}")
MEDIA_TYPES = ("text/turtle", "application/ld+json")
METHODS = ("get", "post", "put", "delete")
MOST_LEVELS = 8  # of fields inside fields


def node_document() -> Body:
    """Build the OpenAPI document of a node, as it serves it, without the data of a run."""
    settings = NodeSettings.for_country("FI", "Finland")
    flags = {"/drug_flags/{id}": {"parameters": in_path("id"), "get": drug_genes.described()}}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / FILE
        file.parent.mkdir()
        texts = dict.fromkeys(MEDIA_TYPES, "")
        documents = {"base": "", "documents": dict.fromkeys(FAIR_DATA_POINT, texts)}
        file.write_text(json.dumps(documents))
        metadata = FairDataPoint(Path(folder)).paths()
    packets = {phenopackets.PATH: {"get": phenopackets.described()}}
    wes = WesEndpoints.paths()
    apis = [scoring.paths(), flags, packets, alerts.paths(), metadata, wes]
    return node.description(settings, apis)


def network_document() -> Body:
    """Build the OpenAPI document of the network, as it serves it."""
    return network.description()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    path: str
    method: str
    summary: str
    parameters: tuple[Body, ...]  # references resolved
    content: Body  # of the request's body, by media type; empty: it has none
    responses: Body  # by status

    @property
    def name(self) -> str:
        """The method and the path, as a request line starts."""
        return f"{self.method.upper()} {self.path}"

    @property
    def shape(self) -> str:
        """All but path, summary and steps of the path: what equal operations have in common."""
        parameters = [one for one in self.parameters if one["in"] != "path"]
        return json.dumps([self.method, parameters, self.content, self.responses], sort_keys=True)


def http_page(title: str, introduction: str, document: Body) -> str:
    """Write the page of one service.

    Args:
        title: The heading of the page.
        introduction: Markdown text below the heading.
        document: The OpenAPI 3.1 document of the service.

    Returns:
        Markdown text: a table of all paths, then every operation. Operations that differ in
        nothing but their path share a section.
    """
    every = list(_operations(document))
    groups: dict[str, list[Operation]] = {}
    for one in every:
        groups.setdefault(one.shape, []).append(one)
    parts = [f"# {title}\n", introduction.strip() + "\n", "## All paths\n"]
    anchors = {one.name: _anchor(group[0]) for group in groups.values() for one in group}
    rows = [(f"[{code(one.name)}](#{anchors[one.name]})", one.summary) for one in every]
    parts.append(table(["request", "answer"], rows))
    for group in groups.values():
        parts += _section(group)
    return "\n".join(parts)


def _anchor(operation: Operation) -> str:
    steps = "".join(one if one.isalnum() else "-" for one in operation.path)
    return f"{operation.method}{steps}".rstrip("-").lower()


def _operations(document: Body) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            described = item[method]
            given = [*item.get("parameters", ()), *described.get("parameters", ())]
            yield Operation(
                path,
                method,
                sentence(described["summary"]),
                tuple(_resolved(one, document) for one in given),
                _resolved(described.get("requestBody", {}).get("content", {}), document),
                _resolved(described["responses"], document),
            )


def _resolved(part: Any, document: Body) -> Any:
    """A part of a document with what its references stand for in their places."""
    if isinstance(part, list):
        return [_resolved(one, document) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        found: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return _resolved(found, document)
    return {key: _resolved(one, document) for key, one in part.items()}


def _section(group: Sequence[Operation]) -> Iterator[str]:
    first = group[0]
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    yield f"## {code(first.name)}{more} {{ #{_anchor(first)} }}\n"
    if more:
        yield "These requests take the same parameters and have the same answers:\n"
        yield "".join(f"- {code(one.name)}: {one.summary}\n" for one in group)
    else:
        yield first.summary + "\n"
    parameters = list({one["name"]: one for each in group for one in each.parameters}.values())
    if parameters:
        yield "**Parameters**\n"
        yield table(["name", "in", "type", "meaning"], [_parameter(one) for one in parameters])
    if first.content:
        yield f"**Body** ({', '.join(map(code, first.content))})\n"
        yield _fields_table(next(iter(first.content.values()))["schema"])
    yield "**Responses**\n"
    yield table(["status", "meaning", "content"], list(_responses(first.responses)))
    for status in [one for one in ("200", "202") if one in first.responses][:1]:
        content = first.responses[status].get("content", {})
        schema: Body = next(iter(content.values()), {"schema": {}})["schema"]
        fields = _fields_table(schema)
        if fields:
            yield f"**Fields of the answer {status}**\n"
            yield fields


def _parameter(one: Body) -> tuple[str, str, str, str]:
    schema = one["schema"]
    name = code(one["name"]) + (" (required)" if one.get("required") else "")
    return name, one["in"], _type(schema), _meaning({**schema, **_description(one)})


def _description(one: Body) -> Body:
    return {"description": one["description"]} if one.get("description") else {}


def _responses(responses: Body) -> Iterator[tuple[str, str, str]]:
    for status, one in responses.items():
        content = ", ".join(map(code, one.get("content", {})))
        yield code(status), sentence(one["description"]), content


def _fields_table(schema: Body) -> str:
    rows = list(dict.fromkeys(_fields(schema, "")))
    return table(["field", "type", "meaning"], rows) if rows else ""


def _fields(schema: Body, prefix: str, level: int = 0) -> Iterator[tuple[str, str, str]]:
    """The fields of an object, those inside them with dotted names; ``[]`` is an entry of a list
    and ``{}`` a value of a mapping."""
    if level > MOST_LEVELS:
        return
    for one in _alternatives(schema):
        for name, field in one.get("properties", {}).items():
            place = f"{prefix}{name}"
            required = " (required)" if name in one.get("required", ()) else ""
            yield code(place) + required, _type(field), _meaning(field)
            yield from _fields(field, f"{place}.", level + 1)
        if "items" in one:
            yield from _fields(one["items"], f"{prefix.removesuffix('.')}[].", level + 1)
        if isinstance(one.get("additionalProperties"), Mapping):
            below = f"{prefix.removesuffix('.')}{{}}."
            yield from _fields(one["additionalProperties"], below, level + 1)


def _alternatives(schema: Body) -> list[Body]:
    """The schemas that a value may have, null left out."""
    given = schema.get("anyOf", [schema])
    return [one for one in given if one.get("type") != "null"]


def _type(schema: Body) -> str:
    names = [_one_type(one) for one in _alternatives(schema)]
    if any(one.get("type") == "null" for one in schema.get("anyOf", ())):
        names.append("null")
    return " or ".join(dict.fromkeys(name for name in names if name)) or "any"


def _one_type(schema: Body) -> str:
    if "enum" in schema:
        return ", ".join(code(one) for one in schema["enum"])
    kind = schema.get("type")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"array of {_type(schema['items'])}" if "items" in schema else "array"
    return kind or ""


def _meaning(schema: Body) -> str:
    """What a value means and which values it may have, in sentences."""
    alternatives = _alternatives(schema)
    texts = [schema.get("description", ""), *(one.get("description", "") for one in alternatives)]
    texts += [_kind(one) for one in alternatives]
    texts += [_limits(one) for one in alternatives]
    if schema.get("default") not in (None, [], {}):
        texts.append(f"Default: {code(schema['default'])}")
    examples: list[Any] = next(
        (one["examples"] for one in (schema, *alternatives) if "examples" in one), []
    )
    if examples:
        texts.append(f"Example: {', '.join(map(code, examples))}")
    unique = dict.fromkeys(sentence(text.replace("``", "`")) for text in texts if text)
    return " ".join(unique)


def _kind(schema: Body) -> str:
    """The title of a text with a pattern, which says in words what the pattern wants."""
    return schema.get("title", "") if "pattern" in schema else ""


def _limits(schema: Body) -> str:
    """The smallest and the largest value, or the longest text or list."""
    if schema.get("maxItems") == 1 == schema.get("minItems"):
        return "one entry"
    words = {
        "minimum": "at least {}",
        "exclusiveMinimum": "above {}",
        "maximum": "at most {}",
        "exclusiveMaximum": "below {}",
        "maxItems": "at most {} entries",
        "maxLength": "at most {} characters",
    }
    found = [
        text.format(number(schema[key]))
        for key, text in words.items()
        if key in schema and schema[key] < 2**53 and (key, schema[key]) != ("minimum", 0)
    ]
    if schema.get("minItems", 0) > 0:
        found.insert(
            0, f"at least {'one entry' if schema['minItems'] == 1 else schema['minItems']}"
        )
    return ", ".join(found)
