"""Which key of the configuration names a file, for errors about the file as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rehearsal.config.command_line import setter_of
from rehearsal.config.schema import changed_errors, dotted
from rehearsal.errors import InputError

FILE = "file"  # the key of errors about a file as a whole
CODES = re.compile(r"\[?[A-Z]{2}(,[A-Z]{2})*\]?")


@contextmanager
def name_keys(
    config: Mapping[str, Any],
    command_line: Mapping[str, Any],
    sources: Sequence[Path],
    section: Sequence[str] = (),
) -> Iterator[None]:
    """Say in errors about files which key of the configuration names the file, and where.

    Args:
        config: The merged configuration.
        command_line: What the command line set, by key.
        sources: The configuration files, in the order they were merged.
        section: The keys below which these have the configuration, if it is that of a module.

    Raises:
        InputError: The error of the block, with the key behind what was found.
    """

    def named(error: InputError) -> InputError:
        place = next(_places_of(error.source, config), None) if error.key == FILE else None
        if place is None:
            return error
        key = dotted([*section, *place])
        by = setter_of(key, command_line, sources)
        hint = _hint(error.source) if place == ("countries",) else ""
        found = f"{error.found}; {key} of {by} names it{hint}"
        return InputError(error.source, error.key, error.expected, found, error.subject)

    with changed_errors(named):
        yield


def _hint(path: str) -> str:
    if not CODES.fullmatch(path):
        return ""
    return f" (a list of codes is countries: [{path.strip('[]').replace(',', ', ')}])"


def _places_of(path: str, value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Find the keys whose value is the path of a file."""
    if value == path:
        yield place
    elif isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, part in items:
            yield from _places_of(path, part, (*place, key))
