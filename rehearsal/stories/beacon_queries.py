"""The Beacon requests of questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.model import Query, Variant
from rehearsal.stories.story_types import Question

LIMIT = 1000  # largest page of a node


def beacon_query(
    question: Question,
    part: str,
    entry_type: str,
    parameters: Mapping[str, Any],
    filters: Sequence[Mapping[str, Any]],
    granularity: str,
) -> Query:
    """Build a query for a question, or for a named part of it.

    Args:
        question: The question.
        part: Name of the part; empty for the whole question.
        entry_type: ``individuals`` or ``g_variants``.
        parameters: Request parameters; positions are 0-based.
        filters: The filters.
        granularity: Requested granularity.
    """
    return Query(
        id=f"{question.id}/{part}" if part else question.id,
        kind=question.kind,
        entry_type=entry_type,
        request={
            "meta": {"apiVersion": "2.0"},
            "query": {
                "requestParameters": dict(parameters),
                "filters": [dict(one) for one in filters],
                "requestedGranularity": granularity,
                "includeResultsetResponses": "HIT",
                "pagination": {"skip": 0, "limit": LIMIT},
                "testMode": False,
            },
        },
        tier=question.asker.tier,
        purpose=question.asker.purpose,
    )


def allele(variant: Variant) -> dict[str, Any]:
    """Return the request parameters of one allele.

    Args:
        variant: The allele.
    """
    return {
        "assemblyId": "GRCh38",
        "referenceName": variant.contig.removeprefix("chr"),
        "start": [variant.start],
        "referenceBases": variant.ref,
        "alternateBases": variant.alt,
    }


def question_query(question: Question) -> Query:
    """Build the query of a question of kind ``beacon``.

    Args:
        question: The question.
    """
    asked = question.parameters
    entry_type = {"people": "individuals", "variants": "g_variants"}[asked["find"]]
    return beacon_query(
        question, "", entry_type, asked["parameters"], asked["filters"], asked["granularity"]
    )


def comparison_queries(question: Question) -> dict[str, Query]:
    """Build the queries of a question of kind ``comparison``, by their parts.

    Each stratum has four: all people with its filters (``STRATUM/all``), and those of them with the
    treatment (``treated``), with the outcome, and with both. A Beacon cannot express "without".
    Carriers of the variants that no one may carry are asked for in the same four ways, to be
    subtracted.

    Args:
        question: The question.
    """
    asked = question.parameters
    queries = {}
    for name, stratum in asked["strata"].items():
        base = [*asked["filters"], *stratum["filters"]]
        for part, more in {
            "all": [],
            "treated": asked["treated"],
            "outcome": asked["outcome"],
            "treated-outcome": [*asked["treated"], *asked["outcome"]],
        }.items():
            for number, variant in enumerate([None, *asked["without"]]):
                key = f"{name}/{part}" if variant is None else f"{name}/{part}/{number}"
                queries[key] = beacon_query(
                    question, key, "individuals", variant or {}, [*base, *more], "count"
                )
    return queries
