"""Requests read by typed models: decoding validates, and an error names the place in the request.

A model is a :class:`RequestModel`, or an annotated type of its fields. Its OpenAPI description
comes from :func:`rehearsal.web.openapi.schema_of` and :func:`~rehearsal.web.openapi.request_body`.
What concerns several fields of a model is checked in its ``__post_init__``, which raises
ValueError with a message that names expected and found.

A text with a pattern must not be one choice of a field of which a list or a dictionary is another:
msgspec 0.22 takes the pattern for the list's type when garbage is collected, and crashes at times.
A test looks through all models for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated, Any, TypeVar

import msgspec
import orjson
from msgspec import Meta

from rehearsal.errors import shown
from rehearsal.web.model_errors import WHOLE_BODY, explain, no_json
from rehearsal.web.openapi import END_IN_PYTHON, is_list, schema_of
from rehearsal.web.problem import Problem

T = TypeVar("T")


class RequestModel(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """An object in a request. Keys are its fields' names in camelCase; unknown ones are refused.

    A model of a standard that lets others add keys says ``forbid_unknown_fields=False``.
    """


def whole(pattern: str) -> str:
    """A pattern for ``Meta`` that a whole text matches, nothing before or behind it."""
    return f"^(?:{pattern}){END_IN_PYTHON}"


Term = Annotated[
    str,
    Meta(pattern=whole(r"[A-Za-z][A-Za-z0-9]*:[^\s:%]+"), title="a term", examples=["ICD10:I25.1"]),
]


class _Reader:
    """What is worked out once of a model. ``parameters``: its keys; ``lists``: those of lists."""

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


def decode_body(body: bytes, model: type[T]) -> T:
    """The model that a JSON body makes.

    Raises Problem (400) that names the place in the document, what was expected there and what
    was found; also for a body that is no JSON.
    """
    try:
        return _reader(model).decoder.decode(body)
    except msgspec.ValidationError as error:
        fault = error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise no_json(error) from None
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise no_json(error) from None
    raise explain(fault, document, model, WHOLE_BODY)


def convert_values(values: Any, model: type[T], *, within: str = "", from_text: bool = False) -> T:
    """The same from values that were read already.

    ``within``: the place of the values in the request. ``from_text``: numbers may be written as
    text. Raises Problem (400) as :func:`decode_body` does.
    """
    try:
        return msgspec.convert(values, model, strict=not from_text)
    except msgspec.ValidationError as error:
        raise explain(error, values, model, within or "the request", within) from None


def decode_parameters(pairs: Iterable[tuple[str, str]], model: type[T]) -> T:
    """The model that a URL's parameters make: one parameter a field, lists joined by commas.

    Raises Problem (400) that names the parameter, what was expected of it and what was found.
    """
    reader = _reader(model)
    values = collect_parameters(pairs, reader.parameters, reader.lists)
    return convert_values(values, model, from_text=True)


def collect_parameters(
    pairs: Iterable[tuple[str, str]], known: Collection[str], lists: Collection[str]
) -> dict[str, str | list[str]]:
    """A URL's parameters by name. ``lists``: those that are lists, and may be given repeatedly.

    Raises Problem (400) for a parameter that is not known, and for one that is given twice.
    """
    values: dict[str, str | list[str]] = {}
    for name, value in pairs:
        if name not in known:
            raise Problem(f"unknown parameter {shown(name)}; known are {', '.join(sorted(known))}")
        if name in lists:
            before = values.get(name, [])
            values[name] = [*before, *(one for one in value.split(",") if one)]
        elif name in values:
            raise Problem(f"{name} is given twice")
        else:
            values[name] = value
    return values
