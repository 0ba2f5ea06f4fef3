"""The one form of an error message: where, what was expected, what was found."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import date
from errno import EDQUOT, ENOSPC, EROFS
from itertools import islice

MOST_CHARACTERS = 60  # of a foreign value in a message
DEEPEST = 3  # level of nesting that is shown
MOST_ERRORS = 20  # shown at once
MOST_SUBJECTS = 4  # named in one line
FALSE_COUNTRY = '; YAML reads an unquoted NO as false, write "NO"'  # a hint, after what was found
NO_ROOM = (ENOSPC, EDQUOT, EROFS)  # of disks that take nothing more


def mismatch(where: str, expected: str, found: str) -> str:
    """Build the text of every error about a value: ``where: expected ..., found ...``.

    Args:
        where: The place of the value, for example ``config.yaml: cohort.total``.
        expected: What is allowed there, as a noun phrase: ``a whole number``.
        found: What stands there instead: :func:`shown` of a value, or a phrase like ``nothing``.

    Returns:
        One line of text.
    """
    return " ".join(f"{where}: expected {expected}, found {found}".split())


def shown(value: object) -> str:
    """Show a foreign value in a message: quoted, on one line, cut to 60 characters.

    Args:
        value: The value that was found. ``None``, truth values, dates and bytes are shown as JSON
            and YAML write them or in words, at any depth.

    Returns:
        The text, for example ``'FI'``, ``3`` or ``null``.
    """
    text = _written(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 3]}..."


def _written(value: object, depth: int = 0) -> str:
    """Write a value as YAML would. Only the beginning of long or deeply nested values."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, date):  # or a time
        return str(value)
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes of binary data"
    if isinstance(value, Mapping | Set | list):
        return _nested(value, depth)
    try:
        return repr(value)
    except ValueError:  # Python writes no number of more than 4300 digits
        return "a number of thousands of digits"


def _nested(value: Iterable[object], depth: int) -> str:
    """Write the beginning of a list, set or mapping."""
    opening, closing = "{}" if isinstance(value, Mapping | Set) else "[]"
    if depth > DEEPEST:
        return f"{opening}...{closing}"
    if isinstance(value, Mapping):
        pairs = islice(value.items(), MOST_CHARACTERS)
        words = [f"{_written(key, depth + 1)}: {_written(one, depth + 1)}" for key, one in pairs]
    else:
        words = [_written(part, depth + 1) for part in islice(value, MOST_CHARACTERS)]
    return f"{opening}{', '.join(words)}{closing}"


def key_text(name: object) -> str:
    """Write a key of YAML or JSON as part of a place in a file.

    Args:
        name: The key. YAML allows numbers, dates, null and truth values beside text.

    Returns:
        Text as it is, other keys as :func:`shown` writes them.
    """
    return name if isinstance(name, str) else shown(name)


def cause(error: Exception) -> str:
    """Say in words why something cannot be read or used, without names of Python.

    Args:
        error: The exception that reading it raised.

    Returns:
        The reason of the operating system for an ``OSError``, else a few words or the text of
        the exception.
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, UnicodeError):
        return "not UTF-8 text"
    if isinstance(error, KeyError) and error.args:
        return f"no {shown(error.args[0])}"
    if isinstance(error, AttributeError | IndexError | KeyError | TypeError):
        return "another structure"
    text = str(error)
    if "`b'" in text:  # pysam quotes the file's name so, when the format is not the expected one
        return "another format"
    return text or "no reason given"


def unreadable_file(error: Exception) -> str:
    """Say that a file cannot be read, as what was found.

    Args:
        error: The exception that reading it raised.

    Returns:
        A phrase with the cause, for example ``an unreadable file (Permission denied)``.
    """
    return f"an unreadable file ({cause(error)})"


def full_disk(error: BaseException) -> str | None:
    """Say in one line that a disk is full, over its quota or read-only.

    Args:
        error: What ended the work.

    Returns:
        The line, with the file and the place of its disk where they are known; None if the error
        and those behind it have another cause.
    """
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, OSError) and behind.errno in NO_ROOM:
            return _full_disk_line(behind.filename, os.strerror(behind.errno))
        if "disk is full" in str(behind):  # SQLite has no numbers of errors
            return _full_disk_line(None, os.strerror(ENOSPC))
        behind = behind.__cause__ or behind.__context__
    return None


def _full_disk_line(path: str | bytes | None, reason: str) -> str:
    if not isinstance(path, str | bytes):
        return mismatch("a disk", "room for more data", f"none ({reason})")
    place = name = os.fsdecode(path)
    place = os.path.realpath(place)
    while not os.path.ismount(place):
        place = os.path.dirname(place)  # noqa: PTH120
    return mismatch(name, f"room for more data on the disk at {place}", f"none ({reason})")


class InputError(ValueError):
    """A file, option or setting of a user that cannot be used.

    Its text is one line in the form of :func:`mismatch`. The parts stay available as
    attributes of the same names.

    Args:
        source: The file, or the command whose option is wrong.
        key: The place inside it: a key, a line, an option.
        expected: What is allowed there, as a noun phrase.
        found: What stands there instead.
        subject: The country, contig or variant that the other parts speak of, if one cause can
            have the same error for several. Such errors are reported in one line.
    """

    def __init__(
        self, source: object, key: str, expected: str, found: str, subject: str = ""
    ) -> None:
        self.source, self.key, self.expected, self.found = str(source), key, expected, found
        self.subject = subject
        super().__init__(mismatch(f"{source}: {key}", expected, found))

    def moved(self, source: object = None, key: str | None = None) -> InputError:
        """Make the same error about another place.

        Args:
            source: The file. None: as before.
            key: The place inside it. None: as before.

        Returns:
            A new error.
        """
        source, key = source or self.source, self.key if key is None else key
        return InputError(source, key, self.expected, self.found, self.subject)

    @property
    def without_subject(self) -> str:
        """The text without its subject and numbers; equal for errors that share a line."""
        if not self.subject:
            return str(self)
        text = re.sub(rf"(?<!\w){re.escape(self.subject)}(?!\w)", "*", str(self))
        return re.sub(r"\d[\d.,]*", "#", text)


class PlainError(RuntimeError):
    """Something outside of this code went wrong, such as a service: no traceback tells more."""


class InputErrors(InputError):  # noqa: N818 - several errors
    """Several things that cannot be used: one line for each cause, at most 20.

    As an ``InputError``, it has the parts of the first.

    Args:
        errors: At least one error.
    """

    def __init__(self, errors: Sequence[InputError]) -> None:
        first = errors[0]
        super().__init__(first.source, first.key, first.expected, first.found, first.subject)
        self.errors = list(errors)

    def __str__(self) -> str:
        """The lines."""
        causes: dict[str, list[InputError]] = {}
        for error in self.errors:
            causes.setdefault(error.without_subject, []).append(error)
        lines = [_joined(errors) for errors in causes.values()]
        more = len(lines) - MOST_ERRORS
        return "\n".join([*lines[:MOST_ERRORS], *([f"... and {more} more"] if more > 0 else [])])


def _joined(errors: Sequence[InputError]) -> str:
    """Write errors of one cause as one line: the first, and the subjects of the others."""
    others = list(dict.fromkeys(error.subject for error in errors))[1:]
    if not others:
        return str(errors[0])
    more = len(others) - MOST_SUBJECTS
    rest = f" and {more} more" if more > 0 else ""
    return f"{errors[0]}; likewise for {', '.join(others[:MOST_SUBJECTS])}{rest}"


class Complaints:
    """Collects the errors of checks that do not depend on each other, to report them together."""

    def __init__(self) -> None:
        self.errors: list[InputError] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Keep an InputError of the block, which ends the block, and go on after it."""
        try:
            yield
        except InputErrors as several:
            self.errors += several.errors
        except InputError as error:
            self.errors.append(error)

    def raise_any(self) -> None:
        """Raise what was collected.

        Raises:
            InputError: There was one error, or several (InputErrors).
        """
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            raise InputErrors(self.errors)
