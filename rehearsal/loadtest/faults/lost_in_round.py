"""A node is killed in mid-round of a federated analysis: the result must be that of the others.

The right answer is computed from the genomes, measurements and consent in the folders of the nodes,
by code that nodes and network do not use.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rehearsal.analyses.alleles import AlleleList
from rehearsal.analyses.protocol import AnalysisError, Arrays
from rehearsal.analyses.rounds import NetworkRun
from rehearsal.loadtest.faults.pooled_statistics import (
    PURPOSE,
    PooledStatistics,
    TooFewPeopleError,
    pooled_statistics,
)
from rehearsal.loadtest.faults.scenario_outcome import SHOWN
from rehearsal.loadtest.faults.scenarios import Scenario
from rehearsal.machine import load_average
from rehearsal.masked_sums.signing_keys import read_signing_key
from rehearsal.network.analyses.coordinator import AnalysisResult, Coordinator
from rehearsal.network.analyses.node_run import Analysis, NodeRun
from rehearsal.network.analyses.play import WES
from rehearsal.network.registry import NodeEntry
from rehearsal.network.wes_client import WesClient, WorkflowRequest
from rehearsal.node.settings.analysis_settings import CLEAR
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes.algorithms import ApprovedAlgorithms
from rehearsal.node.wes.sandbox import why_no_sandbox

ALGORITHM = "association"
LOST_IN = 2  # the round of the regression: alleles and frequencies are before it
DEADLINE_S = 60.0
TOLERANCE = 1e-9  # of z, absolute and relative


@dataclass(frozen=True)
class LostNodeTest:
    """The nodes that play, and the right answer without the lost one.

    Args:
        nodes: Entries of three nodes.
        folders: Their folders by country.
        victim: The country whose node is lost.
        token: A token with a grant of their datasets; empty for nodes that are open to everybody.
        coordinator: File of a private key whose public one they accept. None: there is none.
    """

    nodes: Sequence[NodeEntry]
    folders: Mapping[str, Path]
    victim: str
    token: str
    coordinator: Path | None = None

    async def play(self, scenario: Scenario) -> dict[str, Any]:
        """Play the analysis.

        Args:
            scenario: The scenario.

        Returns:
            A row with the columns ``scenario_outcome.COLUMNS``. Where it could not be played,
            ``victim`` is ``not run``, and ``why`` says why.
        """
        try:
            if reason := _why_not(self.folders):
                raise TooFewPeopleError(reason)
            right = await asyncio.to_thread(pooled_statistics, self.folders, self.victim)
        except TooFewPeopleError as error:
            return _row(scenario, self.victim) | {"victim": "not run", "why": f"not run: {error}"}
        began = time.monotonic()
        result, failure = await self._analyse(right.outcome)
        failures = [failure] if failure else self._failures(result, right)
        row = _row(scenario, self.victim) | self._counts(result, not failures)
        return row | {
            "held": not failures,
            "why": "; ".join(failures)[: 3 * SHOWN],
            "fault_s": time.monotonic() - began,
        }

    def _counts(self, result: AnalysisResult, held: bool) -> dict[str, Any]:
        """The columns with numbers of nodes, and those about the victim."""
        lost = [one for one in result.losses if one.node == self.victim]
        numbers = {
            "answered": held * (len(self.nodes) - 1),
            "marked": len(lost),
            "unmarked": 1 - held,
        }
        shares = {f"{name}_share": number / len(self.nodes) for name, number in numbers.items()}
        about = {"queries": 1, "expected_answers": len(self.nodes), "others_answered": float(held)}
        said = {"victim": "done", "said": ""}
        if lost:
            said = {"victim": f"{lost[0].outcome} 1", "said": lost[0].reason[:SHOWN]}
        return numbers | shares | about | said

    async def _analyse(self, outcome: str) -> tuple[AnalysisResult, str]:
        """Play the rounds. Returns the result, and why there is none."""
        steps = [{"algorithm": "linear", "parameters": {"outcome": outcome}}]
        request = WorkflowRequest(ALGORITHM, {"steps": steps})
        key = None if self.coordinator is None else read_signing_key(self.coordinator)
        analysis = Analysis("lost in mid-round", request, DEADLINE_S, key)
        headers = {"X-Rehearsal-Purpose": PURPOSE}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with AsyncExitStack() as stack:
            runs = []
            for node in self.nodes:
                client = await stack.enter_async_context(WesClient(node.url + WES, headers))
                runs.append(self._run(node, client, analysis))
            coordinator = Coordinator(NetworkRun(request.parameters), runs)
            try:
                return await coordinator.play(), ""
            except AnalysisError as error:
                return coordinator.result, str(error)

    def _run(self, node: NodeEntry, client: WesClient, analysis: Analysis) -> NodeRun:
        if node.country != self.victim or node.pid is None:
            return NodeRun(node.country, client, analysis)
        pid = node.pid
        return _LostRun(node.country, client, analysis, lambda: os.kill(pid, signal.SIGKILL))

    def _failures(self, result: AnalysisResult, right: PooledStatistics) -> list[str]:
        """What should have held and did not."""
        failures = []
        lost = [(one.node, one.outcome, one.round_number) for one in result.losses]
        if lost != [(self.victim, "failed", LOST_IN)]:
            failures.append(f"expected the loss of {self.victim} in round {LOST_IN}, found {lost}")
        others = sorted(set(self.folders) - {self.victim})
        if result.nodes["linear"] != others:
            found = result.nodes["linear"]
            failures.append(f"expected the people of {others}, found those of {found}")
        found_z = _statistics(result.results)
        wrong = [key for key, z in right.z.items() if not _agree(found_z.get(key), z)]
        if wrong or not right.z:
            failures.append(f"{len(wrong)} of {len(right.z)} statistics are wrong: {wrong[:1]}")
        return failures


class _LostRun(NodeRun):
    """The run of a node that is killed while it computes its sums of a round."""

    def __init__(
        self, node: str, client: WesClient, analysis: Analysis, kill: Callable[[], None]
    ) -> None:
        super().__init__(node, client, analysis)
        self._kill = kill

    async def sums(self, round_number: int) -> Arrays:
        """Kill the node in its round, then wait as the network does. Raises NodeLostError."""
        if round_number == LOST_IN:
            self._kill()
        return await super().sums(round_number)


def _why_not(folders: Mapping[str, Path]) -> str:
    """Say why the nodes cannot play; empty: they can."""
    if len(folders) < 3:
        return f"three nodes are needed, and there are {len(folders)}"
    for code, folder in folders.items():
        settings = NodeSettings.read(folder)
        if ApprovedAlgorithms(folder, settings.algorithms).find(ALGORITHM) is None:
            return f"the node of {code} does not approve the algorithm {ALGORITHM}"
        if CLEAR not in settings.analyses.modes:
            return f"sums of the node of {code} leave under masks only"
    return why_no_sandbox()


def _statistics(results: Mapping[str, Arrays]) -> dict[tuple[str, int, str, str], float]:
    table = AlleleList.of(results["alleles"]).table()
    keys = zip(*(table[name] for name in ("contig", "position", "ref", "alt")), strict=True)
    named = ((contig, int(start), ref, alt) for contig, start, ref, alt in keys)
    return dict(zip(named, results["linear"]["z"].tolist(), strict=True))


def _agree(found: float | None, expected: float) -> bool:
    """Compare statistics. An allele that nobody may name is not tested and not in the list."""
    if not np.isfinite(expected):
        return found is None or not np.isfinite(found)
    return found is not None and bool(np.isclose(found, expected, TOLERANCE, TOLERANCE))


def _row(scenario: Scenario, victim: str) -> dict[str, Any]:
    """A row of a scenario in which nothing was asked."""
    numbers = ("queries", "expected_answers", "answered", "marked", "unmarked")
    shares = ("answered_share", "marked_share", "unmarked_share", "fault_s")
    return {
        "scenario": scenario.name,
        "node": victim,
        "must_hold": scenario.must_hold,
        "held": True,
        "why": "",
        **dict.fromkeys(numbers, 0),
        **dict.fromkeys(shares, 0.0),
        "others_answered": 1.0,
        "recovered_s": 0.0,  # the analysis goes on without the node
        "victim": "",
        "said": "",
        "load_average": load_average(),
    }
