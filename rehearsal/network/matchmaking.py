"""Merge the nodes' rankings of matching patients into the network's answer.

All nodes compute scores from the same HPO annotations, so scores are comparable. Nodes with equal
scores are ordered by name; each node keeps its own order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from rehearsal.model import Answer
from rehearsal.network.beacon_response import Conditions, Part, failure, network_info
from rehearsal.node.beacon.request import BeaconRequest
from rehearsal.web.openapi import Body

PATH = "match"
NOTICES = ("disclaimer", "terms")  # texts that all answers show


def aggregate_matches(parts: Sequence[Part], conditions: Conditions) -> tuple[int, Body]:
    """Build the response to a match request.

    Every result names its node in ``_node``. The nodes' disclaimers and terms are all shown. A node
    whose answer is not a list of scored patients is marked as failed. When no node answered, the
    response is an error.

    Args:
        parts: One part per node.
        conditions: How the request was made.

    Returns:
        HTTP status and body. ``info`` has each node's number of results as its count.
    """
    parts = [replace(part, answer=_checked(part.answer)) for part in parts]
    if not any(part.answer.state == "answered" for part in parts):
        return _refusal(parts, conditions)
    body: Body = {"results": _ranking(parts)}
    body |= {name: texts for name in NOTICES if (texts := _texts(parts, name))}
    notes = _notes(parts)
    body |= {"_notes": notes} if notes else {}
    body["_hpo"] = _versions(parts)
    return 200, body | {"info": _info(parts, conditions)}


def _ranking(parts: Sequence[Part]) -> list[Body]:
    results = [
        {**one, "_node": part.answer.node} for part in parts for one in _results(part.answer)
    ]
    return sorted(results, key=lambda one: (-one["score"]["patient"], one["_node"]))


def _info(parts: Sequence[Part], conditions: Conditions) -> Body:
    """Build ``info`` with each node's number of results."""
    info = network_info(parts, conditions)
    for state, part in zip(info["nodes"], parts, strict=True):
        if part.answer.state == "answered":
            state.pop("granularity")
            state |= {"exists": bool(found := _results(part.answer)), "count": len(found)}
    return info


def _results(answer: Answer) -> list[Body]:
    return (answer.body or {}).get("results") or [] if answer.state == "answered" else []


def _notes(parts: Sequence[Part]) -> list[str]:
    """List the notes of all nodes, each once."""
    return sorted({one for part in parts for one in (part.answer.body or {}).get("_notes") or []})


def _versions(parts: Sequence[Part]) -> dict[str, str]:
    """Return each node's release of HPO."""
    found = ((part.answer.node, _text(part.answer, "_hpo")) for part in parts)
    return {node: version for node, version in found if version is not None}


def _refusal(parts: Sequence[Part], conditions: Conditions) -> tuple[int, Body]:
    """Build the error of a network without an answer, with the Matchmaker Exchange's message."""
    status, body = failure(BeaconRequest(), parts, conditions)
    return status, {**body, "message": body["error"]["errorMessage"]}


def _texts(parts: Sequence[Part], name: str) -> str:
    """Join what the nodes say under a key, each text once."""
    return " ".join(sorted({text for part in parts if (text := _text(part.answer, name))}))


def _text(answer: Answer, name: str) -> str | None:
    text = (answer.body or {}).get(name) if answer.state == "answered" else None
    return text if isinstance(text, str) else None


def _checked(answer: Answer) -> Answer:
    """Return the answer, marked as failed if it is not a list of scored patients."""
    if answer.state != "answered":
        return answer
    body = answer.body or {}
    results, notes = body.get("results"), body.get("_notes", [])
    if not isinstance(results, list):
        fault = "no list of results"
    elif not all(map(_is_scored, results)):
        fault = "a result without a patient or a score from 0 to 1"
    elif not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        fault = "notes that are not text"
    else:
        return answer
    return replace(answer, state="failed", reason=f"HTTP 200 without matches: {fault}")


def _is_scored(one: Any) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("patient"), dict):
        return False
    score = one["score"].get("patient") if isinstance(one.get("score"), dict) else None
    if isinstance(score, bool) or not isinstance(score, int | float):
        return False
    return isfinite(score) and 0 <= score <= 1
