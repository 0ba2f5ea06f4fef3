"""Read a YAML file entry by entry, so that every error names the file and the key."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rehearsal.errors import InputError, key_text, shown
from rehearsal.yaml_files import NOT_YAML, load_yaml, read_text, syntax_error

Word = TypeVar("Word", bound=str)
LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a YAML file with its place. The methods return plain checked values.

    Each method raises InputError with the file, the dotted key (after its line, where that is
    known), what was expected and what was found.
    """

    source: str  # the file, for messages
    key: str  # dotted path of the value in the file; empty for the whole file
    value: Any
    line: int | None = None  # 1-based, where the file was read with its lines

    @property
    def where(self) -> tuple[str, str]:
        """The file, and the place in it."""
        key = self.key or "top level"
        return self.source, key if self.line is None else f"line {self.line}: {key}"

    def error(self, expected: str, found: str | None = None) -> InputError:
        """Build the error about this entry, for the caller to raise.

        Args:
            expected: What is allowed, as a noun phrase.
            found: What stands there instead. By default the entry's value is shown.

        Returns:
            The error.
        """
        found = _shown(self.value) if found is None else found
        return InputError(*self.where, expected, found)

    def child(self, name: object) -> Entry:
        """Return the entry under one key of a mapping.

        Args:
            name: The key. It must exist.

        Returns:
            The entry.
        """
        key = f"{self.key}.{key_text(name)}".lstrip(".")
        return Entry(self.source, key, self.value[name], self._line_of("key", name))

    def _line_of(self, what: str, name: object) -> int | None:
        """Return the line of a key or item, where the file was read with its lines."""
        marks = getattr(self.value, "lc", None)
        return None if marks is None else getattr(marks, what)(name)[0] + 1

    def children(self) -> dict[Any, Entry]:
        """Return the entries of a mapping whose keys are free."""
        if not isinstance(self.value, dict):
            raise self.error("a mapping")
        return {name: self.child(name) for name in self.value}

    def fields(self, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Entry]:
        """Return the entries of a mapping whose keys are known.

        Args:
            required: Keys that must be given.
            optional: Keys that may be given.

        Returns:
            The entries by key.

        Raises:
            InputError: The value is not a mapping, a required key is missing, or a key is unknown.
        """
        children = self.children()
        for name in required:
            if name not in children:
                given = ", ".join(map(key_text, children))
                found = f"the keys {given}" if given else "no keys"
                raise self.error(f"the key {name}", found)
        for name, entry in children.items():
            if name not in required and name not in optional:
                known = ", ".join(dict.fromkeys([*required, *optional]))
                raise entry.error(f"one of the keys {known}", f"the unknown key {shown(name)}")
        return children

    def items(self) -> list[Entry]:
        """Return the entries of a list."""
        if not isinstance(self.value, list):
            raise self.error("a list")
        return [
            Entry(self.source, f"{self.key}[{index}]", value, self._line_of("item", index))
            for index, value in enumerate(self.value)
        ]

    def number(self, minimum: float = -math.inf, maximum: float = math.inf) -> float:
        """Return a finite number.

        Args:
            minimum: Lowest number allowed.
            maximum: Highest number allowed.

        Returns:
            The number.

        Raises:
            InputError: The value is not a number (truth values are not) or outside the range.
        """
        value = self.value
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        # a float of infinity or NaN, or a whole number too large for a float
        if not numeric or not abs(value) <= LARGEST or not minimum <= value <= maximum:
            raise self.error(_range_words(minimum, maximum), _shown(value) + _hint(value))
        return float(value)

    def whole_number(self, minimum: int, maximum: float = math.inf) -> int:
        """Return a whole number.

        Args:
            minimum: Lowest number allowed.
            maximum: Highest number allowed.

        Returns:
            The number.

        Raises:
            InputError: The value is not a whole number or outside the range.
        """
        value = self.value
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not minimum <= value <= maximum:
            words = _range_words(minimum, maximum).replace("a number", "a whole number")
            raise self.error(words, _shown(value) + _hint(value, is_whole=True))
        return int(value)

    def text(self, pattern: str = r".*\S.*", example: str = "") -> str:
        """Return text.

        Args:
            pattern: Regular expression that the whole text must match. By default any text that is
                not blank.
            example: Text that matches, for the error message.

        Returns:
            The text.

        Raises:
            InputError: The value is not text or does not match.
        """
        if not isinstance(self.value, str) or not re.fullmatch(pattern, self.value):
            found = "empty text" if self.value == "" else None
            raise self.error(f"text like {example}" if example else "text", found)
        return self.value

    def choice(self, *words: Word) -> Word:
        """Return one of the given words.

        Args:
            *words: The words that are allowed.

        Returns:
            The word.

        Raises:
            InputError: The value is none of them.
        """
        for word in words:
            if self.value == word:
                return word
        raise self.error(f"one of {', '.join(words)}")

    def flag(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            raise self.error("true or false")
        return self.value


def read_yaml(path: Path | str) -> Entry:
    """Read a whole YAML 1.1 file as one entry.

    Args:
        path: The file.

    Returns:
        The entry, without line numbers.

    Raises:
        InputError: The file cannot be read, is not YAML, or gives a key twice (which YAML readers
            accept, keeping the last value).
    """
    return Entry(str(path), "", load_yaml(path))


def read_yaml_with_lines(path: Path) -> Entry:
    """Read a whole YAML 1.2 file as one entry, with the line of every entry.

    Meant for files of which people write much. In YAML 1.2 an unquoted ``NO`` is Norway.

    Args:
        path: The file.

    Returns:
        The entry, with line numbers.

    Raises:
        InputError: As :func:`read_yaml`.
    """
    text = read_text(path, "a YAML file")
    try:
        return Entry(str(path), "", YAML().load(text), 1)
    except (YAMLError, *NOT_YAML) as problem:
        raise syntax_error(path, problem) from problem


def _range_words(minimum: float, maximum: float) -> str:
    if maximum < math.inf:
        return f"a number from {minimum:g} to {maximum:g}"
    return f"a number of at least {minimum:g}" if minimum > -math.inf else "a number"


def _hint(value: object, is_whole: bool = False) -> str:
    """Say how to write a number that YAML 1.1 reads as text, such as 1e-8."""
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return " (text)"
        exponent = "e" in value.lower()
        if exponent and is_whole:
            return " (text)"
        return f" (text; {'write 1.0e-8, not 1e-8' if exponent else 'remove the quotes'})"
    return ""


def _shown(value: object) -> str:
    """Show a value of a YAML file; nested ones by their kind only."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return shown(list(value)) if value else "an empty list"
    return shown(value)
