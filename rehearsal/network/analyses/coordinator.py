"""Plays an analysis over all nodes, round by round.

A node that refuses, fails, is late or held in mid-round is lost for the rest of the analysis. If
the current step has used its sums already, the step begins anew with the others. The result of
each step is that of the nodes that were there at its end; it names them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from rehearsal.analyses.exchange import pack_arrays
from rehearsal.analyses.network_side import NetworkSide
from rehearsal.analyses.protocol import AnalysisError, Arrays
from rehearsal.network.analyses.masked_round import Masking, check_number
from rehearsal.network.analyses.partner_group import strangers
from rehearsal.network.analyses.remote_run import NodeLostError, Outcome, RemoteRun, ask_all

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loss:
    """A node that did not go on."""

    node: str
    outcome: Outcome
    reason: str
    round_number: int | None  # None: before the first round


@dataclass(slots=True)
class AnalysisResult:
    """What an analysis gave.

    Attributes:
        results: The results of each step, by its name.
        nodes: The nodes whose people are in them, by step.
        losses: The nodes that were lost, in this order.
        rounds: Number of rounds.
    """

    results: dict[str, Arrays] = field(default_factory=dict)
    nodes: dict[str, list[str]] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    rounds: int = 0


class Coordinator:
    """Plays one analysis.

    Args:
        run: The network's side.
        nodes: The nodes' sides.
        masking: Adds masked sums. None if no step is masked.
        tell: Called with a line of progress after each round.
    """

    def __init__(
        self,
        run: NetworkSide,
        nodes: Sequence[RemoteRun],
        masking: Masking | None = None,
        tell: Callable[[str], None] = log.info,
    ) -> None:
        self._run, self._nodes = run, {node.node: node for node in nodes}
        self._masking, self._tell = masking, tell
        self._used: set[str] = set()  # nodes whose sums are in the state of this step
        self.result = AnalysisResult()

    async def play(self) -> AnalysisResult:
        """Play all rounds. The nodes' runs have ended when it returns.

        Raises:
            AnalysisError: No node is left, fewer than three in a masked step, or the analysis
                itself cannot go on.
        """
        everybody = list(self._nodes.values())
        try:
            await self._from_all(lambda node: node.start(), None)
            if self._masking:
                await self._exchange_keys()
            while not self._run.done:
                await self._play_round(self.result.rounds)
                self.result.rounds += 1
        finally:
            await asyncio.gather(*(node.end() for node in everybody))
        return self.result

    async def _play_round(self, number: int) -> None:
        """Join the sums of one round and answer with the next state."""
        step = self._run.steps[self._run.step]
        sums = await self._collect(number)
        if self._used - self._nodes.keys():
            self._tell(f"step {step.name}: begins anew with {len(self._nodes)} nodes")
            self._run.restart_step()
            self._used = set()
        else:
            self._run.advance(sums)
            self._used = set(self._nodes)
        if step.name in self._run.results:
            self.result.results[step.name] = self._run.results[step.name]
            self.result.nodes[step.name] = sorted(self._nodes)
            self._used = set()
        self._tell(f"round {number}: step {step.name}, {len(self._nodes)} nodes")
        state = pack_arrays(self._run.message(number))
        if self._run.done:  # a node that does not take this state has done its part all the same
            await ask_all(self._nodes.values(), lambda node: node.answer(number, state))
        else:
            await self._from_all(lambda node: node.answer(number, state), number)

    async def _collect(self, number: int) -> list[Arrays]:
        """Collect the sums of a round, or their opened total."""
        if self._run.steps[self._run.step].masked and self._masking:
            losses: dict[str, NodeLostError] = {}
            try:
                return [await self._masking.total(number, list(self._nodes.values()), losses)]
            finally:
                self._drop(losses, number)
        return list((await self._from_all(lambda node: node.sums(number), number)).values())

    async def _exchange_keys(self) -> None:
        joined = await self._from_all(lambda node: node.join(), None)
        self._drop(strangers(joined), None)
        check_number(self._nodes)
        keys = {node: joined[node].key for node in self._nodes}
        await self._from_all(lambda node: node.meet(keys), None)

    async def _from_all(
        self, ask: Callable[[RemoteRun], Awaitable[T]], number: int | None
    ) -> dict[str, T]:
        """Ask all nodes that are present at the same time. Those that fail are lost."""
        answers, losses = await ask_all(self._nodes.values(), ask)
        self._drop(losses, number)
        return answers

    def _drop(self, losses: Mapping[str, NodeLostError], number: int | None) -> None:
        for node, error in losses.items():
            del self._nodes[node]
            self.result.losses.append(Loss(node, error.outcome, error.reason, number))
            self._tell(f"{node} is lost ({error.outcome})")
        if not self._nodes:
            nodes_by_reason: dict[str, list[str]] = {}
            for one in self.result.losses:
                nodes_by_reason.setdefault(one.reason, []).append(one.node)
            found = "; ".join(
                f"{', '.join(nodes)}: {reason}" for reason, nodes in nodes_by_reason.items()
            )
            raise AnalysisError("no_people", "analysis", "nodes", "at least one", f"none ({found})")
