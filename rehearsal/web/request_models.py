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

import re
from collections.abc import Collection, Iterable
from typing import Annotated, Any, TypeVar

import msgspec
import orjson
from msgspec import Meta

from rehearsal.web.openapi import END_IN_PYTHON, Body, is_list, schema_of
from rehearsal.web.problem import Problem, shown

T = TypeVar("T")

WHOLE_BODY = "the body"
NAMES_OF_TYPES = {
    **dict.fromkeys(("int", "integer"), "a whole number"),
    **dict.fromkeys(("float", "number"), "a number"),
    **dict.fromkeys(("str", "string"), "text"),
    **dict.fromkeys(("bool", "boolean"), "true or false"),
    "array": "a list",
    "object": "an object",
}
COMPARISONS = {">=": "of at least", "<=": "of at most", ">": "above", "<": "below"}
EXPECTED = re.compile(
    r"Expected `([^`]*)`(?: (of length |matching regex )?([<>]=?)?(.*?))?(?:, got.*)?"
)


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
        raise _no_json(error) from None
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _no_json(error) from None
    raise _problem(fault, document, model, WHOLE_BODY)


def convert_values(values: Any, model: type[T], *, within: str = "", from_text: bool = False) -> T:
    """The same from values that were read already.

    ``within``: the place of the values in the request. ``from_text``: numbers may be written as
    text. Raises Problem (400) as :func:`decode_body` does.
    """
    try:
        return msgspec.convert(values, model, strict=not from_text)
    except msgspec.ValidationError as error:
        raise _problem(error, values, model, within or "the request", within) from None


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


# --- what is wrong, in words ---


def _no_json(error: Exception) -> Problem:
    return Problem(f"{WHOLE_BODY} is no JSON: {str(error).splitlines()[0]}")


def _problem(
    error: msgspec.ValidationError, document: Any, model: Any, whole: str, within: str = ""
) -> Problem:
    """The problem that msgspec found in a document, as ``place: expected, not found``.

    ``whole``: what the document is called.
    """
    message, path = _parted(str(error))
    found, choices = _looked_up(path, document, schema_of(model))
    place = f"{within}{path}".removeprefix(".") if path else whole
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", message, re.DOTALL):
        known = [name for one in choices for name in one.get("properties", ())]
        return Problem(f"{place}: unknown {shown(unknown[1])}; known are {', '.join(known)}")
    if missing := re.fullmatch(r"Object missing required field `(.*)`", message):
        return Problem(f"{place}: {missing[1]} is missing")
    expected = _expected(message, choices)
    if expected is None:
        return Problem(f"{place}: {' '.join(message.split())}")
    return Problem(f"{place}: {expected}, not {shown(found)}")


def _parted(message: str) -> tuple[str, str]:
    """What is wrong, and the path at which it is: "" for the whole document."""
    match = re.fullmatch(r"(.*) - at `\$(.*?)`", message, re.DOTALL)
    return (match[1], match[2]) if match else (message, "")


def _looked_up(path: str, document: Any, schema: Body) -> tuple[Any, list[Body]]:
    """The value to which a path leads, and the schemas that it may have."""
    choices = _choices(schema)
    for key, number in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path):
        if key:
            document = document.get(key) if isinstance(document, dict) else None
            below = [one["properties"].get(key) for one in choices if "properties" in one]
        else:
            is_there = isinstance(document, list) and int(number) < len(document)
            document = document[int(number)] if is_there else None
            below = [one.get("items") for one in choices]
        choices = [choice for one in below if one is not None for choice in _choices(one)]
    return document, choices


def _choices(schema: Body) -> list[Body]:
    return [one for one in schema.get("anyOf", (schema,)) if one != {"type": "null"}]


def _expected(message: str, choices: list[Body]) -> str | None:
    """What msgspec expected, in plain words; None for a message of a model's own."""
    match = EXPECTED.fullmatch(message)
    allowed = [str(value) for one in choices for value in one.get("enum", ())]
    if message.startswith("Invalid enum value") or (
        match and allowed and all("enum" in one for one in choices)
    ):
        kinds = [NAMES_OF_TYPES[one["type"]] for one in choices if "type" in one]
        return " or ".join([*kinds, f"one of {', '.join(allowed)}"])
    if match is None:
        return None
    types, measure, relation, limit = match.groups()
    kinds = [NAMES_OF_TYPES.get(one, one) for one in types.split(" | ") if one != "null"]
    if measure == "matching regex ":
        return _text_of_form(choices)
    if relation is None:
        return " or ".join(kinds)
    characters = " characters" if measure and types == "str" else ""
    return f"{' or '.join(kinds)} {COMPARISONS[relation]} {limit.strip()}{characters}"


def _text_of_form(choices: list[Body]) -> str:
    """What a text must be: by the model's title and example of it, or else by its pattern."""
    text = next(one for one in choices if "pattern" in one)
    if "title" in text or "examples" in text:
        like = "".join(f" like {one}" for one in text.get("examples", [])[:1])
        return text.get("title", "text") + like
    return f"text of the form {text['pattern']}"
