"""The table of a suite's answers: one row per query, node and repeat, and one of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rehearsal.evaluation.judgement import Judgement
from rehearsal.evaluation.network_judge import network_state
from rehearsal.model import Answer, Query
from rehearsal.network.aggregate import NetworkAnswer, count_of, says_exists

BASES = ("", "public facts", "noisy count")  # of protected answers, that of the most telling last
NETWORK = "network"  # the node's name in rows of aggregated answers

COLUMNS = {
    "query": "str",
    "kind": "str",
    "tier": "str",
    "node": "str",
    "repeat": "int64",
    "state": "str",
    "http_status": "Int64",
    "exists": "boolean",
    "count": "Int64",
    "observed": "str",
    "truth": "str",
    "equal": "boolean",
    "verdict": "str",
    "missing": "str",
    "judged_on": "str",
    "answerable": "boolean",
    "basis": "str",
    "latency_ms": "float64",
    "bytes": "int64",
    "reason": "str",
}

Row = dict[str, Any]


def node_row(query: Query, answer: Answer, repeat: int, has_content: bool = True) -> Row:
    """Build the row of one request to one node.

    Args:
        query: The query.
        answer: The node's answer.
        repeat: Number of the repeat, from 0.
        has_content: Whether a Beacon answer is expected, with presence and count.
    """
    answered = answer.state == "answered" and has_content
    return _query_columns(query, repeat) | {
        "node": answer.node,
        "state": answer.state,
        "http_status": answer.http_status,
        "exists": says_exists(answer) if answered else None,
        "count": count_of(answer) if answered else None,
        "latency_ms": answer.latency_s * 1000,
        "bytes": answer.size_bytes,
        "reason": answer.reason,
        "basis": _basis(answer),
    }


def _basis(answer: Answer) -> str:
    """Return how a protected answer came about, as the node says itself; else an empty text."""
    info = (answer.body or {}).get("info")
    privacy = info.get("privacy") if isinstance(info, dict) else None
    if not isinstance(privacy, dict):
        return ""
    bases = {str(one.get("basis", "")) for one in privacy.values() if isinstance(one, dict)}
    return max(bases, default="", key=BASES.index) if bases <= set(BASES) else ""


def network_row(query: Query, aggregated: NetworkAnswer, repeat: int) -> Row:
    """Build the row of one query to the network.

    Args:
        query: The query.
        aggregated: The network's answer.
        repeat: Number of the repeat, from 0.
    """
    is_uncounted = query.granularity == "boolean" or aggregated.exists is None
    return _query_columns(query, repeat) | {
        "node": NETWORK,
        "state": network_state(aggregated),
        "http_status": aggregated.http_status,
        "exists": aggregated.exists,
        "count": None if is_uncounted else aggregated.count,
        "latency_ms": aggregated.latency_s * 1000,
        "bytes": aggregated.size_bytes,
        "basis": "",
    }


def _query_columns(query: Query, repeat: int) -> Row:
    return {"query": query.id, "kind": query.kind, "tier": query.tier, "repeat": repeat}


def judgement_columns(judgement: Judgement, judged_on: str) -> Row:
    """Build the columns of a judgement.

    Args:
        judgement: The judgement of the row's answer.
        judged_on: What it was judged on: a granularity, ``protected`` or an empty text.
    """
    return {
        "observed": judgement.observed,
        "truth": judgement.expected,
        "equal": judgement.equal,
        "verdict": judgement.verdict,
        "missing": judgement.missing,
        "judged_on": judged_on,
    }


def answer_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Build the table with the columns ``COLUMNS``.

    Args:
        rows: The rows; missing columns become null.
    """
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
