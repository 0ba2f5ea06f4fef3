"""A Beacon query as the parameters of a GET and as the body of a POST, each made of the other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rehearsal.errors import mismatch, shown

OPTIONS = ("requestedGranularity", "includeResultsetResponses", "testMode")
PAGE = ("skip", "limit")
LISTS = ("start", "end", "datasets", "datasetIds")
COMPARISON = re.compile("(?P<id>[^<>=!]+)(?P<operator><=|>=|[<>=!])(?P<value>.*)")


class PostOnlyError(ValueError):
    """A request that only a POST can express."""


def as_get_parameters(request: dict[str, Any]) -> dict[str, str]:
    """Convert a Beacon v2 request body to the parameters of a GET. Lists are joined by commas.

    Args:
        request: The JSON body.

    Returns:
        Parameters by name.

    Raises:
        ValueError: A filter uses similarity or excludes descendants, which a GET cannot express.
    """
    query = request.get("query") or {}
    parameters: dict[str, Any] = dict(query.get("requestParameters") or {})
    parameters |= parameters.pop("g_variant", None) or {}
    parameters |= query.get("pagination") or {}
    for key in OPTIONS:
        if key in query:
            parameters[key] = query[key]
    if filters := query.get("filters"):
        parameters["filters"] = [_filter_text(item) for item in filters]
    return {key: _text(value) for key, value in parameters.items()}


def _filter_text(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    exact = item.get("includeDescendantTerms") is False
    if exact or item.get("similarity", "exact") != "exact":
        where, expected = f"filter {shown(item.get('id'))}", "an exact match with descendants"
        raise ValueError(mismatch(where, expected, "another way to match"))
    return f"{item['id']}{item.get('operator', '')}{item.get('value', '')}"


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(_text(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def without_empty_parameters(request: dict[str, Any]) -> dict[str, Any]:
    """Leave out ``requestParameters`` without content, which some Beacons refuse.

    Args:
        request: The JSON body.
    """
    query = request.get("query")
    if not isinstance(query, dict) or query.get("requestParameters") != {}:
        return request
    kept = {key: value for key, value in query.items() if key != "requestParameters"}
    return {**request, "query": kept}


def as_request_body(parameters: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Convert the parameters of a GET to a Beacon v2 request body.

    Args:
        parameters: Names and values.

    Returns:
        The JSON body. Values that are no numbers where there should be some stay text.
    """
    given = dict(parameters)
    filters, options, page = (_part(given, keys) for keys in (("filters",), OPTIONS, PAGE))
    texts = filters.get("filters", "").split(",")
    query: dict[str, Any] = {key: _value(text) for key, text in options.items()}
    if page:
        query["pagination"] = {key: _value(text) for key, text in page.items()}
    query["filters"] = [_filter(text) for text in texts if text]
    others = given.keys() - filters.keys() - options.keys() - page.keys()
    query["requestParameters"] = {key: _parameter(key, given[key]) for key in sorted(others)}
    return without_empty_parameters({"meta": {"apiVersion": "2.0"}, "query": query})


def _part(given: dict[str, str], keys: Iterable[str]) -> dict[str, str]:
    return {key: given[key] for key in keys if key in given}


def _parameter(key: str, text: str) -> Any:
    """Read a parameter. The name of a contig is text, even if it is a number."""
    if key in LISTS:
        return [_value(one) for one in text.split(",")]
    return _value(text) if key.endswith("Length") else text


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch("-?[0-9]{1,19}", text) else text


def _filter(text: str) -> dict[str, str]:
    comparison = COMPARISON.fullmatch(text)
    return comparison.groupdict() if comparison else {"id": text}
