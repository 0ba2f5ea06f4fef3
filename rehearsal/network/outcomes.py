"""What a question to all nodes has come to: each node's state, and the failure of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.model import Answer
from rehearsal.web.openapi import Body


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
    refused = [answer for answer in answers if answer.state == "refused"]
    if refused:
        status = _most_common_status(refused)
        reason = next(one.reason for one in refused if _refusal_status(one) == status)
        counts = f"{len(refused)} of {len(answers)} nodes refused"
        return NetworkFailure(status, f"{counts}: {reason}")
    if any(answer.state == "late" for answer in answers):
        return NetworkFailure(504, f"none of {len(answers)} nodes answered in time")
    if answers:
        return NetworkFailure(502, f"none of {len(answers)} nodes answered")
    return NetworkFailure(503, "the registry names no node")


def _most_common_status(refused: Sequence[Answer]) -> int:
    counts = Counter(map(_refusal_status, refused))
    return min(counts, key=lambda status: (-counts[status], status))


def _refusal_status(answer: Answer) -> int:
    return answer.http_status or 400


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
