"""The health of the network and its nodes, as JSON and as a small page."""

from __future__ import annotations

import asyncio
from html import escape

from rehearsal.network.registry import NodeEntry
from rehearsal.network.service import Network
from rehearsal.web.openapi import Body

COLUMNS = {
    "node": "node",
    "circuit": "circuit",
    "state": "last probe",
    "heardSecondsAgo": "last heard, s ago",
    "usualMs": "usual time, ms",
    "reason": "reason",
}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{status} - Rehearsal network</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto }}
body {{ padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8886 }}
.unhealthy {{ font-weight: bold }}
</style></head><body>
<h1>Rehearsal network: {status}</h1>
<p>{summary}</p>
<table><thead><tr>{head}</tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""


def health_body(network: Network) -> Body:
    """Describe the health of a network.

    Args:
        network: The network.

    Returns:
        The JSON body. ``status`` is ``ok`` if all nodes are healthy, ``degraded`` if some are,
        ``down`` if none is.
    """
    now = asyncio.get_running_loop().time()
    nodes = [_node(node, network, now) for node in network.nodes]
    healthy = sum(node["healthy"] for node in nodes)
    status = "ok" if nodes and healthy == len(nodes) else "degraded" if healthy else "down"
    return {
        "status": status,
        "healthy": healthy,
        "nodes": nodes,
        "deadlineS": network.policy.deadline_s,
        "collect": network.policy.collect,
        "registryFault": network.registry.fault,
    }


def _node(node: NodeEntry, network: Network, now: float) -> Body:
    health = network.health(node)
    heard = health.heard_at
    return {
        "node": node.country,
        "url": node.url,
        "beaconId": health.beacon_id,
        "healthy": health.healthy,
        "circuit": health.circuit,
        "state": health.state,
        "reason": health.reason,
        "strikes": health.strikes,
        "heardSecondsAgo": None if heard is None else round(now - heard, 1),
        "usualMs": round(health.usual_s * 1000, 1),
        "counts": dict(health.counts),
    }


def health_html(body: Body) -> str:
    """Render the health as a page with one row per node.

    Args:
        body: Body of :func:`health_body`.

    Returns:
        HTML.
    """
    summary = f"{body['healthy']} of {len(body['nodes'])} nodes are healthy."
    if body["registryFault"]:
        summary += f" The registry cannot be read: {body['registryFault']}"
    return PAGE.format(
        status=escape(body["status"]),
        summary=escape(summary),
        head="".join(f"<th scope='col'>{escape(text)}</th>" for text in COLUMNS.values()),
        rows="\n".join(_row(node) for node in body["nodes"]),
    )


def _row(node: Body) -> str:
    texts = ["" if node[key] is None else str(node[key]) for key in COLUMNS]
    cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
    return f"<tr{'' if node['healthy'] else ' class=unhealthy'}>{cells}</tr>"
