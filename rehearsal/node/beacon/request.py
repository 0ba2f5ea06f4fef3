"""One typed request, sent by GET or POST."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from rehearsal.errors import shown
from rehearsal.model import Granularity
from rehearsal.node.beacon.filters import Filter, parse_filters, split_effects
from rehearsal.node.beacon.request_models import (
    BeaconQuery,
    Include,
    Pagination,
    Query,
    QueryOptions,
    RequestedSchema,
    RequestMeta,
    RequestParameters,
)
from rehearsal.node.beacon.variant_queries import (
    VariantQuery,
    make_variant_query,
    whole_number,
    with_effects,
)
from rehearsal.web.problem import Problem
from rehearsal.web.request_models import (
    RequestModel,
    collect_parameters,
    convert_values,
    decode_body,
)

Model = TypeVar("Model", bound=RequestModel)

DEFAULT_API_VERSION = "v2.0"
DEFAULT_LIMIT = 10
MAX_LIMIT = 1000  # most records per page, also for a limit of 0

# the models that read a GET's parameters, each its own
URL_MODELS: tuple[type[RequestModel], ...] = (
    RequestMeta,
    QueryOptions,
    Pagination,
    RequestParameters,
)
MODEL_OF_PARAMETER = {
    name: model for model in URL_MODELS for name in model.__struct_encode_fields__
}
del MODEL_OF_PARAMETER["g_variant"]
URL_PARAMETERS = MODEL_OF_PARAMETER.keys() | {"requestedSchema"}
URL_LISTS = frozenset({"start", "end", "filters", "datasets"})
URL_LISTS |= {"requestedSchemas", "requestedSchema"}

# defaults for parts missing in a request
NO_META, NO_QUERY, NO_PAGE = RequestMeta(), Query(), Pagination()
NO_PARAMETERS = RequestParameters()


@dataclass(frozen=True, slots=True)
class BeaconRequest:
    """A parsed request."""

    api_version: str = DEFAULT_API_VERSION
    granularity: Granularity | None = None  # None when not requested
    include: Include = "HIT"
    skip: int = 0  # pages
    limit: int = DEFAULT_LIMIT  # records per page
    test_mode: bool = False
    filters: tuple[Filter, ...] = ()
    variants: VariantQuery | None = None
    datasets: tuple[str, ...] = ()  # identifiers; empty: the default datasets
    requested_schemas: tuple[dict[str, str], ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)  # of variants, as sent

    @property
    def first(self) -> int:
        """The number of records before this page."""
        return self.skip * self.limit


def parse_query_string(pairs: Iterable[tuple[str, str]]) -> BeaconRequest:
    """Parse the parameters of a GET.

    Args:
        pairs: Names and values, in the order of the URL.

    Returns:
        The request.

    Raises:
        Problem: A parameter is unknown or invalid (400).
    """
    values = collect_parameters(pairs, URL_PARAMETERS, URL_LISTS)
    if "requestedSchema" in values:
        values["requestedSchemas"] = [
            *values.get("requestedSchemas", ()),
            *values.pop("requestedSchema"),
        ]
    parts: dict[type[RequestModel], dict[str, Any]] = {}
    for name, value in values.items():
        parts.setdefault(MODEL_OF_PARAMETER[name], {})[name] = value
    return _request(
        _converted(parts, RequestMeta, NO_META),
        _converted(parts, QueryOptions, NO_QUERY),
        _converted(parts, Pagination, NO_PAGE),
        _converted(parts, RequestParameters, NO_PARAMETERS),
    )


def _converted(
    parts: Mapping[type[RequestModel], dict[str, Any]], model: type[Model], default: Model
) -> Model:
    return convert_values(parts[model], model) if model in parts else default


def parse_body(body: bytes) -> BeaconRequest:
    """Parse the body of a POST.

    Args:
        body: JSON, UTF-8. An empty body queries everything.

    Returns:
        The request.

    Raises:
        Problem: The body is not JSON or not a valid request (400).
    """
    is_empty = body.strip() in (b"", b"null")
    sent = BeaconQuery() if is_empty else decode_body(body, BeaconQuery)
    query = sent.query or NO_QUERY
    return _request(
        sent.meta or NO_META,
        query,
        query.pagination or NO_PAGE,
        query.request_parameters or NO_PARAMETERS,
    )


def _request(
    meta: RequestMeta, options: QueryOptions, page: Pagination, parameters: RequestParameters
) -> BeaconRequest:
    limit = whole_number("limit", page.limit)
    skip = whole_number("skip", page.skip) or 0
    variants = parameters.variants()
    sent = variants.sent()
    filters, effects = split_effects(options.filters)
    query = make_variant_query(variants, sent.keys())
    return BeaconRequest(
        api_version=_api_version(meta.api_version),
        granularity=options.requested_granularity,
        include=options.include_resultset_responses or "HIT",
        skip=min(skip, 2**31),
        limit=DEFAULT_LIMIT if limit is None else min(limit or MAX_LIMIT, MAX_LIMIT),
        test_mode=options.test_mode in (True, "true"),
        filters=parse_filters(filters),
        variants=with_effects(query, effects) if effects else query,
        datasets=parameters.datasets or (),
        requested_schemas=tuple(map(_schema, meta.requested_schemas or ())),
        parameters=sent,
    )


def _api_version(sent: str | float | None) -> str:
    if sent is None:
        return DEFAULT_API_VERSION
    text = str(sent)
    if text.removeprefix("v").partition(".")[0] != "2" or len(text) > 20:
        raise Problem.mismatch("apiVersion", "version 2 of the Beacon API, like v2.0", shown(sent))
    return text


def _schema(sent: RequestedSchema | str) -> dict[str, str]:
    """Return a schema for the answer's meta. A schema named by a text has no entity type."""
    return {"schema": sent} if isinstance(sent, str) else msgspec.to_builtins(sent)
