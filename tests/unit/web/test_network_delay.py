"""An application at the end of a line answers later, and states by how much."""

import asyncio

import pytest

from rehearsal.web.app import Api, Json
from rehearsal.web.network_delay import DelayedApp, Line

from ..node.conftest import call
from ..virtual_time import run_in_virtual_time


@pytest.fixture
def api():
    async def answer(request):
        return Json({"answer": 1000 * "x"})

    api = Api(lambda status, message: {"status": status, "message": message}, "node")
    api.add("/info", answer)
    return api


def ask_from_afar(api, line, path):
    """Return (status, headers, body, seconds waited)."""

    async def ask():
        return *await call(DelayedApp(api, line), path), asyncio.get_running_loop().time()

    return run_in_virtual_time(ask())


def test_distance_delays_by_round_trip_and_by_bytes(api):
    line = Line(50, bandwidth_mbps=1.0)
    status, headers, body, waited_s = ask_from_afar(api, line, "/info")
    told_ms = float(headers[b"x-rehearsal-delay-ms"])
    assert status == 200
    assert told_ms == pytest.approx(50 + 8 * len(body) / 1000, abs=0.001)
    assert waited_s * 1000 == pytest.approx(told_ms, abs=0.001)


def test_distance_applies_to_refusals_too(api):
    status, headers, _, waited_s = ask_from_afar(api, Line(10), "/nothing")
    assert status == 404
    assert headers[b"x-rehearsal-delay-ms"] == b"10.000"
    assert waited_s == pytest.approx(0.010)
