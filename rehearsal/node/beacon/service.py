"""From a typed request and a path to the body of an answer; knows nothing of HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyroaring import BitMap

from rehearsal.model import Granularity
from rehearsal.node.access import Rights
from rehearsal.node.beacon import framing, records
from rehearsal.node.beacon.answers import Scope, answer
from rehearsal.node.beacon.describing import DEFAULT_GRANULARITY
from rehearsal.node.beacon.entry_types import COLLECTIONS
from rehearsal.node.beacon.errors import BeaconProblem, shown
from rehearsal.node.beacon.holdings import Holdings
from rehearsal.node.beacon.matching import query_for
from rehearsal.node.beacon.request import BeaconRequest

Body = dict[str, Any]

OF_PEOPLE = frozenset({"people", "tests"})  # kinds of datasets that know single people


def entries(
    holdings: Holdings,
    rights: Rights,
    request: BeaconRequest,
    path: str,
    identifier: str | None = None,
    listed: str | None = None,
) -> Body:
    """The answer of ``/{path}``, ``/{path}/{identifier}`` or ``/{path}/{identifier}/{listed}``.

    Lists answer yes or no unless more is requested; one entry, and collections, are told whole.
    Raises BeaconProblem for what cannot be answered.
    """
    if path in COLLECTIONS and listed is None:
        return _collections(holdings, rights, request, path, identifier)
    whole = identifier is not None and listed is None
    wanted: Granularity = request.granularity or ("record" if whole else DEFAULT_GRANULARITY)
    granularity = rights.granted(wanted)
    scope = Scope() if identifier is None else _scope(holdings, path, identifier)
    entry_type = listed or path
    result = answer(entry_type, request, granularity, holdings, scope)
    return {
        "meta": framing.meta(holdings.settings.beacon_id, entry_type, request, wanted, granularity),
        "responseSummary": framing.summary(result.exists, result.count, granularity),
        "response": {"resultSets": framing.result_sets(result, request, granularity)},
    }


def _scope(holdings: Holdings, path: str, identifier: str) -> Scope:
    """What an identifier in a path narrows an answer to.

    A variant or person that is not here is a question that was answered: it does not exist here.
    """
    if path == "g_variants":
        return Scope(variant=query_for(identifier))
    if path == "datasets":
        return Scope(datasets=(holdings.dataset(identifier).id,))
    if path == "cohorts":
        _check_cohort(holdings, identifier)
        return Scope()
    suffix = records.SUFFIXES[path]
    position = None
    if identifier.endswith(suffix):
        position = holdings.people.position(identifier.removesuffix(suffix))
    return Scope(BitMap() if position is None else BitMap([position]), kinds=OF_PEOPLE)


def _check_cohort(holdings: Holdings, identifier: str) -> None:
    if identifier != records.cohort_id(holdings):
        raise BeaconProblem(f"no cohort {shown(identifier)} at this node", 404)


def _collections(
    holdings: Holdings,
    rights: Rights,
    request: BeaconRequest,
    path: str,
    identifier: str | None,
) -> Body:
    """The answer of ``/datasets`` and ``/cohorts``, and of one of them."""
    wanted: Granularity = request.granularity or "record"
    granularity = rights.granted(wanted)
    if path == "cohorts":
        if identifier is not None:
            _check_cohort(holdings, identifier)
        found = [records.cohort_record(holdings)]
    else:
        named = None if identifier is None else (holdings.dataset(identifier).id,)
        chosen = _datasets(holdings, request, named)
        found = [records.dataset_record(one, holdings) for one in chosen]
    page = found[request.first : request.first + request.limit] if granularity == "record" else []
    return {
        "meta": framing.meta(holdings.settings.beacon_id, path, request, wanted, granularity),
        "responseSummary": framing.summary(bool(found), len(found), granularity),
        "response": {"collections": page},
    }


def _datasets(
    holdings: Holdings, request: BeaconRequest, named: tuple[str, ...] | None
) -> list[str]:
    """Datasets by identifier: all, or one; of a query, those that hold what it asks for."""
    wanted = named or request.datasets or tuple(one.id for one in holdings.datasets)
    if request.variants is None and not request.filters:
        return [holdings.dataset(one).id for one in wanted]
    asked = replace(request, datasets=())
    result = answer("g_variants", asked, "boolean", holdings, Scope(datasets=wanted))
    return [one.dataset for one in result.sets if one.exists]
