"""One typed request, whether it came as GET or as POST."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from rehearsal.model import Granularity
from rehearsal.node.beacon.filters import Filter, parse_filters
from rehearsal.node.beacon.variant_queries import (
    PARAMETERS,
    VariantQuery,
    variant_query,
    whole_number,
)
from rehearsal.web.problem import Problem, shown

Include = Literal["ALL", "HIT", "MISS", "NONE"]

GRANULARITIES: tuple[Granularity, ...] = ("boolean", "count", "record")
INCLUDES: tuple[Include, ...] = ("ALL", "HIT", "MISS", "NONE")
DEFAULT_LIMIT = 10
MAX_LIMIT = 1000  # records on a page; a limit of 0 means so many

BODY_KEYS = frozenset({"$schema", "meta", "query"})
META_KEYS = frozenset({"$schema", "apiVersion", "requestedSchemas"})
QUERY_KEYS = frozenset(
    {"filters", "includeResultsetResponses", "pagination", "requestParameters"}
    | {"requestedGranularity", "testMode"}
)
PAGE_KEYS = frozenset({"skip", "limit", "currentPage", "nextPage", "previousPage"})
GET_KEYS = PARAMETERS | META_KEYS | {"requestedSchema", "skip", "limit", "datasets"}
GET_KEYS |= QUERY_KEYS - {"pagination", "requestParameters"}
LISTS = frozenset({"start", "end", "filters", "datasets", "requestedSchemas", "requestedSchema"})


@dataclass(frozen=True, slots=True)
class BeaconRequest:
    """A request as it was understood. ``skip`` and ``limit`` are pages and records a page.

    ``granularity`` is None where the request left it open. ``datasets`` is empty for "those that
    usually answer". ``summary`` is what the answer's meta repeats of it.
    """

    api_version: str = "v2.0"
    granularity: Granularity | None = None
    include: Include = "HIT"
    skip: int = 0
    limit: int = DEFAULT_LIMIT
    test_mode: bool = False
    filters: tuple[Filter, ...] = ()
    variants: VariantQuery | None = None
    datasets: tuple[str, ...] = ()
    requested_schemas: tuple[dict[str, str], ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def first(self) -> int:
        """The number of records before this page."""
        return self.skip * self.limit


def from_query_string(pairs: Iterable[tuple[str, str]]) -> BeaconRequest:
    """The request that a GET's parameters make. Raises Problem."""
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key not in GET_KEYS:
            raise Problem(f"unknown parameter {shown(key)}")
        if key in LISTS:
            values.setdefault(key, []).extend(item for item in value.split(",") if item)
        elif key in values:
            raise Problem(f"{key} is given twice")
        else:
            values[key] = value
    schemas = [*values.get("requestedSchemas", ()), *values.get("requestedSchema", ())]
    parameters = {key: values[key] for key in values if key in PARAMETERS}
    return _request(
        meta={"apiVersion": values.get("apiVersion"), "requestedSchemas": schemas},
        query={key: values[key] for key in values if key in QUERY_KEYS},
        page=values,
        parameters={**parameters, "datasets": values.get("datasets")},
    )


def from_body(body: bytes) -> BeaconRequest:
    """The request in a POST's body; an empty body asks for everything. Raises Problem."""
    try:
        document = orjson.loads(body) if body.strip() else {}
    except orjson.JSONDecodeError as error:
        raise Problem(f"the body is no JSON: {error}") from None
    document = _mapping("the body", document, BODY_KEYS)
    query = _mapping("query", document.get("query"), QUERY_KEYS)
    parameters = _mapping("requestParameters", query.get("requestParameters"), None)
    nested = _mapping("requestParameters.g_variant", parameters.pop("g_variant", None), PARAMETERS)
    twice = set(nested) & set(parameters)
    if twice:
        raise Problem(f"requestParameters: {', '.join(sorted(twice))} is given twice")
    parameters = _mapping(
        "requestParameters", {**parameters, **nested}, PARAMETERS | {"datasets", "$schema"}
    )
    return _request(
        meta=_mapping("meta", document.get("meta"), META_KEYS),
        query=query,
        page=_mapping("query.pagination", query.get("pagination"), PAGE_KEYS),
        parameters=parameters,
    )


def _mapping(name: str, value: Any, known: frozenset[str] | None) -> dict[str, Any]:
    """A JSON object with known keys only; an absent one is empty."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Problem(f"{name}: an object, not {shown(value)}")
    if known is not None and not value.keys() <= known:
        strangers = value.keys() - known
        raise Problem(f"{name}: unknown {', '.join(shown(key) for key in sorted(strangers))}")
    return dict(value)


def _request(
    meta: Mapping[str, Any],
    query: Mapping[str, Any],
    page: Mapping[str, Any],
    parameters: Mapping[str, Any],
) -> BeaconRequest:
    limit = whole_number(page, "limit")
    skip = whole_number(page, "skip") or 0
    return BeaconRequest(
        api_version=_api_version(meta.get("apiVersion")),
        granularity=_choice(query, "requestedGranularity", GRANULARITIES),
        include=_choice(query, "includeResultsetResponses", INCLUDES) or "HIT",
        skip=min(skip, 2**31),
        limit=DEFAULT_LIMIT if limit is None else min(limit or MAX_LIMIT, MAX_LIMIT),
        test_mode=_truth(query, "testMode"),
        filters=parse_filters(query.get("filters")),
        variants=variant_query(parameters),
        datasets=_datasets(parameters.get("datasets")),
        requested_schemas=_schemas(meta.get("requestedSchemas")),
        parameters={key: parameters[key] for key in parameters if key in PARAMETERS},
    )


def _api_version(value: Any) -> str:
    if value is None:
        return "v2.0"
    text = f"{value}" if isinstance(value, str | int | float) else ""
    if text.removeprefix("v").partition(".")[0] != "2" or len(text) > 20:
        raise Problem(f"apiVersion {shown(value)}: this is a Beacon of version 2")
    return text


def _choice(query: Mapping[str, Any], key: str, known: tuple[Any, ...]) -> Any:
    value = query.get(key)
    if value is not None and value not in known:
        raise Problem(f"{key} {shown(value)} is none of {', '.join(known)}")
    return value


def _truth(query: Mapping[str, Any], key: str) -> bool:
    value = query.get(key, False)
    value = {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    if not isinstance(value, bool):
        raise Problem(f"{key}: true or false, not {shown(value)}")
    return value


def _datasets(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Problem("datasets: a list of identifiers")
    return tuple(value)


def _schemas(value: Any) -> tuple[dict[str, str], ...]:
    """Schemas by name, as objects; the default one answers for any that is not known."""
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > 100:
        raise Problem("requestedSchemas: a list")
    found = []
    for item in value:
        item = {"schema": item} if isinstance(item, str) else item
        if not isinstance(item, dict) or not all(
            key in ("entityType", "schema") and isinstance(text, str) for key, text in item.items()
        ):
            raise Problem("requestedSchemas: objects with entityType and schema")
        found.append(item)
    return tuple(found)
