"""Pages of lists, as WES has them: a size and a token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rehearsal.errors import shown
from rehearsal.web.problem import Problem

DEFAULT_SIZE, MOST = 50, 1000


def page_of(
    items: Sequence[dict[str, Any]], pairs: Iterable[tuple[str, str]]
) -> tuple[list[dict[str, Any]], str]:
    """Cut a page out of a list.

    Args:
        items: The whole list, in a stable order.
        pairs: Parameters of the URL: ``page_size`` and ``page_token``.

    Returns:
        The page, and the token of the next one, empty after the last.

    Raises:
        Problem: A parameter is unknown or invalid (400).
    """
    given = {"page_size": str(DEFAULT_SIZE), "page_token": ""}
    for name, value in pairs:
        if name not in given:
            raise Problem.mismatch("the query string", f"one of {', '.join(given)}", shown(name))
        given[name] = value
    size = _number("page_size", given["page_size"], 1)
    first = _number("page_token", given["page_token"] or "0", 0)
    end = first + min(size, MOST)
    return list(items[first:end]), str(end) if end < len(items) else ""


def _number(name: str, text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least):
        expected = "a token of a page before" if name == "page_token" else "a whole number above 0"
        raise Problem.mismatch(name, expected, shown(text))
    return int(text)
