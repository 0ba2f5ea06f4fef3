"""Latency, throughput and bytes by kind of query and node, and the verdict on QS-02.

A percentile here is the smallest observed latency that at least that share of the observations
does not exceed (nearest rank, as in HdrHistogram). It is always an observed latency, never a value
between two. With fewer than 100 observations p99 is therefore the maximum, so ``n`` is given too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rehearsal.evaluation.answer_table import NETWORK

PERCENTILES = {"p50_ms": 50, "p95_ms": 95, "p99_ms": 99}
ALL = "all"  # the kind's name in rows of all kinds together, without the control
QS02_OBJECTIVE = 0.95


def latency_table(answers: pd.DataFrame, control: pd.DataFrame) -> pd.DataFrame:
    """Compute one row per kind and node.

    ``network`` is among the nodes; ``all`` and ``control`` are among the kinds. The network's
    latency of a query is that of its slowest node.

    Args:
        answers: Rows of an answer table.
        control: Rows of control requests, in the same columns.

    Returns:
        Columns ``kind``, ``node``, ``n`` (answers and refusals in time; all figures are computed on
        these), ``unanswered`` (late or failed), ``p50_ms``, ``p95_ms``, ``p99_ms``, ``max_ms``,
        ``queries_per_s`` (one query after the other), ``bytes_mean``, ``bytes_total``.
    """
    together = answers.assign(kind=ALL)
    parts = pd.concat([answers, together, control], ignore_index=True)
    rows = [
        {"kind": kind, "node": node} | _figures(group)
        for (kind, node), group in parts.groupby(["kind", "node"], sort=True)
    ]
    return pd.DataFrame(rows)


def _figures(group: pd.DataFrame) -> dict[str, float | int]:
    replied = group[group["state"].isin(("answered", "refused"))]
    latencies = replied["latency_ms"].to_numpy()
    figures: dict[str, float | int] = {"n": len(replied), "unanswered": len(group) - len(replied)}
    for name, share in PERCENTILES.items():
        figures[name] = percentile(latencies, share)
    figures["max_ms"] = percentile(latencies, 100)
    total_s = latencies.sum() / 1000
    figures["queries_per_s"] = len(replied) / total_s if total_s else np.nan
    figures["bytes_mean"] = replied["bytes"].mean()
    figures["bytes_total"] = int(replied["bytes"].sum())
    return figures


def percentile(values: np.ndarray, share: float) -> float:
    """Compute the nearest-rank percentile. It is NaN without values.

    Args:
        values: The observations, shape (n,).
        share: Percentage, from 0 to 100.
    """
    if not len(values):
        return float("nan")
    return float(np.percentile(values, share, method="inverted_cdf"))


@dataclass(frozen=True, slots=True)
class QS02:
    """The quality scenario of cross-border discovery: counts or errors within the deadline."""

    deadline_s: float
    asked: int  # pairs of query and node, repeats included
    in_time: int
    objective: float = QS02_OBJECTIVE

    @property
    def success_rate(self) -> float:
        """Share of pairs with an answer in time; 0.0 if nothing was asked."""
        return self.in_time / self.asked if self.asked else 0.0

    @property
    def passed(self) -> bool:
        """Whether the success rate reaches the objective."""
        return self.success_rate >= self.objective


def have_replied(answers: pd.DataFrame) -> pd.Series:
    """Tell of each row whether there was a reply, in time or not; :func:`qs02` says what is one.

    Args:
        answers: Rows of an answer table.
    """
    is_rightly_refused = (answers["state"] == "refused") & answers["verdict"].isin(
        ["right", "incomplete"]
    )
    return (answers["state"] == "answered") | is_rightly_refused


def qs02(answers: pd.DataFrame, deadline_s: float) -> QS02:
    """Count the pairs of query and node that got a reply within the deadline.

    A reply is a Beacon answer, or a refusal where one is right, such as of an ill-formed query, for
    a spent privacy budget, or by somebody else's node that is not open to the caller's tier. A node
    that refuses what it should answer, is late, down, redirects, or replies with HTTP 5xx or
    nonsense has not replied, however fast it was.

    Args:
        answers: Rows of an answer table.
        deadline_s: The deadline, in seconds.
    """
    pairs = answers[answers["node"] != NETWORK]
    in_time = have_replied(pairs) & (pairs["latency_ms"] <= deadline_s * 1000)
    return QS02(deadline_s, len(pairs), int(in_time.sum()))
