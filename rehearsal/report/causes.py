"""Wrong and missing answers by their cause: one node that is down fails every query."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from rehearsal.evaluation.answer_table import NETWORK

KNOWN = "circuit open: "  # before the reason of a node that the network no longer asks
MOST_CHARACTERS = 160  # of a reason in a cause
WORDS = {
    "failed": "did not answer",
    "late": "was late",
    "missing": "is missing",
    "refused": "refused what it should answer",
    "wrong": "gave a wrong answer",
}


class Causes:
    """The causes that were found, each with the sentence of its first problem."""

    def __init__(self) -> None:
        self._sentences: dict[tuple[str, str, str], str] = {}

    def of(self, problem: Mapping[str, Any]) -> str:
        """Name the cause of a problem, without a full stop.

        Args:
            problem: ``node``, ``problem`` (a key of ``WORDS``) and ``reason``; without a reason,
                ``observed`` and ``expected``.
        """
        return self._sentences.setdefault(_kind(problem), _sentence(problem))


def add_causes(problems: pd.DataFrame) -> pd.DataFrame:
    """Name the cause of each problem.

    Problems of one node have the same cause if their reasons differ in numbers and names only; the
    cause then quotes the first. If a node has a problem with a query, that is also the cause of the
    network's problem with it.

    Args:
        problems: A table of ``problems.find_problems``.

    Returns:
        The same rows with the columns ``cause``, a sentence without its full stop, and ``queries``,
        how many queries fail by it; those of the most frequent cause first.
    """
    of_nodes = problems[problems["node"] != NETWORK]
    first = of_nodes.drop_duplicates("query").set_index("query")
    sentences, causes = Causes(), []
    for row in problems.to_dict("records"):
        if row["node"] == NETWORK and row["query"] in first.index:
            row = first.loc[row["query"]].to_dict()
        causes.append(sentences.of(row))
    named = problems.assign(cause=pd.Series(causes, index=problems.index, dtype=object))
    numbers = named.groupby("cause")["query"].nunique()
    named["queries"] = named["cause"].map(numbers).astype(int)
    order = ["queries", "cause", "query", "node"]
    return named.sort_values(order, ascending=[False, True, True, True], ignore_index=True)


def list_causes(problems: pd.DataFrame) -> list[dict[str, Any]]:
    """Count the queries that fail by each cause.

    Args:
        problems: A table of :func:`add_causes`.

    Returns:
        One mapping per cause, the most frequent first: ``cause``, ``queries`` (their number),
        ``query`` (the first of them), ``kind`` (of the first).
    """
    firsts = problems.drop_duplicates("cause")
    return firsts[["cause", "queries", "query", "kind"]].to_dict("records")


def _kind(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """What problems of one cause have in common."""
    return row["node"], row["problem"], re.sub(r"\S*\d\S*", "#", _reason(row))


def _reason(row: Mapping[str, Any]) -> str:
    """The first thing that was wrong."""
    text = (row["reason"] or "").removeprefix(KNOWN)
    if not text and row["problem"] == "wrong":
        text = f"{row['observed']} instead of {row['expected']}"
    text = " ".join(str(text).split("; ")[0].split())
    more = len(text) > MOST_CHARACTERS
    return f"{text[:MOST_CHARACTERS]}..." if more else text


def _sentence(row: Mapping[str, Any]) -> str:
    who = "the network" if row["node"] == NETWORK else row["node"]
    return f"{who} {WORDS[row['problem']]}: {_reason(row)}".rstrip(": ")
