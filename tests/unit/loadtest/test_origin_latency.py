"""The network as seen from each capital."""

import asyncio
from random import Random

import pandas as pd
import pytest

from rehearsal.loadtest.origin_latency import DistantClient, origin_latency_checks
from rehearsal.model import Answer
from rehearsal.network.client import NodeRequest
from rehearsal.network.registry import NodeEntry
from rehearsal.web.network_delay import Line

from ..virtual_time import run_in_virtual_time


def test_a_distant_client_adds_the_distance_to_what_a_node_takes():
    class Near:
        async def send(self, node, request, started, deadline_s):
            taken = asyncio.get_running_loop().time() - started
            return Answer("q", node.country, "answered", 200, {}, taken, 1_000_000)

    async def ask():
        distant = DistantClient(Near(), {"FI": Line(20.0, bandwidth_mbps=800)}, Random(1))
        started = asyncio.get_running_loop().time()
        return await distant.send(NodeEntry("FI", "http://x"), NodeRequest("info"), started, 1.0)

    latency_s = run_in_virtual_time(ask()).latency_s
    assert latency_s == pytest.approx(0.03)  # 20 ms there and back, 10 ms for its bytes


def test_a_capital_that_misses_qs02_fails_the_check():
    (check,) = origin_latency_checks(pd.DataFrame({"qs02": [1.0, 0.94]}))
    assert (check["expected"], check["observed"], check["passed"]) == (2, 1, False)
