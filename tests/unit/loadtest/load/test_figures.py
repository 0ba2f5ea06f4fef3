"""What a step of load comes to: refusals, lateness and failure stay apart."""

import orjson
import pytest

from rehearsal.loadtest.load.figures import Step, figures, load_table, meets
from rehearsal.loadtest.load.run import load_checks
from rehearsal.loadtest.load.sender import Call, Sent, read_answer
from rehearsal.loadtest.load.workload import weights
from rehearsal.model import InputError

CALL = Call("http://x/g_variants", "POST", {}, b"", "q", "count", "researcher", "FI", True, 3)


def sent(state="answered", latency_s=0.1, nodes=(28, 0, 0, 0), equal=True, at_s=0.0):
    return Sent(0, at_s, 0.001, latency_s, state, 100, equal, nodes, "")


def step(requests, rate=8.0, planned=None):
    notes = {"planned": len(requests) if planned is None else planned}
    return Step(rate, 1.0, "warm", requests, [sent(latency_s=0.002)], 28, 0.5, {}, notes)


def network_says(states, exists=True, count=3):
    nodes = [{"node": f"N{i}", "state": state} for i, state in enumerate(states)]
    summary = {"exists": exists, "numTotalResults": count}
    return orjson.dumps({"responseSummary": summary, "info": {"nodes": nodes}})


def test_a_quick_refusal_makes_nothing_look_quicker():
    slow = [sent(latency_s=0.8)] * 5
    quick = [sent("refused", 0.001)] * 95
    found = figures([*slow, *quick])
    assert found["p50_ms"] == pytest.approx(800)
    assert (found["answered"], found["refused"], found["in_time_share"]) == (5, 95, 1.0)


def test_a_query_given_up_counts_with_the_time_it_was_waited_for():
    found = figures([sent(), sent("late", 10.0), sent("failed", 0.001)])
    assert found["max_ms"] == 10_000
    assert found["in_time_share"] == pytest.approx(1 / 3)


def test_a_step_meets_the_objective_by_lateness_and_by_share():
    assert meets(step([sent()] * 99 + [sent(latency_s=1.5)]))
    assert not meets(step([sent()] * 97 + [sent(latency_s=1.5)] * 3))
    assert not meets(step([sent()] * 94 + [sent("failed")] * 6))
    assert meets(step([sent()] * 94 + [sent("refused")] * 6))
    assert not meets(step([sent("refused")] * 10)), "nobody was answered"


@pytest.mark.parametrize(
    "status, body, state, equal",
    [
        (200, network_says(["answered"] * 2), "answered", True),
        (200, network_says(["answered"] * 2, count=4), "answered", False),
        (200, network_says(["answered"] * 2, exists=False), "answered", False),
        (200, network_says(["answered", "refused"]), "answered", None),
        (200, network_says(["answered", "late"]), "late", None),
        (200, network_says(["answered", "failed"]), "failed", None),
        (403, network_says(["refused"] * 2), "refused", None),
        (504, network_says(["late"] * 2), "late", None),
        (502, network_says(["failed"] * 2), "failed", None),
        (200, b'{"responseSummary": {"exists": true, "numTotalResults": 3}}', "answered", True),
        (200, b"<html>", "failed", None),
        (200, b"[]", "failed", None),
        (200, b"{}", "failed", None),
        (302, b"{}", "failed", None),
    ],
)
def test_what_a_whole_answer_is_taken_for(status, body, state, equal):
    assert read_answer(CALL, status, body)[:2] == (state, equal)


def test_the_table_has_a_row_for_each_kind_and_role_beside_the_whole():
    table = load_table([step([sent()] * 3)], [CALL])
    parts = table[["kind", "role", "sent"]].values.tolist()
    assert parts == [["all", "all", 3], ["count", "all", 3], ["all", "researcher", 3]]
    assert table["control_p50_ms"].iloc[0] == pytest.approx(2)


def failed_checks(*steps):
    return [check["name"] for check in load_checks(steps) if not check["passed"]]


def test_checks_find_what_is_lost_unnamed_or_wrong():
    assert failed_checks(step([sent()])) == []
    assert failed_checks(step([sent()], planned=2)) == ["load: queries lost without a mark"]
    unnamed = failed_checks(step([sent(nodes=(27, 0, 0, 0))]))
    assert unnamed == ["load: nodes missing from answers without a mark"]
    wrong = failed_checks(step([sent(equal=False)]))
    assert wrong == ["load: answers that differ from the truth"]


def test_lateness_decides_only_at_the_lowest_rate_and_only_beyond_the_deadline():
    slow = step([sent(latency_s=9.0)])
    overloaded = step([sent("late", 10.0)], rate=64.0)
    assert failed_checks(slow, overloaded) == []
    assert len(failed_checks(step([sent(), sent("late", 10.0)]), step([sent()], rate=64.0))) == 1


def test_kinds_and_users_come_up_by_their_weights_however_many_queries_each_has():
    def call(kind, role):
        return Call("", "GET", {}, None, "q", kind, role, "FI")

    calls = [call("gene", "public")] * 3 + [call("count", "public"), call("count", "researcher")]
    chance = weights(calls, {"gene": 1, "count": 1}, {"public": 1, "researcher": 2})
    assert chance == pytest.approx([1 / 12, 1 / 12, 1 / 12, 1 / 4, 1 / 2])
    with pytest.raises(InputError, match=r"bench\.load: kinds: a weight above 0 for one of count"):
        weights(calls, {"range": 1}, {"public": 1})
