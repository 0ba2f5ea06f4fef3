"""Plays an analysis at nodes that are known by their addresses."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rehearsal.analyses.network_side import NetworkSide
from rehearsal.analyses.rounds import NetworkRun
from rehearsal.network.analyses.coordinator import AnalysisResult, Coordinator
from rehearsal.network.analyses.masked_round import Masking
from rehearsal.network.analyses.node_run import Analysis, NodeRun
from rehearsal.network.wes_client import WesClient, WorkflowRequest

log = logging.getLogger(__name__)

WES = "/ga4gh/wes/v1"  # below the base URL of our nodes


@dataclass(frozen=True, slots=True)
class NodeService:
    """A node that may take part."""

    node: str  # its code
    url: str  # base URL of its WES
    headers: Mapping[str, str] = field(default_factory=dict)  # of every request: token and purpose


async def play_analysis(
    services: Sequence[NodeService],
    request: WorkflowRequest,
    deadline_s: float,
    tell: Callable[[str], None] = log.info,
    result: AnalysisResult | None = None,
    signing_key: Ed25519PrivateKey | None = None,
) -> AnalysisResult:
    """Play an analysis over all its rounds.

    Args:
        services: The nodes.
        request: What each is asked to run; ``steps`` of its parameters are also the network's.
        deadline_s: Seconds that a node may take for each call.
        tell: Called with a line of progress after each round.
        result: Is filled step by step, so that a caller has what there is if the analysis ends
            early. None: a new one.
        signing_key: Of the coordinator, with which nodes know it. None: nothing is signed.

    Returns:
        The result.

    Raises:
        AnalysisError: The parameters cannot be used, or the analysis cannot go on.
    """
    run = NetworkRun(request.parameters)
    async with coordinating(run, services, request, deadline_s, tell, signing_key) as coordinator:
        coordinator.result = result or coordinator.result
        return await coordinator.play()


@asynccontextmanager
async def coordinating(
    run: NetworkSide,
    services: Sequence[NodeService],
    request: WorkflowRequest,
    deadline_s: float,
    tell: Callable[[str], None] = log.info,
    signing_key: Ed25519PrivateKey | None = None,
) -> AsyncIterator[Coordinator]:
    """Connect to nodes for as long as the block runs.

    Args:
        run: The network's side.
        services: The nodes.
        request: What each is asked to run.
        deadline_s: Seconds that a node may take for each call.
        tell: Called with a line of progress after each round.
        signing_key: Of the coordinator, with which nodes know it. None: nothing is signed.

    Yields:
        What plays the analysis, not yet begun.
    """
    masking = Masking() if any(step.masked for step in run.steps) else None
    analysis = Analysis(secrets.token_hex(16), request, deadline_s, signing_key)
    async with AsyncExitStack() as stack:
        runs = []
        for service in services:
            client = WesClient(service.url, service.headers)
            await stack.enter_async_context(client)
            runs.append(NodeRun(service.node, client, analysis))
        yield Coordinator(run, runs, masking, tell)
