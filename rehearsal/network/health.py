"""What the network knows of a node's health, and whether it is worth asking.

A node's circuit is ``closed`` while it is asked. When an exchange with it ends ``failed`` or
``late``, the node is probed at once; when that fails too, the circuit is ``open``: queries no
longer go to the node and say so. An open circuit is ``half-open`` while a probe is under way;
a probe that is answered closes it. The probe decides, not the queries: no caller can shut a
node out by a query that it fails on, or by a deadline that it cannot keep.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Literal

from rehearsal.model import Answer, AnswerState

Circuit = Literal["closed", "open", "half-open"]

REMEMBERED = 20  # answers whose slowest is how long a node usually takes
IN_TIME = frozenset({"answered", "refused"})


@dataclass(slots=True)
class NodeHealth:
    """One node's record. Times are of one monotonic clock, in seconds."""

    circuit: Circuit = "closed"
    strikes: int = 0  # exchanges in a row, probes included, that brought nothing
    state: AnswerState | None = None  # of the last exchange
    reason: str = ""
    opened_by: Answer | None = None  # the probe that failed, while the circuit is not closed
    beacon_id: str | None = None
    heard_at: float | None = None  # when it last answered
    tried_at: float | None = None  # when it was last asked
    counts: Counter[str] = field(default_factory=Counter)
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    @property
    def healthy(self) -> bool:
        """Whether its next answer can be expected: the last one came."""
        return self.circuit == "closed" and self.strikes == 0 and self.heard_at is not None

    @property
    def usual_s(self) -> float:
        """The slowest of its last answers; 0.0 when there was none."""
        return max(self._recent, default=0.0)

    def record_exchange(self, answer: Answer, now: float) -> None:
        """Take note of what came of a query."""
        self.counts[answer.state] += 1
        self._note(answer, now)
        if answer.state in IN_TIME:
            self._recent.append(answer.latency_s)

    def start_probe(self, now: float) -> None:
        """A probe sets out."""
        self.tried_at = now
        if self.circuit == "open":
            self.circuit = "half-open"

    def record_probe(self, answer: Answer, now: float) -> None:
        """Take note of what came of a probe."""
        self._note(answer, now)
        if answer.state in IN_TIME:
            self.circuit, self.opened_by = "closed", None
            if not self._recent:
                self._recent.append(answer.latency_s)
        elif self.strikes > 1 or self.circuit == "half-open":
            self.circuit, self.opened_by = "open", answer

    def _note(self, answer: Answer, now: float) -> None:
        self.tried_at, self.state, self.reason = now, answer.state, answer.reason
        if answer.state in IN_TIME:
            self.strikes, self.heard_at = 0, now
        else:
            self.strikes += 1
        beacon_id = ((answer.body or {}).get("meta") or {}).get("beaconId")
        if isinstance(beacon_id, str):
            self.beacon_id = beacon_id

    def skipped_answer(self, node: str, query: str) -> Answer:
        """The answer of a node that is not asked because its circuit is open.

        Why it is open the probe tells: a query that was under way may still have been answered.
        """
        because = self.opened_by
        state: AnswerState = "late" if because and because.state == "late" else "failed"
        reason = f"circuit open: {because.reason if because else ''}"
        return Answer(query, node, state, None, None, 0.0, 0, reason)
