"""A network that has as much to do as it can refuses more at once, and takes it in again later."""

import asyncio

import pytest

from rehearsal.model import Answer
from rehearsal.network.beacon_response import Conditions
from rehearsal.network.client import NodeRequest
from rehearsal.network.registry import NodeEntry, Registry, write_nodes
from rehearsal.network.service import Network, Policy
from rehearsal.web.problem import Problem

ASKED = NodeRequest("info", query="info")


class SlowClient:
    """Answers when it is let."""

    def __init__(self):
        self.let = asyncio.Event()

    async def put(self, node, request, started, deadline_s):
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
