"""The network's own Beacon answer, made of the nodes' answers.

Every node stands in ``info.nodes`` with its state, whatever became of it; every result set and
collection names the node it is from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.model import GRANULARITIES, Answer, Granularity
from rehearsal.network.aggregate import count_of, says_exists, totals
from rehearsal.network.outcomes import common_failure, node_state, node_states
from rehearsal.node.beacon import envelope
from rehearsal.node.beacon.entry_types import COLLECTIONS
from rehearsal.node.beacon.request import BeaconRequest
from rehearsal.web.openapi import Body

BEACON_ID = "org.rehearsal.network"


@dataclass(frozen=True, slots=True)
class Part:
    """One node's part in an answer: what it said, and its entries on this page.

    ``shown``: result sets, or collections, as they are to be shown, not yet marked.
    """

    answer: Answer
    beacon_id: str | None
    shown: tuple[Body, ...] = ()


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a question was asked. ``trace``: each node's whole answer is wanted too."""

    deadline_s: float
    partial: bool = False
    trace: bool = False
    elapsed_s: float = 0.0


def returned_granularity(answer: Answer) -> Granularity:
    """What a node says that it gave, or what can be seen where it does not say."""
    body = answer.body or {}
    stated = (body.get("meta") or {}).get("returnedGranularity")
    if stated in GRANULARITIES:
        return stated
    return "boolean" if count_of(answer) is None else "count"


def aggregate_entries(
    entry_type: str,
    request: BeaconRequest,
    wanted: Granularity | None,
    parts: Sequence[Part],
    conditions: Conditions,
) -> tuple[int, Body]:
    """HTTP status and body of an answer with entries of ``entry_type`` (path of its endpoint).

    ``wanted``: the granularity that was asked for; None: left to the nodes. The answer has the
    finest granularity that any node gave, at most the wanted one. When no node answered, it is
    an error (``common_failure``).
    """
    answered = [part.answer for part in parts if part.answer.state == "answered"]
    if not answered:
        return failure(request, parts, conditions)
    finest = max(map(returned_granularity, answered), key=GRANULARITIES.index)
    granularity = min(finest, wanted or finest, key=GRANULARITIES.index)
    exists, count, _ = totals(answered)
    shown = _unique(_marked(part, one) for part in parts for one in part.shown)
    section = "collections" if entry_type in COLLECTIONS else "resultSets"
    return 200, {
        "meta": envelope.meta(BEACON_ID, entry_type, request, wanted or granularity, granularity),
        "responseSummary": envelope.summary(bool(exists), count, granularity),
        "response": {section: shown},
        "info": network_info(parts, conditions),
    }


def network_info(parts: Sequence[Part], conditions: Conditions) -> Body:
    """``info``: who was asked, how, and what became of it."""
    answers = [part.answer for part in parts]
    _, _, uncounted = totals([one for one in answers if one.state == "answered"])
    return {
        **node_states(answers),
        "nodes": [_part_state(part, conditions.trace) for part in parts],
        "uncounted": list(uncounted),
        "deadlineS": conditions.deadline_s,
        "partial": conditions.partial,
        "elapsedMs": round(conditions.elapsed_s * 1000, 3),
    }


def _part_state(part: Part, trace: bool) -> Body:
    answer = part.answer
    state: Body = {"node": answer.node, "beaconId": part.beacon_id} | node_state(answer)
    reason = state.pop("reason", None)
    if answer.state == "answered":
        state |= {"granularity": returned_granularity(answer), "exists": says_exists(answer)}
        if (count := count_of(answer)) is not None:
            state["count"] = count
    if reason is not None:
        state["reason"] = reason
    if trace:
        state |= {"bytes": answer.size_bytes, "answer": answer.body}
    return state


def _marked(part: Part, one: Mapping[str, Any]) -> Body:
    info = one.get("info")
    mark = {"node": part.answer.node, "beaconId": part.beacon_id, "state": part.answer.state}
    return {**one, "info": {**(info if isinstance(info, dict) else {}), **mark}}


def _unique(marked: Iterable[Body]) -> list[Body]:
    """The same with unique ids: one that another node has used is prefixed by its node."""
    found: dict[str, Body] = {}
    for one in marked:
        identifier = str(one["id"])
        if identifier in found:
            identifier = f"{one['info']['node']}:{identifier}"
        found[identifier] = {**one, "id": identifier}
    return list(found.values())


def failure(
    request: BeaconRequest, parts: Sequence[Part], conditions: Conditions
) -> tuple[int, Body]:
    """HTTP status and body of the network's error when no node answered."""
    common = common_failure([part.answer for part in parts])
    body = envelope.error(BEACON_ID, common.status, common.reason, request)
    return common.status, {**body, "info": network_info(parts, conditions)}


def shown_of(answer: Answer, entry_type: str) -> tuple[Body, ...]:
    """A node's result sets or collections, made fit for an answer of ours.

    A result set without ``setType`` or ``exists`` gets what follows from the rest; what has no
    ``id`` cannot be shown.
    """
    response = (answer.body or {}).get("response")
    response = response if isinstance(response, dict) else {}
    section = "collections" if entry_type in COLLECTIONS else "resultSets"
    found = [one for one in _entries(response.get(section)) if one.get("id") is not None]
    return tuple(found if section == "collections" else (_fit(one, answer) for one in found))


def _fit(one: Body, answer: Answer) -> Body:
    fit = {"setType": envelope.SET_TYPE, "exists": says_exists(answer), **one}
    if "results" in fit:
        fit["results"] = _entries(fit["results"])
    return fit


def _entries(value: Any) -> list[Body]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def aggregate_terms(parts: Sequence[Part], conditions: Conditions) -> Body:
    """The answer of ``filtering_terms``: the union of what the nodes offer.

    A term is one ``id`` and ``type``; its scopes and values are those of all nodes.
    """
    terms: dict[tuple[str, str], Body] = {}
    resources: dict[str, Body] = {}
    for part in parts:
        response = (part.answer.body or {}).get("response")
        if part.answer.state != "answered" or not isinstance(response, dict):
            continue
        for term in _entries(response.get("filteringTerms")):
            if isinstance(term.get("id"), str) and isinstance(term.get("type"), str):
                _add_term(terms, term)
        for resource in _entries(response.get("resources")):
            resources.setdefault(str(resource.get("id")), resource)
    response = {"filteringTerms": list(terms.values()), "resources": list(resources.values())}
    body = envelope.informational(BEACON_ID, response)
    return {**body, "info": network_info(parts, conditions)}


def _add_term(terms: dict[tuple[str, str], Body], term: Body) -> None:
    known = terms.setdefault((term["id"], term["type"]), dict(term))
    for key in ("scopes", "values"):
        if isinstance(term.get(key), list):
            known[key] = list(dict.fromkeys([*known.get(key, ()), *term[key]]))
