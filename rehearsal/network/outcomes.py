"""The outcome of a query to all nodes: the state of each, and the error when all of them failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.model import Answer
from rehearsal.web.openapi import Body


@dataclass(frozen=True, slots=True)
class NetworkFailure:
    """The network's own error.

    Args:
        status: HTTP status.
        reason: The message.
    """

    status: int
    reason: str


def common_failure(answers: Sequence[Answer], names_collection: bool = False) -> NetworkFailure:
    """Determine the network's error when no node gave a usable answer.

    If nodes refused, it is their most frequent status: 400 for an ill-formed request, 401 or 403
    for missing rights. Among equally frequent statuses the lowest counts: a request must be
    well-formed (400) before its sender is identified (401), and the sender must be known before
    their rights are checked (403). If none refused, it is 504 when a node was late, else 502. It is
    503 when there is no node.

    If the query names datasets or a cohort, nodes without them count only if all nodes lack them.

    Args:
        answers: One answer per node.
        names_collection: Whether the query names datasets or a cohort.

    Returns:
        Status and reason.
    """
    having = _having(answers) if names_collection else answers
    refused = [answer for answer in having if answer.state == "refused"]
    if refused:
        status = _most_common_status(refused)
        reason = next(one.reason for one in refused if _refusal_status(one) == status)
        counts = f"{len(refused)} of {len(answers)} nodes refused"
        return NetworkFailure(status, f"{counts}: {reason}")
    if any(answer.state == "late" for answer in having):
        return NetworkFailure(504, f"none of {len(answers)} nodes answered in time")
    if answers:
        return NetworkFailure(502, f"none of {len(answers)} nodes answered")
    return NetworkFailure(503, "the registry has no node")


def _most_common_status(refused: Sequence[Answer]) -> int:
    counts = Counter(map(_refusal_status, refused))
    return min(counts, key=lambda status: (-counts[status], status))


def _refusal_status(answer: Answer) -> int:
    return answer.http_status or 400


def node_states(answers: Sequence[Answer], names_collection: bool = False) -> Body:
    """Summarise the outcomes of a query.

    Args:
        answers: One answer per node.
        names_collection: Whether the query names datasets or a cohort.

    Returns:
        ``nodes``: the outcome of each; ``states``: number of nodes by state; ``complete``: whether
        every node answered. A node without the named dataset or cohort refuses with 404. If
        another one answered, nothing is missing.
    """
    missing = [answer for answer in answers if answer.state != "answered"]
    if names_collection and len(missing) < len(answers):
        missing = [answer for answer in missing if not _lacks_collection(answer)]
    return {
        "nodes": [node_state(answer) for answer in answers],
        "states": dict(Counter(answer.state for answer in answers)),
        "complete": not missing,
    }


def _having(answers: Sequence[Answer]) -> Sequence[Answer]:
    """Leave out nodes without the named dataset or cohort, unless all nodes lack it."""
    return [one for one in answers if not _lacks_collection(one)] or answers


def _lacks_collection(answer: Answer) -> bool:
    return answer.state == "refused" and answer.http_status == 404


def node_state(answer: Answer) -> Body:
    """Describe the outcome of one node.

    Args:
        answer: The node's answer.

    Returns:
        The JSON object.
    """
    state: Body = {
        "node": answer.node,
        "state": answer.state,
        "httpStatus": answer.http_status,
        "latencyMs": round(answer.latency_s * 1000, 3),
    }
    return {**state, "reason": answer.reason} if answer.reason else state
