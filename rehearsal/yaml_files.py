"""The one reader of YAML 1.1 files: a key that is given twice is an error.

YAML readers keep the last of two values without a word, and with it go the rules of the first.
"""

from __future__ import annotations

from collections.abc import Hashable
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
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, *NOT_YAML) as problem:
        raise syntax_error(path, problem) from problem


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


class _Loader(yaml.SafeLoader):
    """The safe loader, with duplicate keys an error."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._checked: set[int] = set()  # mappings that are whole; merging (<<) adds keys to some

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            alias = self.peek_event()
            anchored = self.anchors.get(alias.anchor)
            if anchored is not None and anchored.end_mark is None:  # is not whole yet
                raise _error(f"the alias *{alias.anchor} holds itself", alias.start_mark)
        return super().compose_node(parent, index)

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


def _error(problem: str, mark: yaml.Mark) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, mark)
