"""The configuration against its JSON schema, and violations in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from rehearsal.errors import InputError

TYPE_NAMES = {
    "boolean": "true or false (True or False on the command line)",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}
LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "minItems": "this many entries or more:",
    "enum": "one of",
    "pattern": "text that matches",
}


def check_config(config: Mapping[str, Any], sources: Sequence[Path], schema: Path) -> None:
    """Raise InputError for the first thing in the configuration that the schema forbids."""
    _forbid_false_countries(config, sources)
    for path, number in find_not_finite(config):
        found = f"expected a finite number, found {number}"
        raise InputError(source_of(path, sources), dotted(path), found)
    validator = Draft202012Validator(yaml.safe_load(schema.read_text()))
    violation = first_violation(validator, config)
    if violation is not None:
        place, expected = violation
        raise InputError(source_of(place, sources), dotted(place), expected)


def first_violation(
    validator: Draft202012Validator, value: object
) -> tuple[list[str | int], str] | None:
    """Where a value violates the schema, and what was expected there; None: nowhere."""
    error = best_match(validator.iter_errors(value))
    if error is None:
        return None
    return [*error.absolute_path, *_unexpected_keys(error)], explain(error)


def explain(error: ValidationError) -> str:
    """A schema violation in words: what was expected, what was there, and YAML's usual traps."""
    value: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    if error.validator == "type":
        return _explain_type(value, rule)
    if error.validator == "required":
        missing = next(key for key in rule if key not in value)
        return f"expected the key {missing}"
    if error.validator == "additionalProperties":
        known = " ".join(schema.get("properties", {}))
        return f"is not a key here; expected one of {known}"
    if error.validator == "anyOf" and "description" in schema:
        return f"expected {schema['description']}; found {value!r}"
    limit = LIMITS.get(str(error.validator))
    return error.message if limit is None else f"expected {limit} {rule}, found {value!r}"


def _explain_type(value: object, rule: str | Sequence[str]) -> str:
    names = [rule] if isinstance(rule, str) else rule
    wanted = " or ".join(TYPE_NAMES[name] for name in names)
    return f"expected {wanted}, found {value!r}" + _number_hint(value, names)


def _number_hint(value: object, names: Sequence[str]) -> str:
    if isinstance(value, str) and {"number", "integer"} & set(names):
        try:
            float(value)
        except ValueError:
            return ""
        return " as text (YAML reads a number like 1.0e-8 only with a point and a signed exponent)"
    return ""


def _forbid_false_countries(config: Mapping[str, Any], sources: Sequence[Path]) -> None:
    """YAML 1.1 reads an unquoted NO as false: say so instead of 'False is not text'."""
    people = (config.get("cohort") or {}).get("people") or {}
    asker = (config.get("network") or {}).get("asker")
    for key, found in (
        ("cohort.people", isinstance(people, Mapping) and False in people),
        ("network.asker", asker is False),
    ):
        if found:
            raise InputError(
                source_of(key.split("."), sources),
                key,
                "expected a country code, found false: "
                'YAML reads an unquoted NO as false, write "NO"',
            )


def find_not_finite(value: object) -> Iterator[tuple[list[object], float]]:
    """Where numbers are infinite or none at all: a schema's limits let ``nan`` pass."""
    if isinstance(value, float) and not math.isfinite(value):
        yield [], value
    elif isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, part in items:
            for path, number in find_not_finite(part):
                yield [key, *path], number


def _unexpected_keys(error: ValidationError) -> list[str]:
    if error.validator != "additionalProperties":
        return []
    schema: Any = error.schema
    instance: Any = error.instance
    known = schema.get("properties", {})
    return [str(key) for key in instance if key not in known][:1]


def dotted(path: Sequence[object]) -> str:
    """A key as messages name it: ``cohort.people.FI``."""
    return ".".join(str(part) for part in path) or "(top level)"


def source_of(path: Sequence[object], sources: Sequence[Path]) -> str:
    """The last configuration file that sets the key, for it won the merge."""
    for source in reversed(sources):
        part: Any = yaml.safe_load(Path(source).read_text())
        for step in path:
            try:
                part = part[step]
            except (KeyError, IndexError, TypeError):
                break
        else:
            return str(source)
    return str(sources[0]) if sources else "config"
