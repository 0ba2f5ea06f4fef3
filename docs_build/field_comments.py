"""An extension of griffe: the comment behind a field or a constant is its description."""

from __future__ import annotations

import io
import tokenize
from typing import Any

import griffe

MARKS = ("noqa", "type:", "pragma:", "fmt:")  # comments for tools, not for readers


class FieldComments(griffe.Extension):
    """Takes the comments behind fields of classes and constants of modules as docstrings."""

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:
        """Describe an attribute without a docstring by the comment behind it.

        Args:
            attr: An attribute that griffe found.
        """
        if attr.docstring is not None:
            return
        text = _comment(attr)
        if text:
            attr.docstring = griffe.Docstring(text, lineno=attr.endlineno, parent=attr)


def _comment(attr: griffe.Attribute) -> str:
    lines = attr.lines_collection[attr.filepath]
    if attr.endlineno is None or not 0 < attr.endlineno <= len(lines):
        return ""
    text = trailing_comment(lines[attr.endlineno - 1])
    return "" if text.startswith(MARKS) else sentence(text)


def trailing_comment(line: str) -> str:
    """Find the comment at the end of a line of Python.

    Args:
        line: One line, which may be a part of a statement.

    Returns:
        The text behind ``#``, or nothing.
    """
    if "#" not in line:
        return ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(line.strip()).readline):
            if token.type == tokenize.COMMENT:
                return token.string.lstrip("# ").strip()
    except (tokenize.TokenError, IndentationError):
        pass
    return ""


def sentence(text: str) -> str:
    """Make a sentence of a comment.

    Args:
        text: A comment. Its first letter is kept where it starts a name in code.

    Returns:
        The text with a full stop at the end.
    """
    if not text:
        return ""
    first = text[0].upper() if text[:2].islower() else text[0]
    return f"{first}{text[1:]}" + ("" if text[-1] in ".!?" else ".")
