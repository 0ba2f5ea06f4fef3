"""The frames around answers: meta, summaries, result sets, errors."""

from __future__ import annotations

from rehearsal.model import Granularity
from rehearsal.node.beacon.entry_types import ENTRY_TYPES
from rehearsal.node.beacon.request import BeaconRequest
from rehearsal.node.beacon.result import Result
from rehearsal.web.openapi import Body

API_VERSION = "v2.1.1"
SET_TYPE = "dataset"


def informational(beacon_id: str, response: Body, entry_types: tuple[str, ...] = ()) -> Body:
    """The answer of an informational endpoint (``/info``, ``/map``, ...)."""
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
    """Meta of an answer, with the request as it was understood."""
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


def summary(exists: bool, count: int, granularity: Granularity) -> Body:
    """``responseSummary``: the total is told unless only yes or no was asked."""
    if granularity == "boolean":
        return {"exists": exists}
    return {"exists": exists, "numTotalResults": count}


def result_sets(result: Result, request: BeaconRequest) -> list[Body]:
    """The datasets' answers that ``includeResultsetResponses`` wants.

    Each is told apart at every granularity, so that an asker sees who answered: whether
    anything exists, from ``count`` on how many, and at ``record`` a page of them. A dataset that
    tells less than the finest one says so.
    """
    wanted = {"ALL": (True, False), "HIT": (True,), "MISS": (False,), "NONE": ()}[request.include]
    finest = result.granularity
    sets = []
    for one in result.sets:
        if one.exists not in wanted:
            continue
        body: Body = {"id": one.dataset, "setType": SET_TYPE, "exists": one.exists}
        if one.granularity != "boolean":
            body |= {"resultsCount": one.count, "results": one.records}
        if one.granularity != finest:
            body["info"] = {"returnedGranularity": one.granularity}
        sets.append(body)
    return sets


def error(beacon_id: str, status: int, reason: str, request: BeaconRequest | None = None) -> Body:
    """A ``beaconErrorResponse``; ``request`` where it could be understood."""
    return {
        "meta": meta(beacon_id, None, request or BeaconRequest(), "boolean", "boolean"),
        "error": {"errorCode": status, "errorMessage": reason},
    }
