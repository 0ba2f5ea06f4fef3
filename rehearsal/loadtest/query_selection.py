"""Selecting the queries of load tests: those of controlled access that have a right answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.model import Query


def select_kinds_in_turn(suite: Sequence[Query], number: int) -> list[Query]:
    """Select the first queries, with the kinds taking turns.

    Args:
        suite: The query suite.
        number: How many to select at most.

    Returns:
        The queries.
    """
    by_kind: dict[str, list[Query]] = {}
    for query in _with_right_answer(suite):
        by_kind.setdefault(query.kind, []).append(query)
    return list(_in_turn(by_kind))[:number]


def select_evenly(suite: Sequence[Query], number: int) -> list[Query]:
    """Select queries at even steps through the suite.

    Args:
        suite: The query suite.
        number: How many to select at most.

    Returns:
        The queries.
    """
    queries = _with_right_answer(suite)
    return queries[:: max(1, len(queries) // number)][:number]


def _with_right_answer(suite: Sequence[Query]) -> list[Query]:
    return [one for one in suite if one.tier == "controlled" and one.kind != "ill_formed"]


def _in_turn(groups: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
    for turn in range(max(map(len, groups.values()), default=0)):
        for group in groups.values():
            if turn < len(group):
                yield group[turn]
