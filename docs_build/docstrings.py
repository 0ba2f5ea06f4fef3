"""Extensions of griffe for what docstrings of this library leave to others.

The comment behind a field is its description, a named tuple has parameters, and a role such as
``:func:`` is a link.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from typing import Any

import griffe

ROLE = re.compile(r":(?:func|class|mod|meth|data|attr|exc):`~?([\w.]+)`")
MARKS = ("noqa", "type:", "pragma:", "fmt:")  # comments for tools, not for readers


class Docstrings(griffe.Extension):
    """Completes the docstrings of a package and of all in it."""

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

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Give a named tuple the parameters that its fields stand for, as dataclasses have them.

        Args:
            cls: A class that griffe found.
        """
        if "__init__" in cls.members or not cls.bases or str(cls.bases[0]) != "NamedTuple":
            return
        kind = griffe.ParameterKind.positional_or_keyword
        fields = [
            griffe.Parameter(one.name, annotation=one.annotation, kind=kind, default=one.value)
            for one in cls.members.values()
            if isinstance(one, griffe.Attribute) and one.annotation is not None
        ]
        parameters = griffe.Parameters(griffe.Parameter("self", kind=kind), *fields)
        made = griffe.Function("__init__", lineno=0, endlineno=0, parent=cls, parameters=parameters)
        cls.set_member("__init__", made)

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Make links of the roles in all docstrings.

        Args:
            pkg: A package, with all modules in it.
        """
        for one in _documented(pkg):
            if one.docstring is not None:
                one.docstring.value = _with_links(one, pkg)


def _documented(part: griffe.Module | griffe.Class) -> Iterator[griffe.Object]:
    yield part
    for member in part.members.values():
        if isinstance(member, griffe.Module | griffe.Class):
            yield from _documented(member)
        elif isinstance(member, griffe.Function | griffe.Attribute):
            yield member


def _with_links(one: griffe.Object, package: griffe.Module) -> str:
    """The docstring of an object, in which each role is a link, or a name where none can be."""

    def link(match: re.Match[str]) -> str:
        shown = f"`{match[1].removeprefix(package.name + '.')}`"
        path = _path(match[1], one, package)
        return shown if path is None else f"[{shown}][{path}]"

    return ROLE.sub(link, one.docstring.value) if one.docstring is not None else ""


def _path(name: str, one: griffe.Object, package: griffe.Module) -> str | None:
    """The path of what a name stands for in a docstring; None: the pages do not show it."""
    path = name
    if not name.startswith(f"{package.name}."):
        first, _, rest = name.partition(".")
        try:
            path = ".".join(filter(None, (one.resolve(first), rest)))
        except griffe.NameResolutionError:
            return None
    steps = path.split(".")
    try:
        found = package[steps[1:]]
    except KeyError:
        return None
    is_public = steps[0] == package.name and not any(step.startswith("_") for step in steps)
    return path if is_public and found.has_docstrings else None


def _comment(attr: griffe.Attribute) -> str:
    file = attr.filepath
    lines = [] if isinstance(file, list) else attr.lines_collection[file]
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
