"""Read requests by typed models. Decoding validates, and an error names the place in the request.

A model is a :class:`RequestModel`, or an annotated type of its fields. Its OpenAPI description
comes from :func:`rehearsal.web.openapi.schema_of` and :func:`~rehearsal.web.openapi.request_body`.
A model checks conditions on several fields in its ``__post_init__``. It raises
:class:`rehearsal.web.model_errors.ModelError` with what it expected and what it found. The place
in the request is added here.

A field must not allow both text with a pattern and a list or a dictionary: during garbage
collection, msgspec 0.22 mistakes the pattern for the type of the list and may crash. A test
checks all models for this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated, Any, TypeVar, cast

import msgspec
import orjson
from msgspec import Meta

from rehearsal.errors import shown
from rehearsal.web.model_errors import WHOLE_BODY, explain, no_json
from rehearsal.web.openapi import END_IN_PYTHON, is_list, schema_of
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import MAX_NESTING, check_keys, check_nesting

T = TypeVar("T")


class RequestModel(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """An object in a request. Its keys are the names of the fields in camelCase.

    Unknown keys are refused. A model of a standard that lets others add keys is declared with
    ``forbid_unknown_fields=False``.
    """


def whole(pattern: str) -> str:
    """Build a pattern for ``Meta`` that matches a whole text only.

    Args:
        pattern: A regular expression without anchors.

    Returns:
        The expression between anchors. A line break at the end does not match.
    """
    return f"^(?:{pattern}){END_IN_PYTHON}"


Term = Annotated[
    str,
    Meta(pattern=whole(r"[A-Za-z][A-Za-z0-9]*:[^\s:%]+"), title="a term", examples=["ICD10:I25.1"]),
]


class _Reader:
    """The decoder of a model and the names of its fields, computed once."""

    def __init__(self, model: Any) -> None:
        self.decoder = msgspec.json.Decoder(model)
        properties = schema_of(model).get("properties", {})
        self.parameters = tuple(properties)
        self.lists = frozenset(name for name, one in properties.items() if is_list(one))


_readers: dict[Any, _Reader] = {}


def _reader(model: Any) -> _Reader:
    reader = _readers.get(model)
    if reader is None:
        reader = _readers[model] = _Reader(model)
    return reader


def decode_body(body: bytes, model: type[T], most: int = MAX_NESTING) -> T:
    """Read a JSON body by a model.

    Args:
        body: The body of a request, UTF-8.
        model: The model, or any type that msgspec can decode.
        most: Most lists and objects in the body together.

    Returns:
        An instance of the model.

    Raises:
        Problem: The body is not JSON, has a key twice or does not fit the model (400). The message
            names the place in the body, what was expected there and what was found.
    """
    check_nesting(body, most)
    try:
        values = _reader(model).decoder.decode(body)
    except msgspec.ValidationError as error:
        fault = error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise no_json(error) from None
    else:
        check_keys(body)
        return cast(T, values)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise no_json(error) from None
    raise explain(fault, document, model, WHOLE_BODY)


def convert_values(values: Any, model: type[T], *, within: str = "", from_text: bool = False) -> T:
    """Convert plain Python values to a model.

    Args:
        values: What was read already, for example a dictionary.
        model: The model, or any type that msgspec can convert to.
        within: Place of the values in the request, for messages.
        from_text: Whether numbers may be written as text, as in a URL.

    Returns:
        An instance of the model.

    Raises:
        Problem: The values do not fit the model (400), as in :func:`decode_body`.
    """
    try:
        return msgspec.convert(values, model, strict=not from_text)
    except msgspec.ValidationError as error:
        raise explain(error, values, model, within or "the request", within) from None


def decode_parameters(pairs: Iterable[tuple[str, str]], model: type[T]) -> T:
    """Read the parameters of a URL by a model.

    Args:
        pairs: Names and values, in the order of the URL. Items of lists are joined by commas.
        model: The model. Each of its fields is one parameter.

    Returns:
        An instance of the model.

    Raises:
        Problem: A parameter is unknown, repeated or does not fit the model (400).
    """
    reader = _reader(model)
    values = collect_parameters(pairs, reader.parameters, reader.lists)
    return convert_values(values, model, from_text=True)


def collect_parameters(
    pairs: Iterable[tuple[str, str]], known: Collection[str], lists: Collection[str]
) -> dict[str, str | list[str]]:
    """Collect the parameters of a URL by name.

    Args:
        pairs: Names and values, in the order of the URL.
        known: Names of the allowed parameters.
        lists: Names of those that are lists. They may be repeated.

    Returns:
        The value of each parameter that was given, a list for those in ``lists``.

    Raises:
        Problem: A parameter is unknown, or is repeated without being a list (400).
    """
    values: dict[str, str | list[str]] = {}
    for name, value in pairs:
        if name not in known:
            expected = f"one of the parameters {', '.join(sorted(known))}"
            raise Problem.mismatch("the query string", expected, shown(name))
        if name in lists:
            before = values.get(name, [])
            values[name] = [*before, *(one for one in value.split(",") if one)]
        elif name in values:
            raise Problem.mismatch(name, "one value", "2 values")
        else:
            values[name] = value
    return values
