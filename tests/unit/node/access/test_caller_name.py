"""Who spends the privacy budget."""

from types import SimpleNamespace

import pytest
from starlette.requests import Request

from rehearsal.node.access.rights import caller_name


def name_of(address, caller=None):
    request = Request({"type": "http", "client": (address, 1), "headers": []})
    return caller_name(SimpleNamespace(caller=caller), request)


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_addresses_of_one_ipv6_network_are_one_caller_and_ipv4_addresses_are_not(
    one, other, is_one
):
    assert (name_of(one) == name_of(other)) is is_one


def test_a_verified_caller_is_the_same_at_any_address():
    caller = SimpleNamespace(issuer="https://issuer.example", subject="alice" * 30)
    other = SimpleNamespace(issuer="https://issuer.example", subject="alice" * 30 + "!")
    assert name_of("192.0.2.1", caller) == name_of("192.0.2.2", caller)
    assert name_of("192.0.2.1", caller) != name_of("192.0.2.1", other)
