"""The one reader of YAML 1.1 files: a key that is given twice is an error.

YAML readers keep the last of two values without a word, and with it go the rules of the first.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from rehearsal.errors import InputError, key_text, unreadable_file

# of every YAML reader: no such date; nested too deeply; a tag such as !!bool before another value
NOT_YAML = (ValueError, RecursionError, KeyError, AttributeError)
MERGE = "tag:yaml.org,2002:merge"  # the key <<


def load_yaml(path: Path | str, expected: str = "a YAML file") -> Any:
    """Read a YAML 1.1 file.

    Args:
        path: The file.
        expected: What the file is, as a noun phrase, for the error if it cannot be read.

    Returns:
        Its content as plain data.

    Raises:
        InputError: The file cannot be read, is not YAML, or gives a key twice. Names the line.
    """
    text = read_text(path, expected)
    # LibYAML takes some tabs that YAML forbids, and values that hold themselves
    if yaml.__with_libyaml__ and "\t" not in text and "&" not in text:
        with suppress(yaml.YAMLError, *NOT_YAML):  # the other loader says what is wrong, and where
            return yaml.load(text, Loader=_FastLoader)
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, *NOT_YAML) as problem:
        raise syntax_error(path, problem) from problem


def load_configuration(path: Path | str) -> Any:
    """Read a file of the configuration as Snakemake does: as JSON, and if it is none, as YAML.

    Args:
        path: The file.

    Returns:
        Its content as plain data.

    Raises:
        InputError: The file cannot be read, is neither, or gives a key twice.
    """
    text = read_text(path, "a configuration")
    try:
        return json.loads(text, object_pairs_hook=_each_key_once)
    except json.JSONDecodeError:
        return load_yaml(path, "a configuration")
    except RecursionError as problem:
        raise syntax_error(path, problem) from problem
    except InputError as error:
        raise error.moved(path) from None


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a mapping of the pairs; refuse a key that is given twice."""
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise InputError("", "file", "each key once", f"the key {key} twice")
        made[key] = value
    return made


def read_text(path: Path | str, expected: str) -> str:
    """Read a file's text in UTF-8.

    Args:
        path: The file.
        expected: What the file is, as a noun phrase.

    Returns:
        The text.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as problem:
        raise InputError(path, "file", expected, "no such file") from problem
    except (OSError, ValueError) as problem:  # ValueError: of its name or its encoding
        raise InputError(path, "file", expected, unreadable_file(problem)) from problem


def syntax_error(path: Path | str, problem: Any) -> InputError:
    """Build the error for a file that PyYAML or ruamel.yaml cannot parse.

    Args:
        path: The file.
        problem: What the reader raised.

    Returns:
        The error, with the line where it is known.
    """
    mark = getattr(problem, "problem_mark", None)
    reason = str(getattr(problem, "problem", None) or problem).removeprefix("found ")
    if isinstance(problem, RecursionError):
        reason = "values are nested too deeply"
    elif isinstance(problem, KeyError | AttributeError):
        reason = "a tag, such as !!bool, does not fit its value"
    place = f"line {mark.line + 1}" if mark else "file"
    return InputError(path, place, "valid YAML", f"an error ({reason})")


class _UniqueKeys(yaml.constructor.SafeConstructor):
    """Builds plain data, with duplicate keys an error."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)  # type: ignore[call-arg]  # of the loader, which is no constructor
        self._checked: set[int] = set()  # mappings that are whole; merging (<<) adds keys to some

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        if id(node) not in self._checked:
            self._checked.add(id(node))
            self._refuse_duplicates(node)
        super().flatten_mapping(node)

    def _refuse_duplicates(self, node: yaml.MappingNode) -> None:
        lines: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            mark = key_node.start_mark
            if key_node.tag == MERGE:
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise _error(f"the key {key_text(key)} is not text", mark)
            if key in lines:
                raise _error(
                    f"the key {key_text(key)} is given twice, first in line {lines[key]}", mark
                )
            lines[key] = mark.line + 1


class _Loader(_UniqueKeys, yaml.SafeLoader):
    """The safe loader, which also refuses values that hold themselves."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            alias = self.peek_event()
            anchored = self.anchors.get(alias.anchor)
            if anchored is not None and anchored.end_mark is None:  # is not whole yet
                raise _error(f"the alias *{alias.anchor} holds itself", alias.start_mark)
        return super().compose_node(parent, index)


class _FastLoader(_UniqueKeys, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader with LibYAML's compiled parser, ten times as fast."""


def _error(problem: str, mark: yaml.Mark) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, mark)
