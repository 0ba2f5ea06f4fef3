"""Carries out one run: algorithm, view, sandbox, airlock."""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rehearsal.errors import mismatch, shown
from rehearsal.files import make_private_folder
from rehearsal.node.airlock.airlock import Airlock, Asked
from rehearsal.node.airlock.arrays import Malformed
from rehearsal.node.settings.analysis_settings import AnalysisSettings
from rehearsal.node.wes.algorithms import copy_algorithm
from rehearsal.node.wes.kinship_key import IN_VIEW, RUN_IN_VIEW, has_sketches, read_kinship_key
from rehearsal.node.wes.run import CODES, WORDS, Run
from rehearsal.node.wes.run_log import RunLog
from rehearsal.node.wes.sandbox import PARAMETERS, Frame, Limits, Sandbox, SandboxError, Walls
from rehearsal.node.wes.view_order import ViewOrder

log = logging.getLogger(__name__)

MB = 1 << 20
LOOK_S = 0.2  # seconds between two looks whether a person decided
OVERSTEPPED = ("cpu_s", "wall_s", "memory_mb", "processes", "files")
VIEW = "rehearsal.node.wes.view"  # the module that makes a view, as a script
_ROUND = re.compile(r"outbox/round-(0|[1-9][0-9]{0,3})\.(npz|json)")
_OUTPUT = re.compile(r"outputs/([a-z][a-z0-9_]*)\.(npz|json)")
ERROR = "outbox/error.json"


class Failed(Exception):  # noqa: N818 - the run ends with it
    """A run that cannot go on.

    Args:
        word: Why, a key of :data:`rehearsal.node.wes.run.WORDS`.
        is_own: Whether the algorithm failed, and not the node.
    """

    def __init__(self, word: str, *, is_own: bool) -> None:
        super().__init__(word)
        self.word, self.is_own = word, is_own


class Worker:
    """The work on one run, in a thread of its own.

    Args:
        run: The run.
        node: Folder of the node.
        scratch: A folder for the run, which is made and removed.
        logs: Folder for what the algorithm writes to its log, for the node's operator. None: it is
            dropped.
        settings: The node's limits.
        airlock: The node's airlock.
    """

    def __init__(
        self,
        run: Run,
        node: Path,
        scratch: Path,
        logs: Path | None,
        settings: AnalysisSettings,
        airlock: Airlock,
    ) -> None:
        self._run, self._node, self._scratch = run, node, scratch
        self._log = RunLog(run.id, logs)
        self._settings, self._airlock = settings, airlock
        self._sandbox: Sandbox | None = None
        self._stopped = threading.Event()
        self._half: dict[str, dict[str, bytes]] = {}  # files whose partner is not there yet
        self._code = ""
        algorithm = run.algorithm
        self.asked = Asked(
            run.id,
            algorithm.name,
            algorithm.arrays,
            algorithm.largest_mb,
            run.owner,
            run.purpose,
            run.people,
            run.began,
        )

    def work(self) -> None:
        """Carry out the run. Never raises."""
        run = self._run
        try:
            self._carry_out()
            run.end("COMPLETE")
        except Failed as failure:
            run.end("EXECUTOR_ERROR" if failure.is_own else "SYSTEM_ERROR", failure.word)
            self._log_end()
        except Exception as error:
            log.error("run %s", run.id, exc_info=error)
            run.end("SYSTEM_ERROR", "node")
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _log_end(self) -> None:
        """Tell the operator why the run failed, or that a canceled one waited for half a result."""
        halves = {} if self._run.word == "output" else self._half  # which says its own reason
        for name, parts in halves.items():
            (there,) = parts
            lacking = "json" if there == "npz" else "npz"
            self._log.note(mismatch(name, f"a .{lacking} beside the .{there}", "none"))
        if self._run.word:
            self._log.close(WORDS[self._run.word])
        elif self._half:
            self._log.close("The run was canceled.")

    def stop(self) -> None:
        """End the run's sandbox. Any thread may call it."""
        self._stopped.set()
        sandbox = self._sandbox
        if sandbox is not None:
            sandbox.stop()

    def place_state(self, number: int, content: bytes) -> None:
        """Give the network's state after a round to the algorithm.

        Args:
            number: The round.
            content: An NPZ file.

        Raises:
            OSError: The sandbox has ended.
        """
        sandbox = self._sandbox
        if sandbox is None:
            raise BrokenPipeError("no sandbox")
        sandbox.place(f"round-{number}.npz", content)

    def _carry_out(self) -> None:
        run = self._run
        if run.state != "QUEUED":
            raise Failed("ended", is_own=False)
        run.move("INITIALIZING")
        make_private_folder(self._scratch)
        algorithm = self._scratch / "algorithm"
        if not copy_algorithm(run.algorithm, algorithm):
            raise Failed("changed", is_own=False)
        self._make_view(self._scratch / "view")
        parameters = {**run.request.parameters, "smallest_count": self._settings.smallest_count}
        files = {PARAMETERS: json.dumps(parameters)}
        walls = Walls(_limits(self._settings, run.algorithm.largest_mb))
        with Sandbox(walls, algorithm, self._scratch / "view", files) as sandbox:
            self._sandbox = sandbox
            run.move("RUNNING")
            if self._stopped.is_set():
                sandbox.stop()
            self._watch(sandbox)
        self._wait_for_decisions()

    def _make_view(self, target: Path) -> None:
        run = self._run
        target.mkdir(mode=0o755)
        target.chmod(0o755)
        order = ViewOrder(
            str(self._node.absolute()),
            str(target.absolute()),
            sorted(run.people),
            list(run.variables),
            run.algorithm.genotypes,
        )
        made = subprocess.run(
            [sys.executable, "-m", VIEW],
            input=json.dumps(asdict(order)),
            text=True,
            capture_output=True,
            check=False,
        )
        if made.returncode:
            log.error("run %s: no view: %s", run.id, made.stderr.strip()[-1000:])
            raise Failed("node", is_own=False)
        if has_sketches(run.algorithm):
            key = read_kinship_key(self._node, self._settings.kinship_key)
            (target / IN_VIEW).write_bytes(key)
            (target / RUN_IN_VIEW).write_text(run.id)
        for path in target.iterdir():
            path.chmod(0o644)

    def _watch(self, sandbox: Sandbox) -> None:
        """Take what comes out until the algorithm ends. Raises Failed."""
        end: dict[str, Any] | None = None
        try:
            for frame in sandbox.frames():
                end = self._take(frame) or end
        except (SandboxError, Malformed) as error:
            sandbox.stop()
            self._log.note(str(error))
            raise Failed("output", is_own=True) from None
        if end is None:
            complaint = "" if self._stopped.is_set() else sandbox.complaint()
            log.warning("run %s: the sandbox ended %s", self._run.id, complaint)
            raise Failed("ended", is_own=False)
        self._judge_end(end)

    def _judge_end(self, end: dict[str, Any]) -> None:
        """Judge the last frame. Raises Failed."""
        self._run.cpu_s = end.get("cpu_s")
        if (reason := end.get("reason")) != "ended":
            raise Failed(reason if reason in OVERSTEPPED else "node", is_own=False)
        if end.get("code") != 0:
            raise Failed(self._code or "failed", is_own=True)
        missing = [one for one in self._run.algorithm.outputs if one not in self._run.results]
        missing += [name for name in self._half if name not in missing]
        if missing:
            self._log.note(f"lacking: {', '.join(missing)}")
            raise Failed("missing_output", is_own=True)

    def _take(self, frame: Frame) -> dict[str, Any] | None:
        """Take a file. Returns what the last frame says. Raises Malformed."""
        if frame.name == "end":
            values = json.loads(frame.content)
            return values if isinstance(values, dict) else {}
        if frame.name == "log":
            self._log.keep(frame.content)
            return None
        if frame.name == ERROR:
            self._code = _code(frame.content)
            return None
        name, part = self._expected(frame.name)
        if len(frame.content) > (most := self._run.algorithm.largest_mb * MB):  # it was cut
            expected = f"at most {most} bytes (largest_mb)"
            raise Malformed("too_large", mismatch(frame.name, expected, "more"))
        half = self._half.setdefault(name, {})
        half[part] = frame.content
        if len(half) == 2:
            del self._half[name]
            result = self._airlock.take(self.asked, name, half["npz"], half["json"])
            self._run.add_result(result)
            log.info("run %s: %s %s", self._run.id, name, ", ".join(result.reasons) or "passes")
        return None

    def _expected(self, path: str) -> tuple[str, str]:
        """Return name and part of a file that may come next. Raises Malformed."""
        algorithm, results = self._run.algorithm, self._run.results
        round_, output = _ROUND.fullmatch(path), _OUTPUT.fullmatch(path)
        # a round comes after the state that follows the one before, so few wait in memory
        due = f"{self._run.states_put}"
        if round_ and algorithm.rounds and round_[1] == due and f"round-{due}" not in results:
            return f"round-{due}", round_[2]
        if output and output[1] in algorithm.outputs and output[1] not in results:
            return output[1], output[2]
        expected = f"outbox/round-{due}, once" if algorithm.rounds else "a declared output, once"
        expected += ", as .npz and .json"
        raise Malformed("undeclared_file", mismatch("file", expected, shown(path)))

    def _wait_for_decisions(self) -> None:
        """Wait until a person decided about every held output. Raises Failed."""
        run = self._run
        held = [one for one in run.results.values() if one.reasons and not run.algorithm.rounds]
        until = time.monotonic() + self._settings.wall_s
        for result in held:
            while (word := self._airlock.decided(result)) != "release":
                run.move("PAUSED")
                if word == "refuse":
                    raise Failed("refused", is_own=False)
                if self._stopped.wait(LOOK_S):
                    raise Failed("ended", is_own=False)
                if time.monotonic() > until:
                    raise Failed("wall_s", is_own=False)


def _limits(settings: AnalysisSettings, largest_mb: int) -> Limits:
    return Limits(
        cpu_s=settings.cpu_s,
        wall_s=settings.wall_s,
        memory_mb=settings.memory_mb,
        address_space_mb=2 * settings.memory_mb,
        disk_mb=settings.disk_mb,
        output_mb=largest_mb,
    )


def _code(content: bytes) -> str:
    """Read the word that an algorithm gives for its error: one of a fixed set, or none."""
    try:
        code = json.loads(content)["code"]
    except (ValueError, TypeError, KeyError):
        return ""
    return code if code in CODES else ""
