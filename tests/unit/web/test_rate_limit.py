"""A caller who sends too much is refused for a while, whoever else sends."""

import asyncio

import orjson
import pytest

from rehearsal.web.app import HEALTH, Api, Json
from rehearsal.web.metrics import MeteredApp
from rehearsal.web.problem import Problem
from rehearsal.web.rate_limit import BURST_S, SWEPT, RateLimit, network_of

from ..node.conftest import call


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def sent_by(address):
    return {"client": (address, 12345)}


def admitted(limit, address, tries):
    """How many of some requests at once are admitted."""
    number = 0
    for _ in range(tries):
        try:
            limit.admit(sent_by(address))
            number += 1
        except Problem:
            pass
    return number


def test_a_burst_is_admitted_and_then_the_rate(clock):
    limit = RateLimit(10, clock=clock)
    assert admitted(limit, "192.0.2.1", 1000) == 10 * BURST_S
    clock.now += 1.0
    assert admitted(limit, "192.0.2.1", 1000) in (9, 10)  # floating-point numbers
    clock.now += 10 * BURST_S
    assert admitted(limit, "192.0.2.1", 1000) == 10 * BURST_S


def test_another_caller_notices_nothing(clock):
    limit = RateLimit(1, clock=clock)
    assert admitted(limit, "192.0.2.1", 1000) < 1000
    assert admitted(limit, "192.0.2.2", 5) == 5


def test_no_limit_admits_everything(clock):
    assert admitted(RateLimit(0, clock=clock), "192.0.2.1", 10_000) == 10_000


def test_the_time_to_wait_is_enough_and_not_a_second_more(clock):
    limit = RateLimit(0.25, clock=clock)
    admitted(limit, "192.0.2.1", 100)
    with pytest.raises(Problem) as refused:
        limit.admit(sent_by("192.0.2.1"))
    wait_s = int(refused.value.headers["retry-after"])
    clock.now += wait_s - 1
    assert admitted(limit, "192.0.2.1", 1) == 0
    clock.now += 1
    assert admitted(limit, "192.0.2.1", 1) == 1


def test_callers_of_a_moment_ago_are_forgotten(clock):
    limit = RateLimit(100, clock=clock)
    for number in range(100_000):
        limit.admit(sent_by(f"198.51.{number // 250}.{number % 250}"))
        clock.now += 1e-4  # 10,000 requests per second
    assert len(limit._full_at) <= SWEPT + 1


def test_many_addresses_never_make_room_for_one_that_sent_too_much(clock):
    limit = RateLimit(10, clock=clock)
    admitted(limit, "192.0.2.1", 1000)
    for number in range(3 * SWEPT):
        limit.admit(sent_by(f"2001:db8:{number:x}::1"))
    assert admitted(limit, "192.0.2.1", 1) == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("2001:0DB8:0001:0002::", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),  # RFC 4291, 2.5.5.2
        ("no: address" * 100, ("no: address" * 100)[:64]),
        ("", ""),
    ],
)
def test_one_customer_is_one_address_or_64_bits(address, network):
    assert network_of(address) == network


def test_the_refusal_is_an_error_of_the_protocol():
    async def answer(request):
        return Json("yes")

    def error_body(status, message):
        return {"status": status, "message": message}

    api = Api(error_body, "node", RateLimit(0.01))
    api.add("/", answer)
    assert asyncio.run(call(api, "/"))[0] == 200
    status, headers, body = asyncio.run(call(api, "/"))
    assert status == 429
    assert int(headers[b"retry-after"]) == 100
    assert orjson.loads(body) == {
        "status": 429,
        "message": "requests: expected at most 0.01 per second, found more",
    }


def test_a_load_balancer_is_never_told_that_it_asks_too_often():
    async def answer(request):
        return Json("ok")

    api = Api(lambda status, message: {"error": message}, "node", RateLimit(0.01))
    for path in ("/", HEALTH):
        api.add(path, answer)
    metered = MeteredApp(api)
    statuses = [asyncio.run(call(metered, "/"))[0] for _ in range(3)]
    assert statuses == [200, 429, 429]
    assert {asyncio.run(call(metered, HEALTH))[0] for _ in range(100)} == {200}
    counted = {one.name: one.samples[0][2] for one in metered.metrics()}
    assert counted["rehearsal_rate_limited_total"] == 2
