"""One analysis over the nodes of a registry: it is played, watched and told."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rehearsal.analyses.protocol import AnalysisError
from rehearsal.network.analyses.analysis_plan import AnalysisPlan
from rehearsal.network.analyses.coordinator import AnalysisResult
from rehearsal.network.analyses.play import WES, NodeService, coordinating
from rehearsal.network.analyses.result_tables import Table, result_tables
from rehearsal.network.client import NodeRequest, request_headers
from rehearsal.network.registry import NodeEntry

log = logging.getLogger(__name__)

State = Literal["running", "complete", "failed"]
OF_PRESENT = {"running": "running", "complete": "done", "failed": "stopped"}


class PlayedAnalysis:
    """One analysis.

    Args:
        plan: What is played, and where.
        asked: Who asks: the token and the purpose of each request to a node.
        tell: Called with a line after each round, and for each node that is lost.
        signing_key: Of the coordinator, with which nodes know it. None: nothing is signed.

    Attributes:
        id: Its name at the network, which nobody can guess. No node is told.
        state: Whether it goes on, and how it ended.
        reason: Why it failed, one line.
        tables: The tables of its results, once it has ended.
    """

    def __init__(
        self,
        plan: AnalysisPlan,
        asked: NodeRequest,
        tell: Callable[[str], None] = log.info,
        signing_key: Ed25519PrivateKey | None = None,
    ) -> None:
        self.id, self.plan = secrets.token_hex(16), plan
        self.state: State = "running"
        self.reason = ""
        self.tables: dict[str, Table] = {}
        self._asked, self._tell, self._signing_key = asked, tell, signing_key
        self._result = AnalysisResult()

    @property
    def result(self) -> AnalysisResult:
        """The results and losses so far."""
        return self._result

    async def play(self) -> None:
        """Play all rounds. The nodes' runs have ended when it returns; it never fails itself."""
        try:
            await self._play()
            self.state = "complete"
        except AnalysisError as error:
            self.state, self.reason = "failed", str(error)
        except Exception as error:
            log.error("analysis %s", self.id, exc_info=error)
            self.state, self.reason = "failed", "The network failed to play the analysis."

    async def _play(self) -> None:
        plan = self.plan
        services = [self._service(node) for node in plan.nodes]
        deadline_s, side = plan.request.deadline_s, plan.side
        how = (plan.workflow, deadline_s, self._tell, self._signing_key)
        async with coordinating(side, services, *how) as playing:
            self._result = playing.result
            try:
                await playing.play()
            finally:
                found = self._result.results, self._result.nodes
                self.tables = await asyncio.to_thread(result_tables, side.steps, *found)

    def _service(self, node: NodeEntry) -> NodeService:
        url = f"{node.address_of(WES[1:])}{WES}"
        return NodeService(node.country, url, request_headers(node, self._asked))

    def report(self) -> dict[str, Any]:
        """Tell where the analysis stands: its nodes, rounds and tables, without their numbers."""
        side = self.plan.side
        return {
            "analysis": self.id,
            "algorithm": self.plan.request.algorithm,
            "state": self.state,
            "reason": self.reason,
            "rounds": self._result.rounds,
            "step": None if side.done else side.steps[side.step].name,
            "nodes": self._nodes(),
            "tables": [self._about(name, table) for name, table in self.tables.items()],
        }

    def _nodes(self) -> list[dict[str, Any]]:
        present = {"state": OF_PRESENT[self.state], "round": None, "reason": ""}
        lost = {
            one.node: {"state": one.outcome, "round": one.round_number, "reason": one.reason}
            for one in self._result.losses
        }
        nodes = [node.country for node in self.plan.nodes]
        return [{"node": node, **lost.get(node, present)} for node in nodes]

    def _about(self, name: str, table: Table) -> dict[str, Any]:
        return {
            "name": name,
            "step": table.step,
            "rows": table.rows,
            "columns": list(table.columns),
            "note": table.note,
            "nodes": self._result.nodes[table.step],
        }
