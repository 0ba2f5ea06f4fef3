"""One run of an algorithm at a node: its state, its results, and the words that leave about it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from pyroaring import BitMap

from rehearsal.masked_sums.partners import JoinedNode
from rehearsal.masked_sums.signed_messages import AddressedRun
from rehearsal.node.airlock.airlock import TIME_STEP_S, Result
from rehearsal.node.wes.algorithms import Algorithm
from rehearsal.node.wes.masked_rounds import MaskedRounds
from rehearsal.node.wes.request import RunRequest

State = Literal[
    "QUEUED",
    "INITIALIZING",
    "RUNNING",
    "PAUSED",
    "COMPLETE",
    "EXECUTOR_ERROR",
    "SYSTEM_ERROR",
    "CANCELED",
]
STATES: tuple[State, ...] = get_args(State)
ENDED: tuple[State, ...] = STATES[4:]

# every sentence that a caller can read about the fate of a run; the run itself writes none
WORDS = {
    "failed": "The algorithm ended with an error. The log at the node has it.",
    "bad_parameters": "The algorithm did not accept its parameters.",
    "bad_state": "The algorithm did not accept what the network sent.",
    "bad_view": "The algorithm could not read the data.",
    "no_variable": "The data lack a variable that the algorithm needs.",
    "no_people": "No people are left for the algorithm.",
    "deadline": "The network did not answer in time.",
    "cpu_s": "The run used more CPU time than it may.",
    "wall_s": "The run took longer than it may.",
    "memory_mb": "The run used more memory than it may.",
    "processes": "The run had more processes than it may.",
    "files": "The run wrote more files than it may.",
    "output": "The run wrote more, or in another form, than it declared. "
    "The log at the node says what.",
    "missing_output": "The run did not write all of its results. The log at the node says which.",
    "refused": "A person at the node refused a result.",
    "changed": "The algorithm's files are not those that were approved.",
    "consent": "Consent or access rules changed during the run. Start it again.",
    "node": "The node could not carry out the run.",
    "ended": "The node was stopped.",
}
CODES = ("bad_parameters", "bad_state", "bad_view", "no_variable", "no_people", "deadline")


@dataclass
class Run:
    """A run. Its worker changes it, and requests read it."""

    id: str
    algorithm: Algorithm
    owner: str  # issuer and subject of who asked
    purpose: str
    request: RunRequest
    variables: tuple[str, ...]
    people: BitMap  # whose data it sees
    base_url: str  # of the service, as the caller reached it
    state: State = "QUEUED"
    word: str = ""  # why it failed, a key of WORDS
    created: float = field(default_factory=time.time)  # seconds since 1970
    started: float | None = None
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None  # as callers see it
    cpu_s: float | None = None
    results: dict[str, Result] = field(default_factory=dict)  # by round or output
    masks: MaskedRounds | None = None  # if sums leave under masks
    joined: JoinedNode | None = None  # then also as what the node joined
    states_put: int = 0  # states of the network that were placed, in order
    lock: threading.Lock = field(default_factory=threading.Lock)
    _history: list[tuple[float, State]] = field(default_factory=list)  # by the monotonic clock

    def at(self, node: str) -> AddressedRun:
        """Return what messages to the run are addressed to.

        Args:
            node: The code of this node.
        """
        return AddressedRun(node, self.id)

    def move(self, state: State) -> None:
        """Go on to another state, if the run has not ended.

        Args:
            state: The state.
        """
        with self.lock:
            if self.state not in (*ENDED, state):
                self._enter(state)

    def end(self, state: State, word: str = "") -> None:
        """Note the end, once.

        Args:
            state: The last state.
            word: Why it failed, a key of :data:`WORDS`.
        """
        with self.lock:
            if self.state not in ENDED:
                self.word = word
                self._enter(state)
            if self.state == "CANCELED":
                self.results.clear()

    def withdraw(self) -> None:
        """End because of somebody whose data it saw: no result leaves any more."""
        with self.lock:
            self.word = "consent"
            if self.state != "SYSTEM_ERROR":
                self._enter("SYSTEM_ERROR")  # also if it was complete
            self.results.clear()

    def add_result(self, result: Result) -> None:
        """Add a result, unless the run has ended: then nothing is left that it belongs to.

        Args:
            result: The result.
        """
        with self.lock:
            if self.state not in ENDED:
                self.results[result.name] = result

    def _enter(self, state: State) -> None:
        now = time.monotonic()
        self.state = state
        self._history.append((now, state))
        if state in ENDED:
            self.ended = self.created + self._step_from(now) - self.began

    def _step_from(self, moment: float) -> float:
        """Return the first step of time from a moment on, of the monotonic clock."""
        return self.began - (self.began - moment) // TIME_STEP_S * TIME_STEP_S

    def shows_end_in(self) -> float:
        """Return the seconds until callers see the end of a run that has ended."""
        at = self._history[-1][0] if self._history else self.began
        return max(0.0, self._step_from(at) - time.monotonic())

    def shown_state(self) -> State:
        """Return the state as callers see it: one of the run shows at steps of time only."""
        if self.state == "CANCELED" or self.word == "consent":  # which the algorithm does not time
            return self.state
        now = time.monotonic()
        shown: State = "QUEUED"
        for at, state in self._history:
            shown = state if self._step_from(at) <= now else shown
        return shown

    @property
    def size(self) -> int:
        """Bytes of its results."""
        with self.lock:
            return sum(one.size for one in self.results.values())

    def status(self) -> dict[str, Any]:
        """Build WES's ``RunStatus``."""
        return {"run_id": self.id, "state": self.shown_state()}

    def summary(self) -> dict[str, Any]:
        """Build WES's ``RunSummary``."""
        return {**self.status(), **self._times(), "tags": dict(self.request.tags)}

    def log(self) -> dict[str, Any]:
        """Build WES's ``RunLog``. It has no output of the algorithm, and fixed words only."""
        here = f"{self.base_url}/runs/{self.id}"
        outputs: Mapping[str, str] = {}
        if self.shown_state() == "COMPLETE":
            names = self.algorithm.outputs
            outputs = {name: f"{here}/outputs/{name}.npz" for name in names}
        return {
            **self.status(),
            "request": dict(self.request.given),
            "run_log": self._log(),
            "task_logs_url": f"{here}/tasks",
            "outputs": outputs,
        }

    def task(self) -> dict[str, Any]:
        """Build WES's ``TaskLog`` of the run's one task."""
        return {"id": "algorithm", **self._log()}

    def _log(self) -> dict[str, Any]:
        state = self.shown_state()
        log: dict[str, Any] = {"name": self.algorithm.name, "cmd": [], **self._times()}
        if state in ENDED:
            log["exit_code"] = 0 if state == "COMPLETE" else 1
            log["system_logs"] = [WORDS[self.word]] if self.word else []
        return log

    def _times(self) -> dict[str, str]:
        times = {"start_time": self.started}
        if self.shown_state() in ENDED:
            times["end_time"] = self.ended
        return {name: _timestamp(one) for name, one in times.items() if one is not None}


def _timestamp(seconds: float) -> str:
    """A time in whole seconds: the rest would be a message of the algorithm."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
