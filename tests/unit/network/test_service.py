"""The network over nodes that hang or are slow, and with too many queries."""

import asyncio
import logging
from collections import Counter

import pytest

from rehearsal.model import Answer
from rehearsal.network.beacon_response import Conditions
from rehearsal.network.client import NodeRequest
from rehearsal.network.fan_out import GRACE_S
from rehearsal.network.registry import NodeEntry, Registry, write_nodes
from rehearsal.network.service import Network, Policy
from rehearsal.web.problem import Problem

from ..virtual_time import run_in_virtual_time

ASKED = NodeRequest("info", query="info")


class SlowClient:
    """Answers once the test allows it."""

    def __init__(self):
        self.let = asyncio.Event()

    async def send(self, node, request, started, deadline_s):
        await self.let.wait()
        return Answer(request.query, node.country, "answered", 200, {}, 0.1, 2)


def test_a_query_too_many_is_refused_at_once_and_later_taken_in(tmp_path):
    async def scene():
        write_nodes([NodeEntry("FI", "https://fi.example")], tmp_path / "nodes.yaml")
        client = SlowClient()
        network = Network(Registry([tmp_path / "nodes.yaml"]), client, Policy(most_under_way=2))
        waiting = [asyncio.ensure_future(network.ask(ASKED, Conditions(5.0))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Problem, match="2 queries are under way") as refused:
            await network.ask(ASKED, Conditions(5.0))
        assert refused.value.status == 503
        client.let.set()
        answers = [*await asyncio.gather(*waiting), await network.ask(ASKED, Conditions(5.0))]
        assert [one.state for (one,) in answers] == ["answered"] * 3

    asyncio.run(scene())


def test_a_query_that_was_given_up_is_not_under_way_any_more(tmp_path):
    async def scene():
        write_nodes([NodeEntry("FI", "https://fi.example")], tmp_path / "nodes.yaml")
        client = SlowClient()
        network = Network(Registry([tmp_path / "nodes.yaml"]), client, Policy(most_under_way=1))
        given_up = asyncio.ensure_future(network.ask(ASKED, Conditions(5.0)))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        client.let.set()
        assert len(await network.ask(ASKED, Conditions(5.0))) == 1

    asyncio.run(scene())


# --- the cost of hanging nodes, in virtual time ---


class NodesThatHang:
    """Answer after a number of seconds, or hang while the node is in ``hung``."""

    def __init__(self, seconds=None):
        self.seconds, self.hung, self.asked = seconds or {}, set(), Counter()

    async def send(self, node, request, started, deadline_s):
        loop, country = asyncio.get_running_loop(), node.country
        self.asked[country] += request.query != "probe"
        until = started + deadline_s
        if country in self.hung:
            await asyncio.sleep(until - loop.time())
            reason = f"no whole answer within {deadline_s:g} s"
            return Answer(request.query, country, "late", None, None, deadline_s, 0, reason)
        await asyncio.sleep(self.seconds.get(country, 0.0))
        took_s = loop.time() - started
        return Answer(request.query, country, "answered", 200, {}, took_s, 2)


def network_of(tmp_path, client, countries, policy=None):
    nodes = [NodeEntry(country, f"https://{country}.example") for country in countries]
    write_nodes(nodes, tmp_path / "nodes.yaml")
    return Network(Registry([tmp_path / "nodes.yaml"]), client, policy or Policy())


async def states_of(network, conditions):
    """Return the state of every node, and the time of the query in seconds."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    answers = await network.ask(NodeRequest("g_variants"), conditions)
    return {answer.node: answer.state for answer in answers}, clock() - begun


def is_healthy(network):
    return {node.country: network.health(node).healthy for node in network.nodes}


def test_nodes_that_hang_cost_one_deadline_then_nothing_and_come_back(tmp_path):
    async def scene():
        client = NodesThatHang({"HB": 0.3})
        network = network_of(tmp_path, client, ["HB", "XB", "XC", "XD"])
        await network.start()
        keeper = asyncio.ensure_future(network.maintain())
        client.hung = {"XB", "XC", "XD"}
        states, took_s = await states_of(network, Conditions(1.0))
        assert states == {"HB": "answered", "XB": "late", "XC": "late", "XD": "late"}
        assert took_s == pytest.approx(1.0), "one deadline, not three"
        await asyncio.sleep(2 * network.policy.probe_s)
        before = client.asked.copy()
        states, took_s = await states_of(network, Conditions(60.0))
        assert states["XB"] == "late"
        assert took_s == pytest.approx(0.3), "as long as the slowest that answers"
        assert client.asked - before == Counter({"HB": 1})
        client.hung = set()
        await asyncio.sleep(network.policy.retry_s + network.policy.probe_s)
        assert all(is_healthy(network).values())
        states, took_s = await states_of(network, Conditions(60.0))
        assert set(states.values()) == {"answered"}
        keeper.cancel()
        await network.close()

    run_in_virtual_time(scene())


def test_a_partial_answer_waits_for_the_slow_and_not_for_those_that_have_just_hung(tmp_path):
    async def scene():
        client = NodesThatHang({"SB": 0.3})
        network = network_of(tmp_path, client, ["HB", "HC", "HD", "SB", "XB", "XC"])
        await network.start()
        client.hung = {"XB", "XC"}
        states, took_s = await states_of(network, Conditions(10.0, partial=True))
        assert states["SB"] == "answered"
        assert {node for node, state in states.items() if state == "late"} == {"XB", "XC"}
        assert took_s == pytest.approx(0.3 + GRACE_S)
        assert took_s < 0.3 + 0.05
        await network.close()

    run_in_virtual_time(scene())


def test_one_after_another_each_hung_node_costs_its_patience(tmp_path):
    async def scene():
        client = NodesThatHang()
        policy = Policy(collect="sequential")
        network = network_of(tmp_path, client, ["AT", "FI", "FR", "GB"], policy)
        client.hung = {"FI", "FR"}
        states, took_s = await states_of(network, Conditions(10.0))
        assert states == {"AT": "answered", "FI": "late", "FR": "late", "GB": "answered"}
        assert took_s == pytest.approx(2 * 5.0)
        await network.close()

    run_in_virtual_time(scene())


def test_no_caller_changes_the_health_of_nodes_or_has_them_probed_without_end(tmp_path):
    class ImpatientCallers(NodesThatHang):
        probes = 0

        async def send(self, node, request, started, deadline_s):
            if request.query == "probe":
                self.probes += 1
            elif deadline_s < 0.01:
                return Answer(request.query, node.country, "late", None, None, deadline_s, 0, "")
            return await super().send(node, request, started, deadline_s)

    async def scene():
        client = ImpatientCallers()
        network = network_of(tmp_path, client, ["AT", "FI"])
        await network.start()
        keeper = asyncio.ensure_future(network.maintain())
        for _ in range(1000):
            await states_of(network, Conditions(0.001))
            assert all(is_healthy(network).values())
            await asyncio.sleep(0.01)
        assert client.probes <= 2 * (1 + 10 / network.policy.recheck_s)
        keeper.cancel()
        await network.close()

    run_in_virtual_time(scene())


def test_a_registry_that_breaks_and_one_that_is_right_again_are_logged_once(tmp_path, caplog):
    network = network_of(tmp_path, NodesThatHang(), ["FI", "SE"])
    path = tmp_path / "nodes.yaml"
    right = path.read_text()
    caplog.set_level(logging.INFO)
    path.write_text("nodes: [")
    for _ in range(3):
        network.refresh()
    (line,) = caplog.messages
    assert line.startswith(f"{path}: ") and line.endswith("; the nodes before stay in force")
    network.refresh(says_again=True)  # as at SIGHUP
    path.write_text(right)
    for _ in range(3):
        network.refresh()
    assert caplog.messages == [line, line, "The registry can be read again: 2 nodes"]
