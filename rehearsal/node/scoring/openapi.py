"""The OpenAPI description of ``/scores``. The network builds its own from these schemas."""

from __future__ import annotations

from rehearsal.node.scoring.request import MOST_BINS, Digest, HazardSumsRequest, HistogramRequest
from rehearsal.web.openapi import (
    COUNT,
    NUMBER,
    SEX,
    TEXT,
    Body,
    all_of,
    in_path,
    informational,
    list_of,
    object_of,
    operation,
    schema_of,
)

DIGEST = schema_of(Digest)
FILE = all_of(
    {
        "scoringFile": DIGEST,
        "name": {**TEXT, "description": "Name of the score."},
        "trait": {**TEXT, "description": "The trait that it predicts."},
        "variants": {**COUNT, "description": "Number of variants."},
    }
)
GROUPS = list_of(
    object_of(
        ["below", "counts", "above"],
        {
            "sex": SEX,
            "case": {"type": "boolean", "description": "Whether they have the disease."},
            "below": {**COUNT, "description": "People below the first bin."},
            "counts": {**list_of(COUNT, MOST_BINS, 1), "description": "People in each bin."},
            "above": {**COUNT, "description": "People above the last bin."},
        },
    ),
    4,
    1,
)
HISTOGRAM = {
    "scoringFile": DIGEST,
    "edges": {
        **list_of(NUMBER, MOST_BINS + 1, 2),
        "description": "Edges of the bins, ascending, in standard deviations.",
    },
    "people": {**COUNT, "description": "Number of people in the histogram."},
    "groups": GROUPS,
}
SUMS = {
    "people": {**COUNT, "description": "Number of people in the regression."},
    "events": {**COUNT, "description": "Number of people with the disease."},
    "gradient": {**NUMBER, "description": "First derivative of the log partial likelihood."},
    "information": {**NUMBER, "description": "Its negative second derivative."},
}
HISTOGRAM_SUMMARY = "Compute a histogram of people's scores. Requires a grant."


def paths() -> Body:
    """Build the path items of a node, by path."""
    asked = schema_of(HistogramRequest)
    listed = {**list_of(FILE), "description": "The scoring files."}
    files = informational(all_of({"scoringFiles": listed}))
    hazard = informational(all_of({"scoringFile": DIGEST, **SUMS}))
    standardised = {**NUMBER, "description": "Standardised score."}
    score = informational(all_of({"scoringFile": DIGEST, "score": standardised}))
    return {
        "/scores": {
            "get": operation("List the node's scoring files.", files),
            "post": operation(HISTOGRAM_SUMMARY, informational(all_of(HISTOGRAM)), asked),
        },
        "/scores/hazard": {
            "post": operation(
                "Compute this node's sums of a Cox regression over all nodes. Requires a grant.",
                hazard,
                schema_of(HazardSumsRequest),
            )
        },
        "/scores/{digest}/individuals/{id}": {
            "parameters": [
                in_path("digest")[0] | {"description": "Digest of the scoring file."},
                in_path("id")[0] | {"description": "The patient's identifier."},
            ],
            "get": operation("Return the score of a clinician's own patient.", score),
        },
    }
