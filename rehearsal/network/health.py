"""The health of a node, and whether it is worth asking.

The circuit of a node is ``closed`` while it is asked. When a query ends as ``failed`` or ``late``,
the node is probed at once. If that fails too, the circuit is ``open``: queries skip the node and
say so. During a probe an open circuit is ``half-open``; an answered probe closes it.

Probes alone decide whether a node is healthy. No caller can change that by a query on which a node
fails or a deadline that it cannot meet: such a query only makes the next probe due.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Literal

from rehearsal.model import Answer, AnswerState

Circuit = Literal["closed", "open", "half-open"]

REMEMBERED = 20  # recent answers; the slowest of them is the usual time
IN_TIME = frozenset({"answered", "refused"})


@dataclass(slots=True)
class NodeHealth:
    """The record of one node. Times are of one monotonic clock, in seconds."""

    circuit: Circuit = "closed"
    strikes: int = 0  # unanswered probes in a row
    suspected: bool = False  # whether a query failed since the last answered probe
    state: AnswerState | None = None  # of the last probe
    reason: str = ""
    opened_by: Answer | None = None  # the failed probe, while the circuit is not closed
    beacon_id: str | None = None
    heard_at: float | None = None  # time of the last answered probe
    tried_at: float | None = None  # time of the last probe
    counts: Counter[str] = field(default_factory=Counter)  # of queries, by state
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    @property
    def healthy(self) -> bool:
        """Whether an answer can be expected: the last probe was answered."""
        return self.circuit == "closed" and self.strikes == 0 and self.heard_at is not None

    @property
    def usual_s(self) -> float:
        """The slowest of its recent answers, in seconds; 0.0 when there was none."""
        return max(self._recent, default=0.0)

    def record_exchange(self, answer: Answer) -> None:
        """Record the outcome of a query.

        Args:
            answer: The node's answer.
        """
        self.counts[answer.state] += 1
        self._note_name(answer)
        if answer.state in IN_TIME:
            self._recent.append(answer.latency_s)
        else:
            self.suspected = True

    def start_probe(self, now: float) -> None:
        """Record that a probe starts.

        Args:
            now: Current time, in seconds.
        """
        self.tried_at = now
        if self.circuit == "open":
            self.circuit = "half-open"

    def record_probe(self, answer: Answer, now: float) -> None:
        """Record the outcome of a probe.

        Args:
            answer: The node's answer.
            now: Current time, in seconds.
        """
        self.tried_at, self.state, self.reason = now, answer.state, answer.reason
        self._note_name(answer)
        if answer.state in IN_TIME:
            self.circuit, self.opened_by = "closed", None
            self.strikes, self.suspected, self.heard_at = 0, False, now
            if not self._recent:
                self._recent.append(answer.latency_s)
            return
        self.strikes += 1
        if self.suspected or self.strikes > 1 or self.circuit == "half-open":
            self.circuit, self.opened_by = "open", answer

    def _note_name(self, answer: Answer) -> None:
        beacon_id = ((answer.body or {}).get("meta") or {}).get("beaconId")
        if isinstance(beacon_id, str):
            self.beacon_id = beacon_id

    def skipped_answer(self, node: str, query: str) -> Answer:
        """Build the answer of a node that is skipped because its circuit is open.

        The reason is that of the failed probe: a query that was under way may still have been
        answered.

        Args:
            node: Country code of the node.
            query: Id of the query.

        Returns:
            An answer with state ``failed`` or ``late``.
        """
        because = self.opened_by
        state: AnswerState = "late" if because and because.state == "late" else "failed"
        reason = f"circuit open: {because.reason if because else ''}"
        return Answer(query, node, state, None, None, 0.0, 0, reason)
