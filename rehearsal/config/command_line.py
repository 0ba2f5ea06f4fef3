"""Values of the command line: their form, their types, and errors about them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rehearsal.config.schema import DEEPEST, changed_errors, path_of, source_of
from rehearsal.errors import Complaints, InputError, shown
from rehearsal.genomes.blocks import CONFIG

COMMAND_LINE = "the command line (--config)"  # Snakemake's option that sets keys
WORDS = {"null": None, "true": True, "True": True, "false": False, "False": False}
WHOLE_NUMBER = re.compile(r"[-+]?(0|[1-9]\d{0,30})")
NUMBER = re.compile(r"[-+]?(\d+\.\d*|\.\d+)([eE][-+]\d+)?")  # as YAML 1.1 writes it
KEY = re.compile(r"[A-Za-z_][\w-]*\w")  # that Snakemake takes


def check_pairs(pairs: Iterable[str]) -> None:
    """Check how the keys and values after ``--config`` are written.

    Args:
        pairs: The texts, ``key=value``.

    Raises:
        InputError: One has another form, or a key that is not at the top. Each is reported.
    """
    complaints = Complaints()
    for pair in pairs:
        key, sign, value = pair.partition("=")
        with complaints.collected():
            if not sign:
                raise InputError(COMMAND_LINE, shown(pair), "key=value", "no =")
            if not KEY.fullmatch(key):
                raise InputError(COMMAND_LINE, key, *_of_key(key, value))
            if value.lstrip().startswith("#"):
                expected = f"{key}='\"{value}\"', because # begins a comment"
                raise InputError(COMMAND_LINE, key, expected, shown(value))
    complaints.raise_any()


def _of_key(key: str, value: str) -> tuple[str, str]:
    """What was expected in place of a key, and what was found."""
    top, *below = key.split(".")
    if not below or not all(map(KEY.fullmatch, (top, *below))):
        return "a key of the configuration", shown(key)
    nested = value
    for part in reversed(below):
        nested = f"{{{part}: {nested}}}"
    return f"keys in braces below their section: {top}='{nested}'", "a key with points"


@contextmanager
def name_command_line(
    values: Mapping[str, Any], sources: Sequence[Path], section: Sequence[str] = ()
) -> Iterator[None]:
    """Name ``--config`` in errors about values that the command line gave.

    Args:
        values: What the command line set (Snakemake's ``--config``), by key.
        sources: The configuration files, in the order they were merged.
        section: The keys below which these have the configuration, if it is that of a module.

    Raises:
        InputError: The error of the block, with the key from the top. It names ``--config`` and
            not a configuration file where the command line set the key.
    """

    def renamed(error: InputError) -> InputError:
        if error.source not in (CONFIG, *map(str, sources)):
            return error
        key = ".".join([*map(str, section), error.key])
        if section or is_set(values, key):
            return error.moved(setter_of(key, values, sources), key)
        return error

    with changed_errors(renamed):
        yield


def setter_of(key: str, values: Mapping[str, Any], sources: Sequence[Path]) -> str:
    """Find what decided a key: the command line, or a configuration file.

    Args:
        key: The dotted key.
        values: What the command line set, by key.
        sources: The configuration files, in the order they were merged.

    Returns:
        Words for the command line, or the file's path.
    """
    return COMMAND_LINE if is_set(values, key) else source_of(path_of(key), sources)


def is_set(values: Mapping[str, Any], key: str) -> bool:
    """Tell whether values decide a dotted key: they hold it, or a value in place of its section.

    Args:
        values: What the command line set, by key.
        key: The dotted key.
    """
    part: Any = values
    for step in path_of(key):
        if not isinstance(part, Mapping):
            return True  # a list or a single value: all below it came with it
        if step not in part:
            return False
        part = part[step]
    return True


def check_section(config: object, whole: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Check that a module gets a mapping as its configuration.

    Args:
        config: What it gets.
        whole: The configuration of the workflow that uses it.
        given: What the command line set, by key.

    Raises:
        InputError: It gets something else.
    """
    if not isinstance(config, Mapping):
        key = next((name for name, value in whole.items() if value == config), "config")
        source = COMMAND_LINE if key in given else CONFIG
        raise InputError(source, key, "a mapping of keys to values", shown(config))


def section_of(config: Mapping[str, Any], whole: Mapping[str, Any]) -> tuple[str, ...]:
    """Find the keys below which a workflow has the configuration that it gives to a module.

    They are known where the module gets a part of the workflow's configuration, or a changed copy
    of a part, in which lists and mappings are those of the workflow.

    Args:
        config: The configuration of the module.
        whole: The configuration of the workflow.

    Returns:
        The keys from the top; none if the module gets the whole, or if they are not known.
    """
    parts = {id(value): key for key, value in config.items() if isinstance(value, Mapping | list)}
    for place, value in _mappings(whole):
        if value is config or any(parts.get(id(one)) == key for key, one in value.items()):
            return place
    return ()


def _mappings(
    value: Mapping[str, Any], place: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield a mapping and those below it, with their places."""
    yield place, value
    for key, part in value.items() if len(place) < DEEPEST else ():
        if isinstance(part, Mapping):
            yield from _mappings(part, (*place, key))


def values_below(section: Iterable[str], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the command line set below keys.

    Args:
        section: The keys from the top.
        given: What the command line set, by key.
    """
    for key in section:
        part = given.get(key)
        given = part if isinstance(part, Mapping) else {}
    return given


def typed_values(config: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values that the command line set the types that they have in a file.

    Snakemake reads ``--config network='{deadline_s: 10}'`` as a mapping of text to text. Text that
    YAML would not read as text, apart from dates and the many words for true and false, becomes a
    number, a truth value or null.

    Args:
        config: The merged configuration.
        given: What the command line set, by key.

    Returns:
        The configuration. Values that others than the command line set stay as they are.
    """
    return {
        key: _typed(value, given[key]) if key in given else value for key, value in config.items()
    }


def _typed(value: Any, given: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(given, Mapping):
        return typed_values(value, given)
    if value != given:
        return value
    if isinstance(value, list):
        return [_typed(part, part) for part in value]
    return _read(value) if isinstance(value, str) else value


def _read(text: str) -> Any:
    if text in WORDS:
        return WORDS[text]
    if WHOLE_NUMBER.fullmatch(text):
        return int(text)
    return float(text) if NUMBER.fullmatch(text) else text
