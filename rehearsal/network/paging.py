"""Pages over the entries of all nodes, node after node in the order of the registry.

A page of the network is a window over this sequence. A node knows only its own pages, and only the
node knows its number of entries. The first page therefore takes one round of requests. A later page
takes two, of which the first asks for the counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rehearsal.network.client import NodeRequest
from rehearsal.node.beacon.request import DEFAULT_LIMIT, MAX_LIMIT


@dataclass(frozen=True, slots=True)
class Page:
    """A page, as Beacon counts pages.

    Args:
        skip: Number of pages before it.
        limit: Entries per page.
    """

    skip: int
    limit: int

    @property
    def start(self) -> int:
        """Number of entries before the page."""
        return self.skip * self.limit


def page_of(request: NodeRequest) -> Page | None:
    """Read the page that a request asks for.

    Args:
        request: The request.

    Returns:
        The page. None: it is not understood; such a request goes to the nodes unchanged, which
        refuse it.
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
    """Read a number from 0 to a billion; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9
    return value if good else None


def with_page(request: NodeRequest, page: Page) -> NodeRequest:
    """Ask for another page.

    Args:
        request: The request.
        page: The page.

    Returns:
        The same request for this page.
    """
    numbers = {"skip": page.skip, "limit": page.limit}
    if request.method == "POST":
        body = dict(request.body or {})
        body["query"] = {**(body.get("query") or {}), "pagination": numbers}
        return replace(request, body=body)
    kept = tuple(pair for pair in request.parameters if pair[0] not in numbers)
    return replace(request, parameters=(*kept, *((k, str(v)) for k, v in numbers.items())))


def windows(counts: Sequence[int], page: Page) -> list[range]:
    """Compute the part of each node's entries that lies on a page.

    Args:
        counts: Number of entries of each node.
        page: The page of all entries.

    Returns:
        A range of each node's entries, 0-based half-open.
    """
    found, before = [], 0
    for count in counts:
        start = min(max(page.start - before, 0), count)
        stop = min(max(page.start + page.limit - before, 0), count)
        found.append(range(start, stop))
        before += count
    return found


def pages_for(window: range) -> list[Page]:
    """Find a node's own pages that hold a window of its entries.

    Args:
        window: Range of its entries, 0-based half-open.

    Returns:
        No page for an empty window, otherwise one or two.
    """
    if not window:
        return []
    limit = len(window)
    first, last = window.start // limit, (window.stop - 1) // limit
    return [Page(skip, limit) for skip in range(first, last + 1)]


def cut(entries: Sequence[Any], pages: Sequence[Page], window: range) -> list[Any]:
    """Cut a window out of the entries of consecutive pages.

    Args:
        entries: The entries of the pages.
        pages: The pages, in order.
        window: Range of the node's entries, 0-based half-open.

    Returns:
        The entries of the window.
    """
    if not pages:
        return []
    offset = window.start - pages[0].start
    return list(entries[offset : offset + len(window)])
