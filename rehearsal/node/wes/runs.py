"""All runs of a node: who waits, who works, and what the audit log says of them."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import OrderedDict, deque
from pathlib import Path
from typing import Any

from rehearsal.node.access.audit_log import AuditFailed, AuditLog
from rehearsal.node.airlock.airlock import Airlock, Result
from rehearsal.node.settings.analysis_settings import AnalysisSettings
from rehearsal.node.wes.run import ENDED, STATES, Run
from rehearsal.node.wes.worker import Worker
from rehearsal.web.problem import Problem

log = logging.getLogger(__name__)

SCRATCH, LOGS = "analyses", "analysis_logs"  # folders in the state folder
LAST_S, LOOK_S = 3.0, 0.02  # seconds that runs have to end with their node; between two looks
MOST_KEPT = 1000  # runs that are remembered; the oldest ended ones are forgotten
MOST_BYTES = 512 << 20  # of their results; the last one that ended is kept whatever it has


class Runs:
    """The runs of a node, kept in memory: a node that starts again has none.

    Args:
        settings: The node's limits.
        node: Folder of the node.
        state: Folder of what the node writes.
        airlock: The node's airlock.
        audit: The audit log, or None.
    """

    def __init__(
        self,
        settings: AnalysisSettings,
        node: Path,
        state: Path,
        airlock: Airlock,
        audit: AuditLog | None,
    ) -> None:
        self.settings, self._node, self._state = settings, node, state
        self.airlock, self._audit = airlock, audit
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._workers: dict[str, Worker] = {}
        self._waiting: deque[Run] = deque()
        self._lock = threading.Lock()
        self._is_open = True
        shutil.rmtree(state / SCRATCH, ignore_errors=True)  # of a node that was killed

    def close(self) -> None:
        """End all runs, record that, and remove what they saw."""
        with self._lock:
            self._is_open = False
            self._waiting.clear()
            working = list(self._workers.values())
        for worker in working:
            worker.stop()
        until = time.monotonic() + LAST_S
        while self._workers and time.monotonic() < until:
            time.sleep(LOOK_S)
        shutil.rmtree(self._state / SCRATCH, ignore_errors=True)

    def submit(self, run: Run) -> None:
        """Start a run, or let it wait.

        Args:
            run: The run.

        Raises:
            Problem: Too many runs wait (429), or the audit log cannot be written (503).
        """
        with self._lock:
            must_wait = len(self._workers) >= self.settings.runs
            if must_wait and len(self._waiting) >= self.settings.waiting:
                expected = f"at most {self.settings.waiting} runs that wait"
                raise Problem.mismatch("runs", expected, "one more", 429)
            self._record(run, "run asked for")
            self._runs[run.id] = run
            self._forget_old()
            if must_wait:
                self._waiting.append(run)
            else:
                self._start(run)

    def _start(self, run: Run) -> None:
        worker = Worker(
            run,
            self._node,
            self._state / SCRATCH / run.id,
            self._state / LOGS,
            self.settings,
            self.airlock,
        )
        self._workers[run.id] = worker
        run.started = run.created
        threading.Thread(
            target=self._work, args=(run, worker), daemon=True, name=f"run {run.id}"
        ).start()

    def _work(self, run: Run, worker: Worker) -> None:
        worker.work()
        time.sleep(run.shows_end_in())  # when the next run starts would tell a finer time
        try:
            self._record(run, f"run ended: {run.state}{f', {run.word}' if run.word else ''}")
        except Problem as problem:
            log.error("run %s: %s", run.id, problem.message)
        with self._lock:
            del self._workers[run.id]
            self._forget_old()
            while self._waiting and self._is_open:
                following = self._waiting.popleft()
                if following.state == "QUEUED":
                    self._start(following)
                    break

    def _forget_old(self) -> None:
        ended = [one for one in self._runs.values() if one.state in ENDED]
        size = sum(one.size for one in ended)
        for run in sorted(ended, key=lambda one: one.ended or 0.0)[:-1]:
            if len(self._runs) <= MOST_KEPT and size <= MOST_BYTES:
                return
            size -= run.size
            del self._runs[run.id]

    def _record(self, run: Run, event: str) -> None:
        """Write into the audit log. Raises Problem (503)."""
        if self._audit is None:
            return
        about = {"run": run.id, "algorithm": run.algorithm.digest, "name": run.algorithm.name}
        try:
            self._audit.append(
                {"rule": event, "caller": run.owner, "purpose": run.purpose, **about}
            )
        except AuditFailed as failure:
            log.error("The audit log cannot be written: %s", failure)
            raise Problem("The node cannot write its audit log.", 503) from None

    def of(self, owner: str) -> list[Run]:
        """List a caller's runs, the oldest first.

        Args:
            owner: The caller.
        """
        with self._lock:
            return [one for one in self._runs.values() if one.owner == owner]

    def counts(self) -> dict[str, int]:
        """Count the runs by state."""
        with self._lock:
            states = [one.shown_state() for one in self._runs.values()]
        return {state: states.count(state) for state in STATES}

    def stop(self, run: Run, state: Any = "CANCELED", word: str = "") -> None:
        """End a run.

        Args:
            run: The run.
            state: Its last state.
            word: Why, a key of :data:`rehearsal.node.wes.run.WORDS`.
        """
        run.end(state, word)
        self._stop_worker(run)

    def withdraw(self, run: Run) -> None:
        """End a run that saw data of somebody who does not permit it any more.

        Args:
            run: The run.
        """
        run.withdraw()
        self._stop_worker(run)

    def _stop_worker(self, run: Run) -> None:
        with self._lock:
            worker = self._workers.get(run.id)
        if worker is not None:
            worker.stop()

    def decision(self, run: Run, result: Result) -> str:
        """Tell whether a result may leave.

        Args:
            run: Its run.
            result: The result.

        Returns:
            ``release``, ``wait`` or ``refuse``, which ends the run. A decision stands, whether or
            not the run goes on.
        """
        if not result.reasons:
            return "release"
        word = self.airlock.decided(result)
        if word == "refuse":
            self.stop(run, "SYSTEM_ERROR", "refused")
        if word is not None:
            self._record(run, f"{result.name}: {word} by a person")
        return word or "wait"

    def place_state(self, run: Run, number: int, content: bytes) -> bool:
        """Give the network's state after a round to a run.

        Args:
            run: The run.
            number: The round.
            content: An NPZ file.

        Returns:
            Whether the run still takes it.
        """
        worker = self._workers.get(run.id)
        try:
            if worker is None:
                return False
            worker.place_state(number, content)
        except OSError:
            return False
        return True
