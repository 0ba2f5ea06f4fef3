"""``/subscriptions`` and ``/alerts`` in OpenAPI descriptions."""

from __future__ import annotations

from rehearsal.node.alerts.request import (
    MOST_SUBSCRIPTIONS,
    Acknowledgement,
    AlertsQuery,
    ProfileRequest,
    SubscriptionRequest,
)
from rehearsal.web.openapi import (
    COUNT,
    TEXT,
    Body,
    all_of,
    in_path,
    informational,
    list_of,
    operation,
    query_parameters,
    schema_of,
)

TIME = {"type": "string", "format": "date-time"}


def paths(nodes: Body | None = None) -> Body:
    """The path items, by path. ``nodes``: what the network adds to what it says of a subscription:
    which nodes have it."""
    nodes = nodes or {}
    subscription = all_of(
        {
            "subscription": TEXT,
            "purpose": {"type": ["string", "null"]},
            "expires": TIME,
            "profile": all_of(schema_of(ProfileRequest)["properties"]),
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
                schema_of(SubscriptionRequest),
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
                parameters=query_parameters(AlertsQuery),
            )
        },
        "/alerts/acknowledged": {
            "post": operation(
                "Alerts that were received and need not come again.",
                informational(all_of({"acknowledged": COUNT})),
                schema_of(Acknowledgement),
            )
        },
    }
