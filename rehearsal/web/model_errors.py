"""Turn msgspec's validation errors into ``place: expected X, found Y``."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from rehearsal.errors import mismatch, shown
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
COUNTED = {"str": "character", "array": "item", "object": "key"}
COMPARISONS = {">=": "of at least", "<=": "of at most", ">": "above", "<": "below"}
EXPECTED = re.compile(
    r"Expected `([^`]*)`(?: (of length |matching regex )?([<>]=?)?(.*?))?(?:, got.*)?"
)


class ModelError(ValueError):
    """A value that a model refuses in its ``__post_init__``.

    The model does not know its place in the request. :func:`explain` puts it in front.

    Args:
        expected: What is allowed, as a noun phrase.
        found: What stands there instead; ``rehearsal.errors.shown`` of a value.
        key: The key of the model that holds the value; "" for the model as a whole.
    """

    def __init__(self, expected: str, found: str, key: str = "") -> None:
        self.expected, self.found, self.key = expected, found, key
        super().__init__(mismatch(key or "the values", expected, found))


def no_json(error: Exception) -> Problem:
    """Build the problem of a body that is not JSON.

    Args:
        error: What the decoder raised.

    Returns:
        The problem, to be raised.
    """
    return Problem.mismatch(WHOLE_BODY, "JSON", f"invalid JSON ({str(error).splitlines()[0]})")


def explain(
    error: msgspec.ValidationError, document: Any, model: Any, whole: str, within: str = ""
) -> Problem:
    """Build the problem of a document that does not fit its model.

    Args:
        error: What msgspec raised.
        document: The document that was read, as plain Python values.
        model: The model that it was read by.
        whole: Name of the document, for errors that concern all of it.
        within: Place of the document in the request; "" when it is the request.

    Returns:
        The problem, to be raised. Its message is ``place: expected X, found Y``.
    """
    message, path = _parted(str(error))
    steps = re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path)
    choices = _choices(schema_of(model))
    for key, _ in steps:
        choices = _choices_below(choices, key)
    at = f"{within}{path}".removeprefix(".")
    place = at if path else whole
    if isinstance(error.__cause__, ModelError):
        own = error.__cause__
        where = _below(at, own.key) if own.key else place
        return Problem.mismatch(where, own.expected, own.found)
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", message, re.DOTALL):
        known = [name for one in choices for name in one.get("properties", ())]
        return Problem.mismatch(place, f"one of the keys {', '.join(known)}", shown(unknown[1]))
    if missing := re.fullmatch(r"Object missing required field `(.*)`", message):
        key = missing[1]
        wanted = _described(_choices_below(choices, key))
        return Problem.mismatch(_below(at, key), wanted, "nothing")
    expected = _expected(message, choices)
    if expected is None:  # no message of msgspec's that this module knows
        return Problem(f"{place}: {' '.join(message.split())}", 400)
    return Problem.mismatch(place, expected, shown(_value_at(steps, document)))


def _below(place: str, key: str) -> str:
    """The place of a key in an object."""
    return f"{place}.{key}" if place else key


def _parted(message: str) -> tuple[str, str]:
    """Split a message from the path in it, which is "" for the whole document."""
    match = re.fullmatch(r"(.*) - at `\$(.*?)`", message, re.DOTALL)
    return (match[1], match[2]) if match else (message, "")


def _value_at(steps: list[tuple[str, str]], document: Any) -> Any:
    """Follow a path to its value. Each step is a key or an index of a list."""
    for key, number in steps:
        try:
            document = document[key] if key else document[int(number)]
        except (LookupError, TypeError):
            return None
    return document


def _choices(schema: Body) -> list[Body]:
    """List the alternative schemas of a value."""
    return [one for one in schema.get("anyOf", (schema,)) if one != {"type": "null"}]


def _choices_below(choices: list[Body], key: str) -> list[Body]:
    """List the alternative schemas of a field, or of the items of a list (key "")."""
    below = [one.get("properties", {}).get(key) if key else one.get("items") for one in choices]
    return [choice for one in below if one is not None for choice in _choices(one)]


def _expected(message: str, choices: list[Body]) -> str | None:
    """Say in plain words what msgspec expected; None when the message is not one of its own."""
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
    number = limit.strip().removesuffix(".0")
    unit = f" {COUNTED.get(types, 'item')}{'s' * (number != '1')}" if measure else ""
    return f"{kinds} {COMPARISONS[relation]} {number}{unit}"


def _described(choices: list[Body]) -> str:
    """Say what a value of these schemas is, for a value that is missing."""
    if any("pattern" in one for one in choices):
        return _text_of_form(choices)
    if any("enum" in one for one in choices):
        return _one_of(choices)
    return " or ".join(NAMES_OF_TYPES[one["type"]] for one in choices if "type" in one) or "a value"


def _type_names(types: str) -> str:
    """Say ``int | str | null`` in plain words."""
    return " or ".join(NAMES_OF_TYPES.get(one, one) for one in types.split(" | ") if one != "null")


def _one_of(choices: list[Body]) -> str:
    """List the allowed values, after the types of which any value is allowed."""
    kinds = [NAMES_OF_TYPES[one["type"]] for one in choices if "type" in one]
    allowed = [str(value) for one in choices for value in one.get("enum", ())]
    if NAMES_OF_TYPES["bool"] in kinds and set(allowed) == {"true", "false"}:
        return " or ".join(kinds)  # a truth value, which a URL has as text
    return " or ".join([*kinds, f"one of {', '.join(allowed)}"])


def _text_of_form(choices: list[Body]) -> str:
    """Describe a text by the title and example of its schema, or else by its pattern."""
    text = next(one for one in choices if "pattern" in one)
    if "title" in text or "examples" in text:
        like = "".join(f" like {one}" for one in text.get("examples", [])[:1])
        return text.get("title", "text") + like
    return f"text of the form {text['pattern']}"
