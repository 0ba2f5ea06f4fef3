"""The outcome of a fault scenario: answers, marked failures, and whether the requirements held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rehearsal.loadtest.faults.fault_injection import FaultInjection
from rehearsal.loadtest.faults.scenarios import Scenario
from rehearsal.loadtest.faults.steady_queries import NO_REPLY, ObservedReply
from rehearsal.machine import load_average

RECOVERY_S = 30.0  # longer than a node's start and the next probes on a very busy machine
OTHERS_ANSWERED = 0.95
SHOWN = 200  # characters of a reason
COLUMNS = {
    "scenario": "str",
    "node": "str",  # country of the broken node; empty: the network itself
    "must_hold": "str",
    "held": "bool",
    "why": "str",  # what did not hold
    "queries": "int64",
    "expected_answers": "int64",  # queries x nodes
    "answered": "int64",
    "marked": "int64",  # refused, failed, late, or the client got an error
    "unmarked": "int64",  # lost or wrong: must be 0
    "answered_share": "float64",
    "marked_share": "float64",
    "unmarked_share": "float64",
    "others_answered": "float64",  # share of the answers of healthy nodes
    "recovered_s": "float64",  # from the removal of the fault to the first complete answer
    "fault_s": "float64",
    "victim": "str",  # its states while the fault lasted
    "said": "str",  # message of the broken node, or of the network about it
    "load_average": "float64",
}


@dataclass(frozen=True)
class ScenarioOutcome:
    """All observations of one scenario."""

    scenario: Scenario
    injection: FaultInjection
    replies: Sequence[ObservedReply]
    victim: str  # country of the broken node
    recovered_s: float | None  # None: no complete answer came within ``RECOVERY_S``

    def row(self) -> dict[str, Any]:
        """Return the row of the table, with the columns ``COLUMNS``."""
        failures = self.failures()
        return {
            "scenario": self.scenario.name,
            "node": self.victim if self.scenario.has_victim else "",
            "must_hold": self.scenario.must_hold,
            "held": not failures,
            "why": "; ".join(failures)[: 3 * SHOWN],
            "queries": len(self.replies),
            **self._counts(),
            "others_answered": self._others_answered(),
            "recovered_s": float("nan") if self.recovered_s is None else self.recovered_s,
            "fault_s": self.injection.healed_at - self.injection.applied_at,
            **self._victim_columns(),
            "load_average": load_average(),
        }

    def failures(self) -> list[str]:
        """What should have held and did not."""
        failures = [*self.injection.complaints, *self._unmarked_failures(), *self._odd_answers()]
        if self.recovered_s is None:
            failures.append(f"no whole answer within {RECOVERY_S:g} s after the fault")
        others = self._others_answered()
        if self.scenario.has_victim and others < OTHERS_ANSWERED:
            failures.append(f"of the other nodes only {others:.0%} answered")
        return failures

    def _counts(self) -> dict[str, Any]:
        """Answers of all nodes to all queries: in numbers, and as shares of what was expected."""
        states = [state for one in self.replies for state in one.states.values()]
        answered = states.count("answered")
        expected = len(states) + len(self._lost)
        counts = {
            "answered": answered - len(self._wrong),
            "marked": len(states) - answered,
            "unmarked": len(self._lost) + len(self._wrong),
        }
        shares = {f"{name}_share": count / max(1, expected) for name, count in counts.items()}
        return {"expected_answers": expected, **counts, **shares}

    def _victim_columns(self) -> dict[str, str]:
        while_broken = list(self._while_broken())
        states = Counter(state for state, _ in while_broken)
        reasons = [reason for _, reason in while_broken if reason]
        message = self.injection.message or (reasons[0] if reasons else "")
        return {
            "victim": ", ".join(f"{state} {number}" for state, number in states.most_common()),
            "said": message[:SHOWN],
        }

    @property
    def _lost(self) -> list[str]:
        return [country for one in self.replies for country in one.lost]

    @property
    def _wrong(self) -> list[str]:
        return [text for one in self.replies for text in one.wrong]

    def _others_answered(self) -> float:
        others = [
            state
            for one in self.replies
            for country, state in one.states.items()
            if country != self.victim
        ]
        return others.count("answered") / max(1, len(others))

    def _while_broken(self) -> Iterator[tuple[str, str]]:
        """State and reason of each answer whose query was sent and answered during the fault."""
        for one in self.replies:
            if one.sent_at < self.injection.applied_at:
                continue
            if one.received_at > self.injection.healed_at:
                continue
            if self.scenario.has_victim:
                yield one.states.get(self.victim, "lost"), one.reasons.get(self.victim, "")
            else:
                yield from ((state, one.reasons.get("", "")) for state in set(one.states.values()))

    def _unmarked_failures(self) -> Iterator[str]:
        if self._lost:
            yield f"{len(self._lost)} answers lost without notice"
        if self._wrong:
            yield f"{len(self._wrong)} answers wrong without notice: {self._wrong[0]}"

    def _odd_answers(self) -> Iterator[str]:
        """Find answers during the fault that differ from those that the scenario requires."""
        while_broken, wanted = list(self._while_broken()), self.scenario.reason
        shows = self.scenario.shows if self.scenario.has_victim else (NO_REPLY,)
        seen = {state for state, _ in while_broken}
        if not seen & set(shows):
            yield f"the fault had no effect: {', '.join(sorted(seen)) or 'no answers'}"
        if odd := seen - set(shows):
            yield f"expected {' or '.join(shows)}, found also {', '.join(sorted(odd))}"
        if strange := [reason for _, reason in while_broken if wanted not in reason]:
            yield f"expected the reason {wanted!r}, found {strange[0]!r}"


def fault_checks(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Make the checks of the scenarios for ``summary.json``.

    Args:
        table: What ``run_faults`` returns.

    Returns:
        One check per scenario.
    """
    return [
        {
            "name": f"fault: {row.scenario}",
            "expected": row.must_hold,
            "observed": row.why or "held",
            "passed": bool(row.held),
        }
        for row in table.itertuples(index=False)
    ]
