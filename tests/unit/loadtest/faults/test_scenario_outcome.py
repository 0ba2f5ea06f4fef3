"""What a scenario came to: what does not hold fails it and is told."""

import pandas as pd
import pytest

from rehearsal.loadtest.faults.fault_injection import FaultInjection
from rehearsal.loadtest.faults.scenario_outcome import ScenarioOutcome, fault_checks
from rehearsal.loadtest.faults.scenarios import SCENARIOS
from rehearsal.loadtest.faults.steady_queries import NO_REPLY, ObservedReply

BY_NAME = {one.name: one for one in SCENARIOS}


def outcome(scenario: str, *replies: ObservedReply, recovered_s: float | None = 0.5):
    injection = FaultInjection(None, None, None, None, applied_at=10.0, healed_at=12.0)
    return ScenarioOutcome(BY_NAME[scenario], injection, replies, "SE", recovered_s).row()


def while_broken(state: str, reason: str = "HTTP 500: no", **more) -> ObservedReply:
    return ObservedReply(10.5, 10.6, {"FI": "answered", "SE": state}, {"SE": reason}, **more)


def test_a_fault_that_is_marked_and_mended_holds():
    row = outcome("answers 500", while_broken("failed"), while_broken("failed"))
    assert row["held"], row["why"]
    assert (row["answered"], row["marked"], row["unmarked"]) == (2, 2, 0)
    assert row["victim"] == "failed 2"
    assert row["others_answered"] == 1.0


@pytest.mark.parametrize(
    ("rows", "recovered_s", "why"),
    [
        ([while_broken("answered")], 0.5, "the fault had no effect: answered"),
        ([while_broken("failed"), while_broken("answered")], 0.5, "found also answered"),
        ([while_broken("failed", "the dog ate it")], 0.5, "expected the reason 'HTTP 500'"),
        ([while_broken("failed", wrong=("FI: count",))], 0.5, "1 answers wrong without notice"),
        ([while_broken("failed", lost=("IT",))], 0.5, "1 answers lost without notice"),
        ([while_broken("failed")], None, "no whole answer within"),
        ([], 0.5, "no answers"),
    ],
)
def test_what_does_not_hold_fails_the_scenario_and_says_why(rows, recovered_s, why):
    row = outcome("answers 500", *rows, recovered_s=recovered_s)
    assert not row["held"]
    assert why in row["why"]


def test_the_network_itself_may_be_away_but_its_askers_must_know():
    away = ObservedReply(10.5, 10.6, {"FI": NO_REPLY, "SE": NO_REPLY}, {"": "refused"})
    assert outcome("network killed and restarted", away)["held"]
    half = ObservedReply(10.5, 10.6, {"FI": "answered", "SE": "answered"})
    assert not outcome("network killed and restarted", away, half)["held"]


def test_a_failed_scenario_fails_the_run():
    table = pd.DataFrame([outcome("answers 500", while_broken("answered"))])
    (check,) = fault_checks(table)
    assert not check["passed"]
    assert check["name"] == "fault: answers 500"
    assert "had no effect" in check["observed"]
