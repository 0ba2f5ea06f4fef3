"""``/subscriptions`` and ``/alerts`` in OpenAPI descriptions."""

from __future__ import annotations

from rehearsal.node.alerts.profile import MOST_TERMS, OLDEST
from rehearsal.node.alerts.request import LONGEST_WAIT_S, MOST_SUBSCRIPTIONS, MOST_TOKENS
from rehearsal.web.openapi import (
    COUNT,
    SEX,
    TERM,
    TEXT,
    Body,
    all_of,
    in_path,
    in_query,
    informational,
    list_of,
    object_of,
    operation,
)

YEARS = {"type": "integer", "minimum": 0, "maximum": OLDEST}
FREQUENCY = {"type": "number", "minimum": 0, "maximum": 1}
TIME = {"type": "string", "format": "date-time"}
PROFILE = {
    "sex": SEX,
    "age": all_of({"from": YEARS, "to": YEARS}),
    "terms": list_of(TERM, MOST_TERMS),
    "gene": {"type": "string", "description": "symbol; with maximumFrequency"},
    "maximumFrequency": {**FREQUENCY, "description": "of an allele at the node"},
}
WAIT = in_query("waitS", {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT_S})
TOKENS = list_of({"type": "string", "description": "of an alert"}, MOST_TOKENS)


def paths(nodes: Body | None = None) -> Body:
    """The path items, by path. ``nodes``: what the network adds to what it says of a subscription:
    which nodes have it."""
    nodes = nodes or {}
    profile = {
        "anyOf": [object_of([one], PROFILE) for one in ("terms", "gene")],
        "dependentRequired": {"gene": ["maximumFrequency"], "maximumFrequency": ["gene"]},
    }
    subscription = all_of(
        {
            "subscription": TEXT,
            "purpose": {"type": ["string", "null"]},
            "expires": TIME,
            "profile": all_of(
                {key: {"anyOf": [one, {"type": "null"}]} for key, one in PROFILE.items()}
            ),
            **nodes,
        }
    )
    alert = all_of({"subscription": TEXT, "node": TEXT, "time": TIME, "token": TEXT})
    subscriptions = all_of({"subscriptions": list_of(subscription)})
    return {
        "/subscriptions": {
            "get": operation("One's own standing queries.", informational(subscriptions)),
            "post": operation(
                f"An alert, once, when a patient like that arrives; {MOST_SUBSCRIPTIONS} at most.",
                informational(subscription),
                all_of({"profile": profile}),
            ),
        },
        "/subscriptions/{id}": {
            "parameters": in_path("id"),
            "delete": operation(
                "An end to one of them.", informational(all_of({"unsubscribed": TEXT, **nodes}))
            ),
        },
        "/alerts": {
            "get": operation(
                "Alerts that were not acknowledged; waits for the first if asked to.",
                informational(all_of({"alerts": list_of(alert)})),
                parameters=[WAIT],
            )
        },
        "/alerts/acknowledged": {
            "post": operation(
                "Alerts need not be told again.",
                informational(all_of({"acknowledged": COUNT})),
                all_of({"tokens": TOKENS}),
            )
        },
    }
