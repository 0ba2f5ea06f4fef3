"""``python -m rehearsal.analyses``: one node's side of an analysis, by files.

The process computes the sums of round N and writes ``round-N.npz`` and then ``round-N.json`` to
the outbox, waits for ``round-N.npz`` in the inbox, and goes on until that says that it is done.
Exit status: 0 complete, 2 failed. What failed is one line on the standard error; its kind, from a
fixed set, is also in ``error.json`` in the outbox.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from rehearsal.analyses.exchange import read_arrays, wait_for, write_arrays, write_header
from rehearsal.analyses.protocol import AnalysisError
from rehearsal.analyses.rounds import ALGORITHMS, NodeRun
from rehearsal.analyses.view import View
from rehearsal.errors import cause

SEQUENCE = "sequence"  # a list of steps
FAILED = 2
DEADLINE = 600.0  # seconds


def main(arguments: list[str] | None = None) -> int:
    """Run one node's side of an analysis.

    Args:
        arguments: The command line, without the name of the program.

    Returns:
        The exit status.
    """
    options = _parser().parse_args(arguments)
    try:
        run = NodeRun(View(options.view), _read_parameters(options.name, options.parameters))
        _play(run, options.inbox, options.outbox, options.deadline)
    except AnalysisError as error:
        print(error, file=sys.stderr)
        write_header(options.outbox / "error.json", {"code": error.code})
        return FAILED
    return 0


def _play(run: NodeRun, inbox: Path, outbox: Path, seconds: float) -> None:
    number, goes_on = 0, True
    while goes_on:
        sums = run.sums()
        write_arrays(outbox / f"round-{number}.npz", sums)
        write_header(outbox / f"round-{number}.json", run.header(number, sums))
        answer = inbox / f"round-{number}.npz"
        wait_for(answer, time.monotonic() + seconds)
        goes_on = run.follow(read_arrays(answer))
        number += 1


def _read_parameters(name: str, path: Path) -> dict[str, Any]:
    """Read a file of parameters: of a list of steps, or of one algorithm."""
    try:
        parameters = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise AnalysisError("bad_parameters", path, "content", "JSON", cause(error)) from error
    if not isinstance(parameters, dict):
        raise AnalysisError("bad_parameters", path, "content", "an object", "another value")
    if name == SEQUENCE:
        return parameters
    common = {key: parameters.pop(key) for key in COMMON if key in parameters}
    return common | {"steps": [{"algorithm": name, "parameters": parameters}]}


COMMON = ("smallest_count", "given_alleles")  # parameters of the analysis, not of an algorithm


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("rehearsal.analyses", description=__doc__)
    parser.add_argument("name", choices=[SEQUENCE, *ALGORITHMS], help="the algorithm")
    for folder in ("view", "inbox", "outbox"):
        parser.add_argument(f"--{folder}", type=Path, required=True)
    parser.add_argument("--parameters", type=Path, required=True, help="a JSON file")
    parser.add_argument("--deadline", type=float, default=DEADLINE, help="seconds for each state")
    return parser


if __name__ == "__main__":
    sys.exit(main())
