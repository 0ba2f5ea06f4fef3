"""What the operator of a network can watch of its nodes."""

from __future__ import annotations

from rehearsal.network.service import Network
from rehearsal.web.metrics import Metric


def network_metrics(network: Network) -> list[Metric]:
    """Collect the health of the nodes.

    Args:
        network: The network.

    Returns:
        One metric with a sample per node.
    """
    healthy = tuple(
        ("", {"country": node.country}, int(network.health(node).healthy)) for node in network.nodes
    )
    text = "Whether a node is healthy (1) or not (0)."
    return [Metric("rehearsal_node_healthy", "gauge", text, healthy)]
