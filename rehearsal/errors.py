"""The one form of an error message: where, what was expected, what was found."""

from __future__ import annotations

MOST_CHARACTERS = 60  # of a foreign value in a message


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
        value: The value that was found. ``None`` and truth values are shown as JSON and YAML
            write them.

    Returns:
        The text, for example ``'FI'``, ``3`` or ``null``.
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 3]}..."


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


class InputError(ValueError):
    """A file, option or setting of a user that cannot be used.

    Its text is one line in the form of :func:`mismatch`. The parts stay available as
    attributes of the same names.

    Args:
        source: The file, or the command whose option is wrong.
        key: The place inside it: a key, a line, an option.
        expected: What is allowed there, as a noun phrase.
        found: What stands there instead.
    """

    def __init__(self, source: object, key: str, expected: str, found: str) -> None:
        self.source, self.key, self.expected, self.found = str(source), key, expected, found
        super().__init__(mismatch(f"{source}: {key}", expected, found))
