"""The figures of a step of load: outcomes of requests, percentiles, load of the machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.evaluation.latency import ALL, percentile
from rehearsal.loadtest.load.saturation import IN_TIME_SHARE, P99_LIMIT_S
from rehearsal.loadtest.load.sender import Call, Sent
from rehearsal.model import ANSWER_STATES

MS = 1000.0


@dataclass(frozen=True, slots=True)
class Step:
    """A period of load at one rate."""

    rate_per_s: float  # queries per second
    duration_s: float
    connections: str  # warm, cold
    sent: Sequence[Sent]  # the queries
    control: Sequence[Sent]  # requests to the empty handler
    nodes: int  # number of nodes
    load_average: float
    cpu_s: dict[str, float] = field(default_factory=dict)  # CPU seconds by process group
    notes: dict[str, Any] = field(default_factory=dict)  # further columns of its rows


def counted_ms(sent: Sequence[Sent]) -> np.ndarray:
    """Select the latencies of requests that were answered or late.

    Refusals and failures are fast and would make the rest look faster.

    Args:
        sent: The requests.

    Returns:
        Latencies in ms, shape (n,).
    """
    return np.array([one.latency_s * MS for one in sent if one.state in ("answered", "late")])


def in_time_share(sent: Sequence[Sent]) -> float:
    """Compute the share of requests answered, or refused with a reason, by the deadline.

    Args:
        sent: The requests.

    Returns:
        The share; 0 without requests.
    """
    return sum(one.state in ("answered", "refused") for one in sent) / len(sent) if sent else 0.0


def meets(step: Step) -> bool:
    """Tell whether a step met the objective of saturation.

    Args:
        step: The step.
    """
    p99_ms = percentile(counted_ms(step.sent), 99)
    return in_time_share(step.sent) >= IN_TIME_SHARE and p99_ms <= P99_LIMIT_S * MS


def figures(sent: Sequence[Sent]) -> dict[str, Any]:
    """Compute counts and latencies of requests.

    Args:
        sent: The requests.

    Returns:
        Values by column; docs/operate/load.md explains the columns.
    """
    states = [one.state for one in sent]
    latencies = counted_ms(sent)
    return {
        "sent": len(sent),
        **{state: states.count(state) for state in ANSWER_STATES},
        "wrong": sum(one.equal is False for one in sent),
        "verified": sum(one.equal is not None for one in sent),
        **_node_counts(sent),
        "in_time_share": in_time_share(sent),
        **{f"p{share}_ms": percentile(latencies, share) for share in (50, 95, 99)},
        "max_ms": percentile(latencies, 100),
        "bytes_mean": float(np.mean([one.size_bytes for one in sent])) if sent else np.nan,
    }


def _node_counts(sent: Sequence[Sent]) -> dict[str, int]:
    """Count the nodes that the answers name, by state."""
    named = [one.nodes for one in sent if one.nodes is not None]
    counts = np.sum(named, axis=0) if named else np.zeros(len(ANSWER_STATES), int)
    return {f"node_{state}": int(n) for state, n in zip(ANSWER_STATES, counts, strict=True)}


def commonest_reason(sent: Sequence[Sent]) -> str:
    """Find the most frequent reason of late and failed requests.

    Args:
        sent: The requests.

    Returns:
        The reason; empty when no request was late or failed.
    """
    reasons = Counter(one.reason for one in sent if one.state in ("late", "failed"))
    return reasons.most_common(1)[0][0] if reasons else ""


def rows(step: Step, number: int, calls: Sequence[Call]) -> Iterator[dict[str, Any]]:
    """Make the rows of a step: one for the whole step, one per kind and one per role.

    Args:
        step: The step.
        number: Its number in the run, 0-based.
        calls: All calls of the run.

    Yields:
        Values by column.
    """
    about = {
        "step": number,
        "rate_per_s": step.rate_per_s,
        "duration_s": step.duration_s,
        "connections": step.connections,
    }
    yield about | {"kind": ALL, "role": ALL} | figures(step.sent) | _whole_step_figures(step)
    for part in ("kind", "role"):
        by_value: dict[str, list[Sent]] = {}
        for one in step.sent:
            by_value.setdefault(getattr(calls[one.call], part), []).append(one)
        for value, some in sorted(by_value.items()):
            yield about | {"kind": ALL, "role": ALL, part: value} | figures(some)


def _whole_step_figures(step: Step) -> dict[str, Any]:
    """The figures that only a whole step has: throughput, the control, the machine."""
    return {
        "meets_objective": meets(step),
        "answered_per_s": _answered_per_s(step.sent),
        "unnamed_nodes": unnamed_nodes(step),
        "send_lag_p99_ms": percentile(np.array([one.lag_s * MS for one in step.sent]), 99),
        **_control_figures(step.control),
        "load_average_1min": step.load_average,
        **{f"{who}_cpu_ms_per_query": s * MS / len(step.sent) for who, s in step.cpu_s.items()},
        "reason": commonest_reason(step.sent),
        **step.notes,
    }


def _answered_per_s(sent: Sequence[Sent]) -> float:
    answered = sum(one.state == "answered" for one in sent)
    ended_s = max((one.at_s + one.latency_s for one in sent), default=0.0)
    return answered / ended_s if ended_s else 0.0


def _control_figures(control: Sequence[Sent]) -> dict[str, float]:
    control_ms = np.array([one.latency_s * MS for one in control if one.state == "answered"])
    return {
        "control_n": len(control_ms),
        **{f"control_p{share}_ms": percentile(control_ms, share) for share in (50, 99)},
    }


def unnamed_nodes(step: Step) -> int:
    """Count the nodes that complete answers of the network do not name.

    Args:
        step: The step.

    Returns:
        The number of nodes without a recorded outcome, over all answers.
    """
    return sum(step.nodes - sum(one.nodes) for one in step.sent if one.nodes is not None)


def load_table(steps: Sequence[Step], calls: Sequence[Call]) -> pd.DataFrame:
    """Make the table of all steps.

    Args:
        steps: The steps, in their order.
        calls: All calls of the run.

    Returns:
        The rows of ``rows`` for each step.
    """
    return pd.DataFrame(
        [row for number, step in enumerate(steps) for row in rows(step, number, calls)]
    )
