"""The envelopes of answers: meta, summaries, result sets, errors."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.model import Granularity
from rehearsal.node.beacon.entry_types import API_VERSION, ENTRY_TYPES
from rehearsal.node.beacon.request import BeaconRequest
from rehearsal.node.beacon.result import Result, ResultSet
from rehearsal.web.openapi import Body

SET_TYPE = "dataset"


def informational(beacon_id: str, response: Body, entry_types: tuple[str, ...] = ()) -> Body:
    """Build the answer of an informational endpoint (``/info``, ``/map``, ...).

    Args:
        beacon_id: Identifier of the Beacon.
        response: The response.
        entry_types: Paths of the entry types whose schemas the answer names.
    """
    meta = {
        "beaconId": beacon_id,
        "apiVersion": API_VERSION,
        "returnedSchemas": [_schema(path) for path in entry_types],
    }
    return {"meta": meta, "response": response}


def meta(
    beacon_id: str,
    entry_type: str | None,
    request: BeaconRequest,
    wanted: Granularity,
    returned: Granularity,
) -> Body:
    """Build the ``meta`` of an answer, with a summary of the request.

    Args:
        beacon_id: Identifier of the Beacon.
        entry_type: Path of the entry type in the answer, or None.
        request: The parsed request.
        wanted: The requested granularity.
        returned: The granularity of the answer.
    """
    summary: Body = {
        "apiVersion": request.api_version,
        "requestedSchemas": list(request.requested_schemas),
        "pagination": {"skip": request.skip, "limit": request.limit},
        "requestedGranularity": wanted,
        "includeResultsetResponses": request.include,
        "testMode": request.test_mode,
        "filters": [str(one) for one in request.filters],
    }
    if request.parameters:
        summary["requestParameters"] = {"g_variant": dict(request.parameters)}
    return {
        "beaconId": beacon_id,
        "apiVersion": API_VERSION,
        "returnedSchemas": [_schema(entry_type)] if entry_type else [],
        "returnedGranularity": returned,
        "receivedRequestSummary": summary,
        "testMode": request.test_mode,
    }


def _schema(path: str) -> dict[str, str]:
    return {"entityType": ENTRY_TYPES[path].id, "schema": ENTRY_TYPES[path].schema}


def summary(exists: bool, count: int | None, granularity: Granularity) -> Body:
    """Build ``responseSummary``.

    Args:
        exists: Whether there are matches.
        count: The total, which is left out at granularity ``boolean``. None: not known.
        granularity: The granularity of the answer.
    """
    if granularity == "boolean" or count is None:
        return {"exists": exists}
    return {"exists": exists, "numTotalResults": count}


def result_sets(
    beacon_id: str,
    result: Result,
    finest: Granularity,
    request: BeaconRequest,
    handovers: Callable[[ResultSet], list[Body]],
) -> list[Body]:
    """Build ``resultSets``: the datasets' answers selected by ``includeResultsetResponses``.

    Each dataset has its own result set at every granularity, so that the caller sees which datasets
    answered: whether there are matches, from ``count`` on how many, and at ``record`` a page of
    them. A dataset that returns a coarser granularity than the finest one says so in ``info``.

    Args:
        beacon_id: Identifier of the Beacon, which every result set names: clients of a network
            read there whose it is.
        result: The answer of all datasets.
        finest: The finest granularity of them.
        request: The parsed request.
        handovers: Returns where to go on from a result set with records.
    """
    wanted = {"ALL": (True, False), "HIT": (True,), "MISS": (False,), "NONE": ()}[request.include]
    sets = []
    for one in result.sets:
        if one.exists not in wanted:
            continue
        body: Body = {"id": one.dataset, "beaconId": beacon_id, "setType": SET_TYPE}
        body["exists"] = one.exists
        if one.granularity != "boolean":
            body |= {"resultsCount": one.count, "results": one.records}
        if one.records and (further := handovers(one)):
            body["resultsHandovers"] = further
        if one.granularity != finest:
            body["info"] = {"returnedGranularity": one.granularity}
        sets.append(body)
    return sets


def error(beacon_id: str, status: int, reason: str, request: BeaconRequest | None = None) -> Body:
    """Build a ``beaconErrorResponse``.

    Args:
        beacon_id: Identifier of the Beacon.
        status: HTTP status, the ``errorCode``.
        reason: The message.
        request: The request, when it could be parsed.
    """
    return {
        "meta": meta(beacon_id, None, request or BeaconRequest(), "boolean", "boolean"),
        "error": {"errorCode": status, "errorMessage": reason},
    }
