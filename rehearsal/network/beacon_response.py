"""Build the network's Beacon response from the nodes' answers.

``info.nodes`` lists every node with its state. Every result set and collection names its node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.model import GRANULARITIES, Answer, Granularity
from rehearsal.network.aggregate import count_of, says_exists, totals
from rehearsal.network.outcomes import common_failure, node_state, node_states
from rehearsal.node.beacon import envelope
from rehearsal.node.beacon.datasets import unknown_dataset_note
from rehearsal.node.beacon.entry_types import COLLECTIONS
from rehearsal.node.beacon.request import BeaconRequest
from rehearsal.web.openapi import Body

BEACON_ID = "org.rehearsal.network"


@dataclass(frozen=True, slots=True)
class Part:
    """The part of one node: its answer, and its entries on this page.

    Args:
        answer: The node's answer.
        beacon_id: The node's Beacon id; None when it is not known yet.
        shown: Result sets or collections to return, without the mark of their node.
    """

    answer: Answer
    beacon_id: str | None
    shown: tuple[Body, ...] = ()


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a query was asked.

    Args:
        deadline_s: Deadline of the nodes, in seconds.
        partial: Whether the answer may leave without overdue nodes.
        trace: Whether the answer includes each node's whole answer.
        elapsed_s: Time that the query took, in seconds.
        names_collection: Whether the query names datasets or a cohort, which other nodes lack.
    """

    deadline_s: float
    partial: bool = False
    trace: bool = False
    elapsed_s: float = 0.0
    names_collection: bool = False


def returned_granularity(answer: Answer) -> Granularity:
    """Determine the granularity of a node's answer.

    Args:
        answer: The node's answer.

    Returns:
        The stated granularity, or the one that the content implies.
    """
    meta = (answer.body or {}).get("meta")
    stated = meta.get("returnedGranularity") if isinstance(meta, dict) else None
    for granularity in GRANULARITIES:
        if stated == granularity:
            return granularity
    return "boolean" if count_of(answer) is None else "count"


def aggregate_entries(
    entry_type: str,
    request: BeaconRequest,
    wanted: Granularity | None,
    parts: Sequence[Part],
    conditions: Conditions,
) -> tuple[int, Body]:
    """Build the response to a query for entries.

    The response has the finest granularity that any node returned, at most the wanted one. When no
    node answered, it is an error (``common_failure``).

    Args:
        entry_type: Path of the endpoint of the returned entries.
        request: The query as the network understands it.
        wanted: The requested granularity; None leaves it to the nodes.
        parts: One part per node.
        conditions: How the query was asked.

    Returns:
        HTTP status and body.
    """
    answered = [part.answer for part in parts if part.answer.state == "answered"]
    if not answered:
        return failure(request, parts, conditions)
    finest = max(map(returned_granularity, answered), key=GRANULARITIES.index)
    granularity = min(finest, wanted or finest, key=GRANULARITIES.index)
    exists, count, uncounted = totals(answered)
    shown = _unique(_marked(part, one) for part in parts for one in part.shown)
    section = "collections" if entry_type in COLLECTIONS else "resultSets"
    return 200, {
        "meta": envelope.meta(BEACON_ID, entry_type, request, wanted or granularity, granularity),
        "responseSummary": _summary(bool(exists), count, uncounted, granularity),
        "response": {section: shown},
        "info": network_info(parts, conditions) | _warnings(parts, request.datasets),
    }


def _summary(exists: bool, count: int, uncounted: Sequence[str], granularity: Granularity) -> Body:
    """Build ``responseSummary``. A total of 0 would contradict a yes without a number."""
    return envelope.summary(exists, None if uncounted and not count else count, granularity)


def _warnings(parts: Sequence[Part], datasets: Iterable[str]) -> Body:
    """Collect the nodes' warnings, each once.

    A named dataset is usually one node's. That it is unknown is told if no node that answered has
    it.
    """
    told = [_warnings_of(part.answer) for part in parts if part.answer.state == "answered"]
    texts = set().union(*told) - {
        note
        for note in map(unknown_dataset_note, datasets)
        if not all(note in some for some in told)
    }
    return {"warnings": sorted(texts)} if texts else {}


def network_info(parts: Sequence[Part], conditions: Conditions) -> Body:
    """Build ``info``: which nodes were asked, how, and with what outcome.

    Args:
        parts: One part per node.
        conditions: How the query was asked.

    Returns:
        The JSON object.
    """
    answers = [part.answer for part in parts]
    _, _, uncounted = totals([one for one in answers if one.state == "answered"])
    return {
        **node_states(answers, conditions.names_collection),
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
        for key in ("privacy", "warnings"):  # how the node came to its answer
            if (told := _info_of(answer, key)) is not None:
                state[key] = told
    if reason is not None:
        state["reason"] = reason
    if trace:
        state |= {"bytes": answer.size_bytes, "answer": answer.body}
    return state


def _info_of(answer: Answer, key: str) -> Any:
    """Return what a node says in the ``info`` of its answer; None: nothing."""
    info = (answer.body or {}).get("info")
    return info.get(key) if isinstance(info, dict) else None


def _warnings_of(answer: Answer) -> set[str]:
    told = _info_of(answer, "warnings")
    return set(map(str, told)) if isinstance(told, list) else set()


def _marked(part: Part, one: Mapping[str, Any]) -> Body:
    info = one.get("info")
    mark = {"node": part.answer.node, "beaconId": part.beacon_id, "state": part.answer.state}
    marked = {**one, "info": {**(info if isinstance(info, dict) else {}), **mark}}
    return {**marked, "beaconId": part.beacon_id} if "setType" in one else marked


def _unique(marked: Iterable[Body]) -> list[Body]:
    """Make ids unique: an id that another node has used gets its node as a prefix."""
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
    """Build the network's error when no node answered.

    Args:
        request: The query as the network understands it.
        parts: One part per node.
        conditions: How the query was asked.

    Returns:
        HTTP status and body.
    """
    common = common_failure([part.answer for part in parts], conditions.names_collection)
    body = envelope.error(BEACON_ID, common.status, common.reason, request)
    return common.status, {**body, "info": network_info(parts, conditions)}


def shown_of(answer: Answer, entry_type: str) -> tuple[Body, ...]:
    """List a node's result sets or collections in a form that the network can return.

    A result set without ``setType`` or ``exists`` gets the value that follows from the rest. An
    entry without ``id`` is left out.

    Args:
        answer: The node's answer.
        entry_type: Path of the endpoint of the returned entries.

    Returns:
        Result sets or collections.
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
    """Build the response of ``filtering_terms``: the union of the nodes' terms.

    A term is identified by ``id`` and ``type``. Its scopes and values are those of all nodes.

    Args:
        parts: One part per node.
        conditions: How the query was asked.

    Returns:
        The body.
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
