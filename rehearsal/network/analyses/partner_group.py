"""Which nodes can add masked sums together: those of which each lists each other as a partner."""

from __future__ import annotations

from collections.abc import Mapping

from rehearsal.masked_sums.partners import JoinedNode, NotPartnerError
from rehearsal.network.analyses.remote_run import NodeLostError

MOST_NAMED = 5  # nodes in a line


def strangers(joined: Mapping[str, JoinedNode]) -> dict[str, NodeLostError]:
    """Find the nodes that have to stay out, so that all others accept each other's keys.

    A node that few others accept is left out before one that many accept.

    Args:
        joined: What each node said of itself.

    Returns:
        Why each of them stays out, by node.
    """
    apart = {name: {o for o in joined if not _accept(joined[name], joined[o])} for name in joined}
    found: dict[str, NodeLostError] = {}
    while any(apart.values()):
        worst = max(apart, key=lambda name: (len(apart[name]), name))
        found[worst] = NodeLostError("refused", _line(worst, sorted(apart[worst])))
        apart = {name: others - {worst} for name, others in apart.items() if name != worst}
    return found


def _accept(one: JoinedNode, other: JoinedNode) -> bool:
    """Whether two nodes accept the keys of each other."""
    if one.node == other.node:
        return True
    try:
        one.check(other.node, other.key)
        other.check(one.node, one.key)
    except NotPartnerError:
        return False
    return True


def _line(node: str, others: list[str]) -> str:
    more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    named = ", ".join(others[:MOST_NAMED]) + more
    return f"{node} is no partner of {named}, or they are none of it (analyses.partners)"
