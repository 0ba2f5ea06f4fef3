"""What a question to all nodes has come to: each node's state, and the failure of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.model import Answer

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NetworkFailure:
    """HTTP status and reason of the network's own error."""

    status: int
    reason: str


def common_failure(answers: Sequence[Answer]) -> NetworkFailure:
    """What it comes to when no node gave an answer that can be used.

    Where nodes refused, what most of them refused with: 400 for a request that is ill-formed, 401
    or 403 for one without the rights to it. Of statuses that equally many gave, the lowest: a
    request must be well-formed (400) before its asker is looked at (401), and the asker be known
    before their rights are (403). Where none refused: 504 when one was late, else 502; 503 when
    there is no node.
    """
    refused = Counter(one.http_status or 400 for one in answers if one.state == "refused")
    if refused:
        status = min(refused, key=lambda said: (-refused[said], said))
        reason = next(
            one.reason
            for one in answers
            if one.state == "refused" and (one.http_status or 400) == status
        )
        return NetworkFailure(
            status, f"{sum(refused.values())} of {len(answers)} nodes refused: {reason}"
        )
    if any(one.state == "late" for one in answers):
        return NetworkFailure(504, f"none of {len(answers)} nodes answered in time")
    if answers:
        return NetworkFailure(502, f"none of {len(answers)} nodes answered")
    return NetworkFailure(503, "the registry names no node")


def node_states(answers: Sequence[Answer]) -> Body:
    """``nodes``: what became of each; ``states``: how many of each state; ``complete``: whether
    every node answered."""
    return {
        "nodes": [node_state(answer) for answer in answers],
        "states": dict(Counter(answer.state for answer in answers)),
        "complete": all(answer.state == "answered" for answer in answers),
    }


def node_state(answer: Answer) -> Body:
    """What became of one node."""
    state: Body = {
        "node": answer.node,
        "state": answer.state,
        "httpStatus": answer.http_status,
        "latencyMs": round(answer.latency_s * 1000, 3),
    }
    return {**state, "reason": answer.reason} if answer.reason else state
