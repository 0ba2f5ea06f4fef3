"""Plays the federated analyses of a run at its nodes, and keeps what came of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from rehearsal.analyses.protocol import AnalysisError
from rehearsal.evaluation.analyses.plan import PlannedAnalyses, Step
from rehearsal.files import atomic_path, read_json, write_json
from rehearsal.masked_sums.participant import FEWEST
from rehearsal.network.analyses.coordinator import AnalysisResult
from rehearsal.network.analyses.play import WES, NodeService, play_analysis
from rehearsal.network.registry import NodeEntry
from rehearsal.network.wes_client import WorkflowRequest
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes.algorithms import algorithm_digest
from rehearsal.node.wes.variables import known_variables
from rehearsal.stores.people_store import PeopleStore

Arrays = dict[str, NDArray[Any]]
NO_SANDBOX = "This node runs no algorithms"  # how a node refuses that has no sandbox
TOOK_PART, VETOED, FOREIGN = "took part", "vetoed", "run by others"
TOO_FEW = f"masked sums need at least {FEWEST} nodes that approve the algorithm"
NO_GENES = "there are no genes to test"
NOT_MASKED = "it is played under masks only: in clear, countries with few cases take no part"


@dataclass(frozen=True, slots=True)
class NodePart:
    """How a node took part.

    Attributes:
        outcome: ``took part``, ``vetoed`` (its settings do not approve the algorithm), ``run by
            others`` (it was not asked), or how it was lost: ``refused``, ``late``, ``failed`` or
            ``held``.
        reason: One line.
        round: The round in which it was lost; None: before the first.
    """

    outcome: str
    reason: str = ""
    round: int | None = None


@dataclass(slots=True)
class Played:
    """What came of the analyses.

    Attributes:
        why: Why the analyses, or the steps without results, were not played. Empty: all were.
        approving: Number of nodes that were asked and approve the algorithm.
        left_out: Why a step was not asked for, by its name.
        nodes: How each node took part.
        present: The nodes whose people are in the results of a step, by its name. The steps
            ``alleles`` and ``frequencies`` come before those of the plan.
        rounds: Number of rounds.
        seconds: Seconds that they took.
        results: Arrays of each step.
    """

    why: str = ""
    approving: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, NodePart] = field(default_factory=dict)
    present: dict[str, list[str]] = field(default_factory=dict)
    rounds: int = 0
    seconds: float = 0.0
    results: dict[str, Arrays] = field(default_factory=dict)

    @property
    def had_no_sandbox(self) -> bool:
        """Whether nothing was played because nodes have no sandbox."""
        return not self.present and self.why.startswith(NO_SANDBOX)


def vetoing_nodes(folders: Mapping[str, Path], algorithm: Path) -> list[str]:
    """List the nodes whose settings do not approve an algorithm.

    Args:
        folders: Folder of each node, by country code.
        algorithm: Folder of the algorithm.

    Raises:
        InputError: The settings of a node cannot be used.
    """
    digest = algorithm_digest(algorithm)
    return [
        code for code, one in folders.items() if digest not in NodeSettings.read(one).algorithms
    ]


def nodes_without_disease(plan: PlannedAnalyses, folders: Mapping[str, Path]) -> list[str]:
    """List the nodes that would refuse the analyses, as nobody there has their disease.

    Args:
        plan: The analyses.
        folders: Folder of each node, by country code.
    """
    without = []
    for code, folder in folders.items() if plan.logistic else ():
        people = PeopleStore.open(folder / "people.sqlite")
        if plan.logistic and plan.logistic["outcome"] not in known_variables(people):
            without.append(code)
        people.close()
    return without


def play_plan(
    plan: PlannedAnalyses,
    genes: Sequence[str],
    nodes: Sequence[NodeEntry],
    token: str,
    vetoed: Collection[str] = (),
    healthy: Sequence[str] = (),
    signing_key: Ed25519PrivateKey | None = None,
) -> Played:
    """Play all steps in one run at each node.

    Args:
        plan: The analyses.
        genes: The genes of the run.
        nodes: The run's own nodes.
        token: Passport that all of them accept.
        vetoed: Nodes that do not approve the algorithm, and refuse.
        healthy: Nodes of :func:`nodes_without_disease`.
        signing_key: Of the coordinator, which all of them accept.
    """
    approving = len(nodes) - len(vetoed)
    steps = plan.steps(genes, approving)
    left_out = {step.name: why for step in steps if (why := _why_not(step, approving, healthy))}
    asked = [dict(step.request) for step in steps if step.name not in left_out]
    headers = {"Authorization": f"Bearer {token}", "X-Rehearsal-Purpose": plan.purpose}
    services = [NodeService(node.country, f"{node.url}{WES}", headers) for node in nodes]
    request = WorkflowRequest(plan.name, {"steps": [plan.frequencies, *asked]})
    result, why, begun = AnalysisResult(), "", time.monotonic()
    try:
        how = (plan.deadline_s, print, result, signing_key)
        asyncio.run(play_analysis(services, request, *how))
    except AnalysisError as error:
        why = str(error)
    seconds = time.monotonic() - begun
    parts = _node_parts(nodes, result, vetoed)
    if not result.nodes:
        why = _common_reason(parts) or why
    about = result.nodes, result.rounds, round(seconds, 1), result.results
    return Played(why, approving, left_out, parts, *about)


def _node_parts(
    nodes: Sequence[NodeEntry], result: AnalysisResult, vetoed: Collection[str]
) -> dict[str, NodePart]:
    parts = {node.country: NodePart(TOOK_PART) for node in nodes}
    for loss in result.losses:
        outcome = VETOED if loss.node in vetoed else str(loss.outcome)
        parts[loss.node] = NodePart(outcome, loss.reason, loss.round_number)
    return parts


def _why_not(step: Step, approving: int, healthy: Sequence[str]) -> str:
    if step.masked and approving < FEWEST:
        return TOO_FEW
    if step.part == "burden" and not step.request["parameters"]["genes"]:
        return NO_GENES
    if step.part == "logistic" and not step.masked:
        return NOT_MASKED
    if step.part == "logistic" and healthy:
        return f"nobody has the disease in {', '.join(healthy)}"
    return ""


def _common_reason(parts: Mapping[str, NodePart]) -> str:
    """The reason that all nodes give; empty if they differ."""
    reasons = {part.reason for part in parts.values()}
    return reasons.pop() if len(reasons) == 1 else ""


def missing_step(step: Step, played: Played) -> str:
    """Say why a step has no result.

    Args:
        step: The step.
        played: What was played.

    Returns:
        A line; empty if it has one.
    """
    if step.name in played.results:
        return ""
    return played.left_out.get(step.name) or played.why or "it was not played"


def write_played(played: Played, about: Path, results: Path) -> None:
    """Write what came of the analyses.

    Args:
        played: What came of them.
        about: JSON file for everything but the arrays.
        results: NPZ file for the arrays, named by step and array: ``gwas/beta``.
    """
    content = asdict(played)
    del content["results"]
    write_json(about, content)
    arrays = {
        f"{step}/{name}": array
        for step, some in played.results.items()
        for name, array in some.items()
    }
    with atomic_path(results) as aside, aside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_played(about: Path, results: Path) -> Played:
    """Read what ``write_played`` wrote.

    Args:
        about: The JSON file.
        results: The NPZ file.
    """
    content = read_json(about)
    content["nodes"] = {node: NodePart(**part) for node, part in content["nodes"].items()}
    return Played(**content, results=read_answers(results))


def read_answers(path: Path) -> dict[str, Arrays]:
    """Read arrays that are named by step and array.

    Args:
        path: The NPZ file.

    Returns:
        Arrays by step and name.
    """
    found: dict[str, Arrays] = {}
    with np.load(path, allow_pickle=False) as file:
        for key in file.files:
            step, _, name = key.rpartition("/")
            found.setdefault(step, {})[name] = file[key]
    return found
