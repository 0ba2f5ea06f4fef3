"""A YAML file read entry by entry, so that every complaint names the file and the key."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from rehearsal.errors import InputError

Word = TypeVar("Word", bound=str)


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a YAML file with its place. The methods return plain checked values.

    Each method raises InputError, with the file, the dotted key (after its line, where that is
    known) and what was expected.
    """

    source: str
    key: str
    value: Any
    line: int | None = None

    @property
    def where(self) -> tuple[str, str]:
        """The file, and the place in it."""
        key = self.key or "(top level)"
        return self.source, key if self.line is None else f"line {self.line}: {key}"

    def error(self, expected: str) -> InputError:
        """The complaint about this entry, for the caller to raise."""
        return InputError(*self.where, f"expected {expected}")

    def child(self, name: object) -> Entry:
        key = f"{self.key}.{name}".lstrip(".")
        return Entry(self.source, key, self.value[name], self._line_of("key", name))

    def _line_of(self, what: str, name: object) -> int | None:
        """The line of a key or item, where the file was read with its lines."""
        marks = getattr(self.value, "lc", None)
        return None if marks is None else getattr(marks, what)(name)[0] + 1

    def children(self) -> dict[Any, Entry]:
        """The entries of a mapping whose keys are free."""
        if not isinstance(self.value, dict):
            raise self.error(f"a mapping, found {self.value!r}")
        return {name: self.child(name) for name in self.value}

    def fields(self, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Entry]:
        """The entries of a mapping whose keys are known: none missing, none unknown."""
        children = self.children()
        for name in required:
            if name not in children:
                raise self.error(f"the key {name}")
        for name, entry in children.items():
            if name not in required and name not in optional:
                known = " ".join([*required, *optional])
                raise InputError(*entry.where, f"is not a key here; expected one of {known}")
        return children

    def items(self) -> list[Entry]:
        """The entries of a list."""
        if not isinstance(self.value, list):
            raise self.error(f"a list, found {self.value!r}")
        return [
            Entry(self.source, f"{self.key}[{index}]", value, self._line_of("item", index))
            for index, value in enumerate(self.value)
        ]

    def number(self, minimum: float = -math.inf, maximum: float = math.inf) -> float:
        """A finite number in ``[minimum, maximum]``."""
        value = self.value
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if not numeric or not math.isfinite(value) or not minimum <= value <= maximum:
            raise self.error(f"{_range_words(minimum, maximum)}, found {value!r}{_hint(value)}")
        return float(value)

    def whole_number(self, minimum: int, maximum: float = math.inf) -> int:
        value = self.value
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not minimum <= value <= maximum:
            words = _range_words(minimum, maximum).replace("a number", "a whole number")
            raise self.error(f"{words}, found {value!r}")
        return int(value)

    def text(self, pattern: str = r".*\S.*", example: str = "") -> str:
        """Text that the regular expression matches wholly."""
        if not isinstance(self.value, str) or not re.fullmatch(pattern, self.value):
            words = f"text like {example}" if example else "text"
            raise self.error(f"{words}, found {self.value!r}")
        return self.value

    def choice(self, *words: Word) -> Word:
        """One of the given words."""
        for word in words:
            if self.value == word:
                return word
        raise self.error(f"one of {' '.join(words)}, found {self.value!r}")

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.error("true or false")
        return self.value


def read_yaml(path: Path | str) -> Entry:
    """The whole of a YAML file as one entry.

    Raises InputError when the file cannot be read, is not YAML, or writes a key twice (which
    YAML readers let pass, keeping the last).
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(path, "file", f"cannot be read: {problem}") from problem
    try:
        return Entry(str(path), "", yaml.load(text, Loader=_Loader))
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise InputError(path, f"line {line}", f"{problem.problem}") from problem
    except yaml.YAMLError as problem:
        raise InputError(path, "file", f"expected YAML: {problem}") from problem


def read_yaml_with_lines(path: Path) -> Entry:
    """The same with the line of every entry, for files that people write much of.

    YAML 1.2: an unquoted ``NO`` is Norway. Raises InputError as ``read_yaml`` does.
    """
    try:
        return Entry(str(path), "", YAML().load(path.read_text(encoding="utf-8")), 1)
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(path, "file", f"cannot be read: {problem}") from problem
    except MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise InputError(path, f"line {line}", f"{problem.problem}") from problem
    except YAMLError as problem:
        raise InputError(path, "file", f"expected YAML: {problem}") from problem


class _Loader(yaml.SafeLoader):
    """The safe loader, with duplicate keys an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable) or key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key} stands there twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def _range_words(minimum: float, maximum: float) -> str:
    if maximum < math.inf:
        return f"a number from {minimum:g} to {maximum:g}"
    return f"a number of at least {minimum:g}" if minimum > -math.inf else "a number"


def _hint(value: object) -> str:
    """YAML 1.1 reads 1e-8 as text."""
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return ""
        return " as text (write 1.0e-8, not 1e-8, and no quotes)"
    return ""
