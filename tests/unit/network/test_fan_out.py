"""Collection of answers: all at once, partially, one after another."""

import asyncio

import pytest

from rehearsal.model import Answer
from rehearsal.network.fan_out import (
    GRACE_S,
    gather,
    gather_one_after_another,
    gather_partially,
    partial_end_s,
)
from rehearsal.network.registry import NodeEntry

from ..virtual_time import run_in_virtual_time


def test_nothing_is_known_before_half_of_the_nodes_have_finished():
    assert partial_end_s(4, [0.1], []) is None
    assert partial_end_s(1, [], []) is None


def test_the_overdue_get_a_grace_after_the_slowest_that_finished():
    assert partial_end_s(4, [0.1, 0.3], []) == pytest.approx(0.3 + GRACE_S)


def test_a_node_that_is_usually_slow_is_waited_for():
    assert partial_end_s(4, [0.1, 0.3], [0.2]) == pytest.approx(0.3 + GRACE_S)
    assert partial_end_s(4, [0.1, 0.3], [0.2, 0.9]) == pytest.approx(0.9 + GRACE_S)


def test_the_grace_leaves_room_for_our_own_work_below_50_ms():
    assert GRACE_S < 0.05


def nodes(count: int) -> list[NodeEntry]:
    return [NodeEntry(f"N{i}", f"http://n{i}") for i in range(count)]


def putting(seconds: dict[str, float]):
    async def send(node: NodeEntry) -> Answer:
        await asyncio.sleep(seconds.get(node.country, 0))
        return Answer("q", node.country, "answered", 200, {}, 0.0, 0)

    return send


def partially(count: int, seconds: dict[str, float], usual: dict[str, float]):
    """Return the states of the nodes, and the time that it took in seconds."""

    async def asked():
        answers = await gather_partially(nodes(count), putting(seconds), usual, 0.0, "q")
        return [answer.state for answer in answers], asyncio.get_running_loop().time()

    return run_in_virtual_time(asked())


def test_a_partial_answer_leaves_without_those_who_hang():
    states, took_s = partially(4, {"N0": 0.2, "N1": 30, "N3": 30}, {})
    assert states == ["answered", "late", "answered", "late"]
    assert took_s == pytest.approx(0.2 + GRACE_S)


def test_a_partial_answer_waits_for_whom_is_usually_slow_and_not_for_whom_hangs():
    states, took_s = partially(4, {"N1": 0.3, "N3": 30}, {"N1": 0.3})
    assert states == ["answered", "answered", "answered", "late"]
    assert took_s == pytest.approx(0.3 + GRACE_S)


def test_a_partial_answer_has_everybody_when_nobody_hangs():
    states, took_s = partially(4, {"N1": 0.2}, {"N1": 0.2})
    assert states == ["answered"] * 4
    assert took_s == pytest.approx(0.2)


def test_a_whole_answer_waits_and_keeps_the_order():
    answers = run_in_virtual_time(gather(nodes(3), putting({"N0": 0.05})))
    assert [answer.node for answer in answers] == ["N0", "N1", "N2"]


def test_one_after_another_pays_the_patience_for_each_that_hangs():
    async def asked():
        put = putting({"N1": 30, "N2": 30})
        answers = await gather_one_after_another(nodes(4), put, 0.1, "q")
        return [answer.state for answer in answers], asyncio.get_running_loop().time()

    states, took_s = run_in_virtual_time(asked())
    assert states == ["answered", "late", "late", "answered"]
    assert took_s == pytest.approx(0.2)
