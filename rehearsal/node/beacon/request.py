"""One typed request, sent by GET or POST."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from rehearsal.errors import shown
from rehearsal.model import Granularity
from rehearsal.node.beacon.assemblies import GRCH37, assembly_of
from rehearsal.node.beacon.entry_types import API_VERSION
from rehearsal.node.beacon.filters import (
    Filter,
    TermFilter,
    fault_of_term,
    parse_filters,
    split_effects,
)
from rehearsal.node.beacon.known_clients import (
    SCOPE,
    TERM_AS_VALUE,
    Addition,
    additions_around,
    additions_in,
)
from rehearsal.node.beacon.request_models import (
    BeaconQuery,
    FilterObject,
    Include,
    Pagination,
    Query,
    QueryOptions,
    RequestedSchema,
    RequestMeta,
    RequestParameters,
    whole_number,
)
from rehearsal.node.beacon.variant_queries import (
    VariantQuery,
    make_variant_query,
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
URL_LISTS = frozenset({"start", "end", "filters", "datasets", "datasetIds"})
META_PARAMETERS = frozenset({"apiVersion", "requestedSchemas", "requestedSchema"})
URL_LISTS |= {"requestedSchemas", "requestedSchema"}

# defaults for parts missing in a request
NO_META, NO_QUERY, NO_PAGE = RequestMeta(), Query(), Pagination()
NO_PARAMETERS = RequestParameters()


@dataclass(frozen=True, slots=True)
class BeaconRequest:
    """A parsed request."""

    api_version: str = API_VERSION  # of the request; that of the service when none is stated
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
    assembly: str | None = None  # GRCh38 or GRCh37, of the positions; None: not stated
    stated_limit: int | None = None  # the limit as sent
    warnings: tuple[str, ...] = ()  # how parts that are not of the standard were read

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
    sent = list(pairs)
    values = collect_parameters(sent, URL_PARAMETERS, URL_LISTS)
    if values.get("filters") == []:  # not to be read as everybody
        raise Problem.mismatch("filters", "at least one filter", "none")
    for name, text in sent:
        if name in URL_LISTS:
            _check_items(name, text)
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


def check_informational(pairs: Iterable[tuple[str, str]]) -> None:
    """Check the parameters of an endpoint that takes no query.

    Args:
        pairs: Names and values, in the order of the URL.

    Raises:
        Problem: A parameter is unknown, belongs to a query or is invalid (400).
    """
    sent = list(pairs)
    collect_parameters(sent, META_PARAMETERS, URL_LISTS)
    parse_query_string(sent)


def _check_items(name: str, text: str) -> None:
    """Refuse empty items of a list in one text: something was meant there. Raises Problem."""
    if "" in text.split(","):
        raise Problem.mismatch(name, "no empty item between commas", shown(text))


def page_of_terms(request: BeaconRequest) -> slice:
    """Find which of the filtering terms a request asks for: without a limit, all are one page.

    Args:
        request: The request.

    Returns:
        Their numbers.

    Raises:
        Problem: The request has a query, which would not narrow the terms (400).
    """
    given = {
        "filters": request.filters,
        "requestParameters": request.parameters,
        "datasets": request.datasets,
    }
    if found := [name for name, value in given.items() if value]:
        expected = "no query, as all terms are listed"
        raise Problem.mismatch("filtering_terms", expected, ", ".join(found))
    if not request.stated_limit:
        return slice(0 if request.skip else None)
    return slice(request.first, request.first + request.limit)


def _converted(
    parts: Mapping[type[RequestModel], dict[str, Any]], model: type[Model], default: Model
) -> Model:
    return convert_values(parts[model], model) if model in parts else default


def parse_body(body: bytes) -> BeaconRequest:
    """Parse the body of a POST.

    Args:
        body: JSON, UTF-8. A body without content queries everything.

    Returns:
        The request.

    Raises:
        Problem: The body is not JSON or not a valid request (400).
    """
    sent = decode_body(body, BeaconQuery) if body.strip() else BeaconQuery()
    meta, query = sent.meta or NO_META, sent.query or NO_QUERY
    around = additions_around(sent)
    if around:
        meta, query = _gathered(sent, meta, query)
    request = _request(
        meta, query, query.pagination or NO_PAGE, query.request_parameters or NO_PARAMETERS
    )
    if not around:
        return request
    noted = (one.warning for one in around)
    return replace(request, warnings=(*noted, *request.warnings))


def _gathered(sent: BeaconQuery, meta: RequestMeta, query: Query) -> tuple[RequestMeta, Query]:
    """Move what some clients put elsewhere to where the standard has it. Raises Problem."""
    for name in ("requested_granularity", "pagination", "filters"):
        query = _moved(getattr(sent, name), query, name, "beside query and in it")
    for given in (query.requested_schemas, sent.requested_schemas):
        meta = _moved(given, meta, "requested_schemas", "in meta and elsewhere")
    return meta, query


def _moved(given: Any, model: Model, name: str, twice: str) -> Model:
    if given is None:
        return model
    if getattr(model, name) is not None:
        key = model.__struct_encode_fields__[model.__struct_fields__.index(name)]
        raise Problem.mismatch(key, "one value", f"values {twice}")
    return msgspec.structs.replace(model, **{name: given})


def _request(
    meta: RequestMeta, options: QueryOptions, page: Pagination, parameters: RequestParameters
) -> BeaconRequest:
    limit = whole_number("limit", page.limit)
    skip = whole_number("skip", page.skip) or 0
    variants = parameters.variants()
    sent = variants.sent()
    if isinstance(options.filters, str):
        _check_items("filters", options.filters)
    sent_filters, effects = split_effects(options.filters)
    filters = parse_filters(sent_filters)
    assembly = assembly_of(variants)
    query = make_variant_query(variants, sent.keys(), assembly == GRCH37)
    return BeaconRequest(
        api_version=_api_version(meta.api_version),
        granularity=options.requested_granularity,
        include=options.include_resultset_responses or "HIT",
        skip=min(skip, 2**31),
        limit=DEFAULT_LIMIT if limit is None else min(limit or MAX_LIMIT, MAX_LIMIT),
        test_mode=options.test_mode in (True, "true"),
        filters=filters,
        variants=with_effects(query, effects) if effects else query,
        datasets=parameters.named_datasets(),
        requested_schemas=tuple(map(_schema, meta.requested_schemas or ())),
        parameters=sent,
        assembly=assembly,
        stated_limit=limit,
        warnings=_warnings(
            additions_in(meta, page, parameters, variants, sent), sent_filters, filters
        ),
    )


def _warnings(
    additions: tuple[Addition, ...],
    sent: Sequence[FilterObject | str],
    filters: tuple[Filter, ...],
) -> tuple[str, ...]:
    """Say how parts that are not of the standard were read. Most requests have none."""
    if not additions and not sent:
        return ()
    noted = (*additions, *_scoped(sent))
    return (*(one.warning for one in noted), *_of_filters(filters))


def _scoped(sent: Iterable[FilterObject | str]) -> Iterator[Addition]:
    """Yield a note if a filter for people has the scope of their samples, runs or analyses."""
    scopes = {one.scope for one in sent if isinstance(one, FilterObject)}
    if scopes - {None, "individual", "individuals"}:
        yield SCOPE


def _of_filters(filters: tuple[Filter, ...]) -> list[str]:
    terms = [one for one in filters if isinstance(one, TermFilter)]
    notes = [TERM_AS_VALUE.warning] if [one for one in terms if one.field] else []
    for one in terms:
        if fault := fault_of_term(one.id):
            notes.append(f"filters: {one.id} {fault}")
    return notes


def _api_version(sent: str | float | None) -> str:
    if sent is None:
        return API_VERSION
    text = str(sent)
    if text.removeprefix("v").partition(".")[0] != "2" or len(text) > 20:
        raise Problem.mismatch("apiVersion", "version 2 of the Beacon API, like v2.0", shown(sent))
    return text


def _schema(sent: RequestedSchema | str) -> dict[str, str]:
    """Return a schema for the answer's meta. A schema named by a text has no entity type."""
    if isinstance(sent, str):
        return {"schema": sent}
    return msgspec.to_builtins(msgspec.structs.replace(sent, schema_colon=UNSET))
