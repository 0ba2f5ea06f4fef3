"""What an analysis plays at which nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.analyses.network_side import AddedSums, NetworkSide
from rehearsal.analyses.protocol import AnalysisError
from rehearsal.analyses.rounds import NetworkRun
from rehearsal.network.analyses.analysis_request import MASKED, AnalysisRequest
from rehearsal.network.analyses.masked_round import check_number
from rehearsal.network.registry import NodeEntry
from rehearsal.network.wes_client import WorkflowRequest

SUMS = "sums"  # name of the results of an algorithm whose sums are added


@dataclass(frozen=True)
class AnalysisPlan:
    """What is played, and where."""

    request: AnalysisRequest
    nodes: tuple[NodeEntry, ...]  # by code
    side: NetworkSide
    workflow: WorkflowRequest  # what each node is asked for

    @property
    def is_masked(self) -> bool:
        """Whether any step adds masked sums."""
        return any(step.masked for step in self.side.steps)


def plan_analysis(request: AnalysisRequest, nodes: Sequence[NodeEntry]) -> AnalysisPlan:
    """Plan an analysis.

    Args:
        request: The request.
        nodes: The nodes of the network.

    Raises:
        AnalysisError: The request names an unknown node or step, a parameter cannot be used, or
            there are too few nodes.
    """
    chosen = _chosen(request.nodes, nodes)
    side: NetworkSide
    if request.steps:
        parameters: dict[str, Any] = {"steps": [step.given() for step in request.steps]}
        side = NetworkRun(parameters)
    else:
        parameters = request.parameters
        side = AddedSums(SUMS, parameters.get(MASKED) is True)
    plan = AnalysisPlan(request, chosen, side, WorkflowRequest(request.algorithm, parameters))
    if plan.is_masked:
        check_number([node.country for node in chosen])
    return plan


def _chosen(codes: Sequence[str], nodes: Sequence[NodeEntry]) -> tuple[NodeEntry, ...]:
    known = {node.country: node for node in nodes}
    for code in codes:
        if code not in known:
            expected = f"codes of the network's nodes ({', '.join(known) or 'none'})"
            raise AnalysisError("bad_parameters", "analysis", "nodes", expected, code)
    wanted = set(codes) or set(known)
    if not wanted:
        raise AnalysisError("bad_parameters", "analysis", "nodes", "at least one node", "none")
    return tuple(known[code] for code in sorted(wanted))
