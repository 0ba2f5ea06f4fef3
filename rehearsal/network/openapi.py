"""The network's OpenAPI 3.1 description: a Beacon's, and what the network has of its own."""

from __future__ import annotations

from typing import Any

from rehearsal.network.service import LONGEST_DEADLINE_S
from rehearsal.node.beacon.openapi import beacon_description
from rehearsal.node.matchmaker import openapi as matchmaker

Body = dict[str, Any]

MOST_MATCHES = 10_000  # of all nodes, by far

OWN_PARAMETERS = {
    "deadlineS": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": LONGEST_DEADLINE_S,
        "description": "seconds that the nodes have",
    },
    "partial": {"type": "boolean", "description": "do not wait for nodes that hang"},
    "trace": {"type": "boolean", "description": "how long each node took"},
}
ABOUT = "GA4GH Beacon v2 over all nodes of a rehearsal. Synthetic people only."


def description() -> Body:
    """The whole document of the network's ``/openapi.json``."""
    document = beacon_description("Rehearsal network", ABOUT, OWN_PARAMETERS)
    health = {
        "type": "object",
        "required": ["status", "nodes"],
        "properties": {"status": {"type": "string"}, "nodes": {"type": ["array", "object"]}},
    }
    answer = {
        "description": "How the nodes are; 503 when none answers.",
        "content": {"application/json": {"schema": health}},
    }
    document["paths"]["/health"] = {
        "get": {"summary": "How the nodes are.", "responses": {"200": answer, "503": answer}}
    }
    own = [{"name": name, "in": "query", "schema": one} for name, one in OWN_PARAMETERS.items()]
    document["paths"]["/match"] = {**matchmaker.path(), "parameters": own}
    document["components"]["schemas"] |= matchmaker.schemas(MOST_MATCHES)
    return document
