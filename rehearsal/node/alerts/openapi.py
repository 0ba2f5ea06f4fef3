"""The OpenAPI description of ``/subscriptions`` and ``/alerts``."""

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
SUBSCRIPTION = {**TEXT, "description": "Id of the subscription."}


def paths(nodes: Body | None = None) -> Body:
    """Build the path items, by path.

    Args:
        nodes: Schemas of the keys that the network adds to a subscription: the nodes that have it.

    Returns:
        The path items.
    """
    nodes = nodes or {}
    subscription = all_of(
        {
            "subscription": SUBSCRIPTION,
            "purpose": {"type": ["string", "null"], "description": "The stated purpose."},
            "expires": {**TIME, "description": "When your visas expire."},
            "profile": {
                **all_of(schema_of(ProfileRequest)["properties"]),
                "description": "The patients that you want to hear about.",
            },
            **nodes,
        }
    )
    alert = all_of(
        {
            "subscription": SUBSCRIPTION,
            "node": {**TEXT, "description": "Country code of the node."},
            "time": {**TIME, "description": "When the patient was added."},
            "token": {**TEXT, "description": "Stands for the patient."},
        }
    )
    marked = {**COUNT, "description": "Number of alerts newly marked."}
    listed = {**list_of(subscription), "description": "Your subscriptions."}
    subscriptions = all_of({"subscriptions": listed})
    alerts = {**list_of(alert), "description": "The alerts, in the order of their times."}
    return {
        "/subscriptions": {
            "get": operation("List your subscriptions.", informational(subscriptions)),
            "post": operation(
                "Subscribe to new patients that match a profile. "
                f"A subscriber may have {MOST_SUBSCRIPTIONS} subscriptions.",
                informational(subscription),
                schema_of(SubscriptionRequest),
            ),
        },
        "/subscriptions/{id}": {
            "parameters": [in_path("id")[0] | {"description": "Id of the subscription."}],
            "delete": operation(
                "Delete one of your subscriptions.",
                informational(all_of({"unsubscribed": SUBSCRIPTION, **nodes})),
            ),
        },
        "/alerts": {
            "get": operation(
                "List your alerts that were not acknowledged. Can wait for the first one.",
                informational(all_of({"alerts": alerts})),
                parameters=query_parameters(AlertsQuery),
            )
        },
        "/alerts/acknowledged": {
            "post": operation(
                "Mark alerts as received, so that they are no longer listed.",
                informational(all_of({"acknowledged": marked})),
                schema_of(Acknowledgement),
            )
        },
    }
