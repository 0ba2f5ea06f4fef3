"""What a step of load comes to: refusals, lateness and failure stay apart."""

import pytest

from rehearsal.loadtest.load.figures import figures, load_table, meets

from .sent_requests import CALL, sent, step


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


def test_the_table_has_a_row_for_each_kind_and_role_beside_the_whole():
    table = load_table([step([sent()] * 3)], [CALL])
    parts = table[["kind", "role", "sent"]].values.tolist()
    assert parts == [["all", "all", 3], ["count", "all", 3], ["all", "researcher", 3]]
    assert table["control_p50_ms"].iloc[0] == pytest.approx(2)
