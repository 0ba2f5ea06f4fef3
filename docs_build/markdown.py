"""Pieces of Markdown text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table.

    Args:
        header: The names of the columns.
        rows: The cells of each row, as Markdown of one line. Bars and line breaks are escaped.

    Returns:
        The lines of the table, with a line break at the end.
    """
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(value: object) -> str:
    """Show a value in code style as YAML and JSON write it.

    Args:
        value: A text is shown without quotes, everything else as JSON.

    Returns:
        The value between backquotes.
    """
    return f"`{value if isinstance(value, str) else _as_yaml(value)}`"


def _as_yaml(value: object) -> str:
    if isinstance(value, float):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def number(value: float) -> str:
    """Write a number as YAML reads it.

    Args:
        value: A small fraction is written like ``1.29e-8``, which YAML takes for a number.

    Returns:
        The digits.
    """
    digits, e, exponent = str(value).partition("e")
    if not e:
        return digits
    return f"{digits if '.' in digits else digits + '.0'}e{int(exponent):+}"


def sentence(text: str) -> str:
    """Make a sentence of a phrase.

    Args:
        text: A phrase of a schema or a help text.

    Returns:
        The text with a capital letter at the start and a full stop at the end.
    """
    text = " ".join(text.split())
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?:" else ".")
