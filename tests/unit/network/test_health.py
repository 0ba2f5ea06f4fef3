"""Circuits: which nodes are asked, which are probed, and when that changes."""

from rehearsal.model import Answer
from rehearsal.network.health import REMEMBERED, NodeHealth


def said(state: str, latency_s: float = 0.01, body=None) -> Answer:
    return Answer("q", "FI", state, None, body, latency_s, 0, "" if state == "answered" else "why")


def probed(health, state, now):
    health.start_probe(now)
    health.record_probe(said(state), now)


def test_a_node_is_healthy_once_a_probe_was_answered():
    health = NodeHealth()
    assert health.circuit == "closed"
    assert not health.healthy
    health.record_exchange(said("answered"))
    assert not health.healthy
    probed(health, "answered", 1.0)
    assert health.healthy
    assert health.heard_at == 1.0


def test_a_refusal_is_an_answer():
    health = NodeHealth()
    probed(health, "refused", 1.0)
    assert health.healthy


def test_the_circuit_opens_when_a_query_and_the_probe_after_it_fail():
    health = NodeHealth()
    probed(health, "answered", 0.0)
    health.record_exchange(said("late"))
    assert health.circuit == "closed"
    probed(health, "late", 3.0)
    assert health.circuit == "open"
    unasked = health.skipped_answer("FI", "q")
    assert (unasked.state, unasked.reason) == ("late", "circuit open: why")


def test_without_a_failed_query_it_opens_after_two_probes():
    health = NodeHealth()
    probed(health, "late", 1.0)
    assert health.circuit == "closed"
    assert not health.healthy
    probed(health, "late", 3.0)
    assert health.circuit == "open"


def test_an_answer_that_was_under_way_leaves_the_reason_of_an_open_circuit():
    health = NodeHealth()
    health.record_exchange(said("late"))
    probed(health, "late", 3.0)
    health.record_exchange(said("answered"))
    assert health.circuit == "open"
    unasked = health.skipped_answer("FI", "q")
    assert (unasked.state, unasked.reason) == ("late", "circuit open: why")


def test_a_node_that_fails_on_queries_but_answers_probes_stays_in():
    health = NodeHealth()
    for now in range(10):
        health.record_exchange(said("failed"))
        probed(health, "answered", now)
        assert health.circuit == "closed"
        assert health.healthy


def test_queries_alone_change_nothing_that_health_tells():
    health = NodeHealth()
    probed(health, "answered", 0.0)
    for state in ["late", "failed", "answered"] * 10:
        health.record_exchange(said(state))
        assert health.healthy
        assert (health.circuit, health.state, health.strikes) == ("closed", "answered", 0)


def test_an_open_circuit_is_half_open_under_a_probe_which_decides():
    health = NodeHealth(circuit="open", strikes=2)
    health.start_probe(5.0)
    assert health.circuit == "half-open"
    health.record_probe(said("failed"), 5.1)
    assert health.circuit == "open"
    assert health.skipped_answer("FI", "q").state == "failed"
    health.start_probe(7.0)
    health.record_probe(said("answered"), 7.1)
    assert health.circuit == "closed"
    assert health.healthy


def test_usual_is_the_slowest_of_the_last_answers_in_time():
    health = NodeHealth()
    health.record_exchange(said("answered", 9.0))
    for _ in range(REMEMBERED - 1):
        health.record_exchange(said("answered", 0.2))
    health.record_exchange(said("late", 10.0))
    assert health.usual_s == 9.0
    health.record_exchange(said("answered", 0.1))
    assert health.usual_s == 0.2


def test_the_beacons_name_is_remembered():
    health = NodeHealth()
    health.record_exchange(said("answered", body={"meta": {"beaconId": "org.fi"}}))
    health.record_exchange(said("failed"))
    assert health.beacon_id == "org.fi"
