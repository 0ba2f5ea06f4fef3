"""Pages over all nodes' entries, one node's after the other's in the order of the registry.

A page of the network is a window over that row of entries. A node knows only pages of its own,
and only it knows how many entries it has: so the first page takes one round of questions, a
later one two, the numbers first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rehearsal.network.client import NodeRequest
from rehearsal.node.beacon.request import DEFAULT_LIMIT, MAX_LIMIT


@dataclass(frozen=True, slots=True)
class Page:
    """``skip`` pages of ``limit`` entries are left out, as Beacon counts them."""

    skip: int
    limit: int

    @property
    def start(self) -> int:
        return self.skip * self.limit


def page_of(request: NodeRequest) -> Page | None:
    """The page that a request asks for; None when it is none that can be understood.

    Such a request goes to the nodes as it is, for them to refuse.
    """
    if request.method == "POST":
        query = (request.body or {}).get("query") or {}
        given = query.get("pagination") if isinstance(query, dict) else None
        given = {} if given is None else given
    else:
        given = dict(request.parameters)
    if not isinstance(given, Mapping):
        return None
    skip, limit = _whole(given.get("skip", 0)), _whole(given.get("limit", DEFAULT_LIMIT))
    if skip is None or limit is None:
        return None
    return Page(skip, min(limit or MAX_LIMIT, MAX_LIMIT))


def _whole(value: Any) -> int | None:
    """A number from 0 to a billion; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9
    return value if good else None


def with_page(request: NodeRequest, page: Page) -> NodeRequest:
    """The same request for another page."""
    numbers = {"skip": page.skip, "limit": page.limit}
    if request.method == "POST":
        body = dict(request.body or {})
        body["query"] = {**(body.get("query") or {}), "pagination": numbers}
        return replace(request, body=body)
    kept = tuple(pair for pair in request.parameters if pair[0] not in numbers)
    return replace(request, parameters=(*kept, *((k, str(v)) for k, v in numbers.items())))


def windows(counts: Sequence[int], page: Page) -> list[range]:
    """The part of each node's entries ``range(count)`` that lies on the page of all entries."""
    found, before = [], 0
    for count in counts:
        start = min(max(page.start - before, 0), count)
        stop = min(max(page.start + page.limit - before, 0), count)
        found.append(range(start, stop))
        before += count
    return found


def pages_for(window: range) -> list[Page]:
    """A node's own pages that hold a window of its entries: one, or two where it lies across."""
    if not window:
        return []
    limit = len(window)
    first, last = window.start // limit, (window.stop - 1) // limit
    return [Page(skip, limit) for skip in range(first, last + 1)]


def cut(entries: Sequence[Any], pages: Sequence[Page], window: range) -> list[Any]:
    """The window out of the entries of its pages, which stand one after the other."""
    if not pages:
        return []
    offset = window.start - pages[0].start
    return list(entries[offset : offset + len(window)])
