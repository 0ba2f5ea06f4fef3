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
