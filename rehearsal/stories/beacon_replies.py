"""The network's reply to a Beacon query, for the page."""

from __future__ import annotations

from collections.abc import Mapping

from rehearsal.model import Query
from rehearsal.network.service_client import NetworkReply
from rehearsal.stories.story_types import ReplySummary


def summarise_beacon_reply(
    reply: NetworkReply, query: Query, answers: Mapping[str, object], stayed_home: str
) -> ReplySummary:
    """Summarise the reply to a Beacon query.

    Args:
        reply: The network's reply.
        query: The query.
        answers: What to show of each country that answered.
        stayed_home: What was not sent, in a line or two.
    """
    countries = {}
    for one in reply.answers:
        shown: dict[str, object] = {
            "state": one.state,
            "latency_ms": round(one.latency_s * 1000, 3),
        }
        if one.state == "answered":
            shown["answer"] = answers[one.node]
        if one.reason:
            shown["reason"] = one.reason
        countries[one.node] = shown
    joined = reply.aggregated
    return ReplySummary(
        request={"path": query.entry_type, "purpose": query.purpose, "body": query.request},
        countries=countries,
        joined={
            "exists": joined.exists,
            "count": joined.count,
            "latency_ms": round(joined.latency_s * 1000, 3),
            "bytes": joined.size_bytes,
        },
        stayed_home=stayed_home,
    )
