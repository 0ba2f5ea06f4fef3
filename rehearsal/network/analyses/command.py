"""``rehearsal network analyse``: play an analysis, and write the tables of its results."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearsal.errors import InputError, unreadable_file
from rehearsal.files import atomic_path, write_json
from rehearsal.masked_sums.signing_keys import read_signing_key
from rehearsal.network.analyses.analysis_plan import plan_analysis
from rehearsal.network.analyses.analysis_request import AnalysisRequest
from rehearsal.network.analyses.played_analysis import PlayedAnalysis
from rehearsal.network.client import NodeRequest
from rehearsal.network.registry import read_nodes
from rehearsal.web.problem import Problem
from rehearsal.web.request_models import decode_body

COMMAND = "rehearsal network analyse"
REPORT = "analysis.json"


@dataclass(frozen=True, slots=True)
class AnalyseCommand:
    """An analysis as it was typed.

    Args:
        request: JSON file, as ``POST /federated_analyses`` takes it.
        nodes: Sources of the registry, as for :func:`rehearsal.network.registry.read_nodes`.
        out: Folder for the tables, new or empty.
        token_variable: Environment variable with a bearer token.
        purpose: DUO term.
        coordinator_key: File of the coordinator's private key.
    """

    request: Path
    nodes: Sequence[Path]
    out: Path
    token_variable: str | None = None
    purpose: str | None = None
    coordinator_key: Path | None = None

    def analysis(self) -> PlayedAnalysis:
        """Plan the analysis.

        Raises:
            InputError: The request, the registry, the token or the key cannot be used.
        """
        key = None if self.coordinator_key is None else read_signing_key(self.coordinator_key)
        plan = plan_analysis(_read_request(self.request), read_nodes(self.nodes))
        asked = NodeRequest("", authorization=self._authorization(), purpose=self.purpose)
        return PlayedAnalysis(plan, asked, lambda line: print(line, flush=True), key)

    def _authorization(self) -> str | None:
        if self.token_variable is None:
            return None
        if not (token := os.environ.get(self.token_variable)):
            expected = "a bearer token"
            raise InputError("environment variables", self.token_variable, expected, "nothing")
        return f"Bearer {token}"


def run_analysis(command: AnalyseCommand) -> int:
    """Play an analysis: a line for each round, then one for each node and table.

    Args:
        command: The analysis.

    Returns:
        Exit code: 0 when it is complete, even without some nodes, else 1.

    Raises:
        InputError: The analysis cannot be played.
        SystemExit: SIGTERM or SIGHUP came. The nodes' runs have ended.
    """
    analysis = command.analysis()
    asyncio.run(_play_until_signal(analysis))
    print("\n".join(_node_lines(analysis)))
    command.out.mkdir(parents=True, exist_ok=True)
    for name, table in analysis.tables.items():
        with atomic_path(command.out / f"{name}.tsv") as path:
            path.write_bytes(table.tsv())
        people = ", ".join(analysis.result.nodes[table.step])
        print(f"{command.out / name}.tsv: {table.rows} rows, people of {people}")
    write_json(command.out / REPORT, analysis.report())
    if analysis.state != "complete":
        print(analysis.reason, file=sys.stderr)
        return 1
    if lost := [one.node for one in analysis.result.losses]:
        print(f"Complete without {', '.join(sorted(lost))}: the result is that of the other nodes.")
    return 0


async def _play_until_signal(analysis: PlayedAnalysis) -> None:
    """Play an analysis, and end its runs at nodes when a signal comes, as asyncio does for SIGINT.

    Raises:
        SystemExit: SIGTERM or SIGHUP came.
    """
    loop, playing = asyncio.get_running_loop(), asyncio.ensure_future(analysis.play())
    came: list[int] = []

    def stop(number: int) -> None:
        came.append(number)
        playing.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    try:
        await playing
    except asyncio.CancelledError:
        if came:
            raise SystemExit(128 + came[0]) from None
        raise


def _node_lines(analysis: PlayedAnalysis) -> Iterator[str]:
    for node in analysis.report()["nodes"]:
        where = "" if node["round"] is None else f" in round {node['round']}"
        reason = f"{where}: {node['reason']}" if node["reason"] else ""
        yield f"{node['node']:8} {node['state']}{reason}"


def _read_request(path: Path) -> AnalysisRequest:
    try:
        return decode_body(path.read_bytes(), AnalysisRequest)
    except OSError as error:
        raise InputError(COMMAND, str(path), "a JSON file", unreadable_file(error)) from error
    except Problem as problem:
        where, _, told = problem.message.partition(": expected ")
        expected, _, found = told.rpartition(", found ")
        raise InputError(path, where, expected, found) from None
