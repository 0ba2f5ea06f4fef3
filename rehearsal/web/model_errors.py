"""What is wrong with a request, told in words from msgspec's error: place, expected and found."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from rehearsal.errors import shown
from rehearsal.web.openapi import Body, schema_of
from rehearsal.web.problem import Problem

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


def no_json(error: Exception) -> Problem:
    """The problem of a body that is no JSON."""
    return Problem(f"{WHOLE_BODY} is no JSON: {str(error).splitlines()[0]}")


def explain(
    error: msgspec.ValidationError, document: Any, model: Any, whole: str, within: str = ""
) -> Problem:
    """The problem that msgspec found in a document, as ``place: expected, not found``.

    ``whole``: what the document is called; ``within``: the place of it.
    """
    message, path = _parted(str(error))
    steps = re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path)
    choices = _choices(schema_of(model))
    for key, _ in steps:
        choices = _choices_below(choices, key)
    place = f"{within}{path}".removeprefix(".") if path else whole
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", message, re.DOTALL):
        known = [name for one in choices for name in one.get("properties", ())]
        return Problem(f"{place}: unknown {shown(unknown[1])}; known are {', '.join(known)}")
    if missing := re.fullmatch(r"Object missing required field `(.*)`", message):
        return Problem(f"{place}: {missing[1]} is missing")
    expected = _expected(message, choices)
    if expected is None:  # a model's own words
        return Problem(f"{place}: {' '.join(message.split())}")
    return Problem(f"{place}: {expected}, not {shown(_value_at(steps, document))}")


def _parted(message: str) -> tuple[str, str]:
    """What is wrong, and the path at which it is: "" for the whole document."""
    match = re.fullmatch(r"(.*) - at `\$(.*?)`", message, re.DOTALL)
    return (match[1], match[2]) if match else (message, "")


def _value_at(steps: list[tuple[str, str]], document: Any) -> Any:
    """The value to which a path's steps lead, each a key or a number in a list."""
    for key, number in steps:
        try:
            document = document[key] if key else document[int(number)]
        except (LookupError, TypeError):
            return None
    return document


def _choices(schema: Body) -> list[Body]:
    """The schemas of which a value may have any."""
    return [one for one in schema.get("anyOf", (schema,)) if one != {"type": "null"}]


def _choices_below(choices: list[Body], key: str) -> list[Body]:
    """The same of a field, or (key "") of a list's items."""
    below = [one.get("properties", {}).get(key) if key else one.get("items") for one in choices]
    return [choice for one in below if one is not None for choice in _choices(one)]


def _expected(message: str, choices: list[Body]) -> str | None:
    """What msgspec expected, in plain words; None for a message of a model's own."""
    if message.startswith("Invalid enum value"):
        return _one_of(choices)
    match = EXPECTED.fullmatch(message)
    if match is None:
        return None
    if choices and all("enum" in one for one in choices):
        return _one_of(choices)
    types, measure, relation, limit = match.groups()
    if measure == "matching regex ":
        return _text_of_form(choices)
    kinds = _type_names(types)
    if relation is None:
        return kinds
    characters = " characters" if measure and types == "str" else ""
    return f"{kinds} {COMPARISONS[relation]} {limit.strip()}{characters}"


def _type_names(types: str) -> str:
    """``int | str | null`` in plain words."""
    return " or ".join(NAMES_OF_TYPES.get(one, one) for one in types.split(" | ") if one != "null")


def _one_of(choices: list[Body]) -> str:
    """The values that may be, beside any of some type."""
    kinds = [NAMES_OF_TYPES[one["type"]] for one in choices if "type" in one]
    allowed = [str(value) for one in choices for value in one.get("enum", ())]
    return " or ".join([*kinds, f"one of {', '.join(allowed)}"])


def _text_of_form(choices: list[Body]) -> str:
    """What a text must be: by the model's title and example of it, or else by its pattern."""
    text = next(one for one in choices if "pattern" in one)
    if "title" in text or "examples" in text:
        like = "".join(f" like {one}" for one in text.get("examples", [])[:1])
        return text.get("title", "text") + like
    return f"text of the form {text['pattern']}"
