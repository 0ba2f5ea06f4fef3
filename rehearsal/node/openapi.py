"""The node's OpenAPI description: Beacon, and the APIs served beside it."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.node.beacon.openapi import OF_ITSELF, beacon_description, state_purpose
from rehearsal.node.htsget import openapi as htsget
from rehearsal.node.matchmaker import openapi as matchmaker
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.web.openapi import Body, all_of, json_of


def description(settings: NodeSettings, extensions: Iterable[Body]) -> Body:
    """Build the document of a node's ``/openapi.json``.

    Args:
        settings: The node's settings.
        extensions: Path items of further APIs.

    Returns:
        The document.
    """
    document = beacon_description(
        f"Rehearsal node of {settings.country_name}",
        "GA4GH Beacon v2, htsget and Matchmaker Exchange over synthetic people.",
    )
    for paths in (matchmaker.paths(), htsget.paths(), _health(), *extensions):
        document["paths"] |= paths
    without = {path for path in document["paths"] if path.startswith("/fdp")}
    without |= {*OF_ITSELF, htsget.SERVICE_INFO}
    document["paths"] = state_purpose(document["paths"], without)
    document["components"]["schemas"] |= matchmaker.schemas()
    document["components"]["securitySchemes"] |= matchmaker.KEY_SCHEME
    return document


def _health() -> Body:
    content = json_of(all_of({"status": {"const": "ok", "description": "The node answers."}}))
    answered = {"200": {"description": "The node answers.", "content": content}}
    return {"/health": {"get": {"summary": "Tell that the node answers.", "responses": answered}}}
