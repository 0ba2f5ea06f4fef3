"""Checks of the configuration against its JSON schema, and violations as plain messages."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator
from jsonschema import validators as jsonschema_validators
from jsonschema.exceptions import ValidationError, best_match

from rehearsal.errors import (
    FALSE_COUNTRY,
    Complaints,
    InputError,
    InputErrors,
    key_text,
    shown,
)
from rehearsal.genomes.blocks import CONFIG
from rehearsal.yaml_files import load_configuration, load_yaml

DEFAULT = Path("config/config.yaml")  # of the Snakefile, in the folder that a run works in
TYPE_NAMES = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "object": "a mapping of keys to values",
    "array": "a list",
    "null": "null",
}
LIMITS = {
    "minimum": "a number of at least {}",
    "exclusiveMinimum": "a number above {}",
    "maximum": "a number of at most {}",
    "minItems": "a list of at least {} entries",
}
PATTERN_WORDS = {  # of the schemas' regular expressions
    r"^[A-Z]{2}$": "a country code of two capital letters",
    r"^([A-Z]{2}|\*)$": "a country code of two capital letters, or * for every other country",
    r"^(?=.*[A-Za-z0-9_])[A-Za-z0-9_.+/-]+$": (
        "a path of letters, digits and the characters _ . + / -"
    ),
    r"^[a-z][a-z0-9_-]*$": (
        "a name of lower-case letters, digits, _ and - that begins with a letter"
    ),
    r"^chr([0-9]+|X|Y|M)$": "a contig such as chr17, chrX or chrM",
    r"^[ACGT]+$": "bases of A, C, G and T",
    r"^$|^([*]|[A-Z]{2})=[0-9.e-]+(;([*]|[A-Z]{2})=[0-9.e-]+)*$": (
        "frequencies by country, such as *=0.001;PL=0.002"
    ),
    r"^$|^[A-Z]{2}:(homozygous|heterozygous|hemizygous|brothers)=[1-9][0-9]*"
    r"(;[A-Z]{2}:(homozygous|heterozygous|hemizygous|brothers)=[1-9][0-9]*)*$": (
        "numbers of carriers by country and role, such as IE:homozygous=1;ES:brothers=1"
    ),
}
LARGEST = sys.float_info.max
DEEPEST = 8  # levels of a configuration; the schema needs 6
# JSON Schema counts 1000.0 as a whole number, but slices and ranges do not take it
ConfigValidator = jsonschema_validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)
EXPONENT_HINT = "; write a point and a signed exponent, as in 1.0e-8"


class Violation(NamedTuple):
    """Something in a value that its schema forbids."""

    place: list[Any]  # keys and indices from the top of the value
    expected: str
    found: str


def check_config(config: Mapping[str, Any], sources: Sequence[Path], schema: Path) -> None:
    """Check the merged configuration against its schema.

    Args:
        config: The merged configuration.
        sources: The configuration files, in the order they were merged.
        schema: The JSON schema, a YAML file.

    Raises:
        InputError: A file gives a key twice, or the schema forbids something in the configuration.
            All that it forbids is reported, as InputErrors if there is more than one thing.
    """
    for source in sources:
        load_configuration(source)  # Snakemake has kept the last of two values
    _forbid_deep_nesting(config, sources)
    complaints = Complaints()
    validator = ConfigValidator(load_yaml(schema))
    _require_default(config, validator.schema["required"])
    for place, expected, found in one_by_place(
        *_false_countries(config), *find_not_finite(config), *find_violations(validator, config)
    ):
        with complaints.collected():
            raise InputError(source_of(place, sources), dotted(place), expected, found)
    complaints.raise_any()


def _require_default(config: Mapping[str, Any], required: Sequence[str]) -> None:
    """Refuse the lack of keys that the default configuration sets, where there is none."""
    missing = [key for key in required if key not in config]
    if missing and not DEFAULT.exists():
        expected = f"the default configuration, because no other file sets {missing[0]}"
        raise InputError(DEFAULT.absolute(), "file", expected, "no such file")


def one_by_place(*violations: Violation) -> list[Violation]:
    """Keep the first violation of each place.

    Args:
        violations: The violations.

    Returns:
        Those that are kept.
    """
    found: dict[str, Violation] = {}
    for one in violations:
        found.setdefault(dotted(one.place), one)
    return list(found.values())


def find_violations(validator: Draft202012Validator, value: object) -> list[Violation]:
    """Find what violates a schema.

    Args:
        validator: The validator of the schema.
        value: Plain data, as YAML or JSON gives it.

    Returns:
        Where the value violates the schema, what was expected there and what was found; nothing
        for a valid value.
    """
    errors = (best_match([error]) for error in validator.iter_errors(value))
    found = (one for error in errors if error is not None for one in _explain(error))
    return list({dotted(one.place) + one.expected: one for one in found}.values())


def _explain(error: ValidationError) -> list[Violation]:
    """Explain what jsonschema reports in plain words, with hints about YAML's usual traps.

    It reports the lack of each key by itself, and all unknown keys of a mapping as one.
    """
    place = list(error.absolute_path)
    if error.validator == "type":
        rule: Any = error.validator_value
        return [Violation(place, *_explain_type(error.instance, rule))]
    if error.validator == "required":
        return _lacking_keys(error, place)
    if error.validator == "additionalProperties":
        return _unknown_keys(error, place)
    return [Violation(place, _limit_words(error), shown(error.instance))]


def _lacking_keys(error: ValidationError, place: list[Any]) -> list[Violation]:
    rule: Any = error.validator_value
    value: Any = error.instance
    schema: Any = error.schema
    properties = schema.get("properties", {})
    missing = [key for key in rule if key not in value]
    return [Violation([*place, k], _words_of(properties.get(k, {})), "nothing") for k in missing]


def _unknown_keys(error: ValidationError, place: list[Any]) -> list[Violation]:
    schema: Any = error.schema
    known = schema.get("properties", {})
    expected = f"one of the keys {', '.join(known)}"
    value: Any = error.instance
    return [Violation([*place, key], expected, shown(key)) for key in value if key not in known]


def _limit_words(error: ValidationError) -> str:
    """What a rule about the value itself allows, as a noun phrase."""
    rule: Any = error.validator_value
    if error.validator == "enum":
        return f"one of {', '.join(map(str, rule))}"
    if error.validator == "minLength":
        return "text that is not empty" if rule == 1 else f"text of at least {rule} characters"
    if error.validator == "pattern":
        return PATTERN_WORDS.get(rule, f"text that matches {rule}")
    if error.validator == "anyOf":
        return " or ".join(map(_words_of, rule))
    limit = LIMITS.get(str(error.validator))
    return (
        f"a value that the schema allows ({error.message})" if limit is None else limit.format(rule)
    )


def _words_of(schema: Mapping[str, Any]) -> str:
    """What the schema of a single value allows, as a noun phrase."""
    names = schema.get("type", "enum" if "enum" in schema else [])
    if names == "enum":
        return f"one of {', '.join(map(str, schema['enum']))}"
    return _type_words([names] if isinstance(names, str) else names) or "a value"


def _type_words(names: Sequence[str]) -> str:
    return " or ".join(TYPE_NAMES[name] for name in names)


def _explain_type(value: object, rule: str | Sequence[str]) -> tuple[str, str]:
    """What was expected and what was found, where a value is of another type than the schema's."""
    names = [rule] if isinstance(rule, str) else list(rule)
    if not isinstance(value, str):
        hint = FALSE_COUNTRY if value is False and "string" in names else ""
        return _type_words(names), f"{shown(value)}{hint}"
    if value.lower() not in ("", "~", "none", "null") and len(names) > 1:
        names = [name for name in names if name != "null"]  # was not meant
    return _type_words(names), f"{shown(value)} (text){_spelling_hint(value, names)}"


def _spelling_hint(value: str, names: Sequence[str]) -> str:
    """How to write text as the boolean or number that was probably meant; empty if unclear."""
    word = value.lower()
    if "boolean" in names and word in ("true", "false", "yes", "no", "on", "off"):
        return f"; write {'True' if word in ('true', 'yes', 'on') else 'False'}"
    return EXPONENT_HINT if _lacks_sign_or_point(value, names) else ""


def _lacks_sign_or_point(value: str, names: Sequence[str]) -> bool:
    """Whether text would be a number if YAML read numbers as Python does, like ``1e-8``."""
    is_number = re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+", value) is not None
    return is_number and "number" in names


def _false_countries(value: object, place: Sequence[Any] = ()) -> Iterator[Violation]:
    """Find ``false`` as a key, which was Norway's code: YAML 1.1 reads ``NO`` so."""
    if isinstance(value, Mapping):
        if False in value:
            yield Violation(list(place), "a country code", f"false{FALSE_COUNTRY}")
        for key, part in value.items():
            yield from _false_countries(part, [*place, key])


def _forbid_deep_nesting(config: Mapping[str, Any], sources: Sequence[Path]) -> None:
    """Refuse values below the deepest level of the schema."""
    level: dict[int, tuple[list[object], object]] = {0: ([], config)}
    for _ in range(DEEPEST):
        level = {  # by identity: an alias can stand in many places
            id(part): ([*place, key], part)
            for place, value in level.values()
            if isinstance(value, Mapping | list)
            for key, part in (value.items() if isinstance(value, Mapping) else enumerate(value))
        }
    for place, _ in level.values():
        expected = f"at most {DEEPEST} levels of lists and mappings"
        raise InputError(source_of(place, sources), dotted(place[:1]), expected, "more")


def find_not_finite(value: object, place: Sequence[Any] = ()) -> Iterator[Violation]:
    """Find numbers that the limits of a schema let pass: infinities, NaN, more than any float.

    Args:
        value: Plain data, as YAML gives it.
        place: Keys and indices from the top to the value.

    Yields:
        What is wrong with each such number.
    """
    if isinstance(value, int | float) and not -LARGEST <= value <= LARGEST:
        yield Violation(list(place), "a finite number", shown(value))
    elif isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, part in items:
            yield from find_not_finite(part, [*place, key])


def dotted(path: Sequence[object]) -> str:
    """Write the place of a key as messages show it: ``cohort.people.FI``.

    Args:
        path: Keys and indices from the top of the file.

    Returns:
        The parts joined by points.
    """
    return ".".join(map(key_text, path)) or "(top level)"


def source_of(path: Sequence[object], sources: Sequence[Path]) -> str:
    """Find the configuration file that decided a key: the last one that sets it.

    Args:
        path: Keys and indices of the value.
        sources: The configuration files, in the order they were merged.

    Returns:
        The file's path. If no file sets the key, the one that sets the section around it.
    """
    contents = [(source, load_configuration(source)) for source in sources[::-1]]
    for length in range(len(path), 0, -1):
        for source, content in contents:
            if _has(content, path[:length]):
                return str(source)
    return str(sources[0]) if sources else CONFIG


def _has(content: Any, path: Sequence[object]) -> bool:
    for step in path:
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True


@contextmanager
def name_sources(sources: Sequence[Path]) -> Iterator[None]:
    """Name the file that set a key in errors of code that knows the configuration by its keys.

    Args:
        sources: The configuration files, in the order they were merged.

    Raises:
        InputError: The error of the block. Where it named ``config.yaml`` without a folder, it
            names the file that decided the key.
    """
    with changed_errors(lambda error: _with_file(error, sources)):
        yield


@contextmanager
def changed_errors(change: Callable[[InputError], InputError]) -> Iterator[None]:
    """Change the errors of a block, each by itself where there are several.

    Args:
        change: Makes the new error of an error.

    Raises:
        InputError: The new error, or InputErrors.
    """
    try:
        yield
    except InputErrors as several:
        raise InputErrors([change(error) for error in several.errors]) from None
    except InputError as error:
        raise change(error) from None


def _with_file(error: InputError, sources: Sequence[Path]) -> InputError:
    if error.source != CONFIG:
        return error
    return error.moved(source_of(path_of(error.key), sources))


def path_of(key: str) -> list[str | int]:
    """Split a dotted key, which may have a value after a colon.

    Args:
        key: The key, as :func:`dotted` writes it.

    Returns:
        Keys and indices from the top.
    """
    steps = key.partition(":")[0].split(".")
    return [int(step) if step.isdigit() else step for step in steps]
