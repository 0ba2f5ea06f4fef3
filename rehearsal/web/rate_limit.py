"""A limit on the requests of one caller, by a token bucket for each caller.

A caller is known by a verified token or else by the address of the connection. Only callers who
sent requests a moment ago take memory: a bucket that is full again is forgotten. Each admitted
request fills at most ``1 / per_s`` seconds of one bucket, so the number of remembered callers is at
most the number of requests that this process can answer in that time and in a burst. No caller has
to be turned away for want of a place.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable
from ipaddress import IPv6Address
from typing import Any

from rehearsal.web.problem import Problem

REQUESTS_PER_S = 100.0  # a caller who waits for each answer sends less, from another machine
BURST_S = 10.0  # a caller who was silent may send the requests of so many seconds at once
ROUNDING_S = 1e-6
SWEPT = 1024  # remembered callers from which on full buckets are looked for

Caller = Callable[[Any], Hashable]


class RateLimit:
    """Limits how many requests a caller may send.

    Args:
        per_s: Requests per second for each caller; 0 admits everything.
        caller: Returns who sent the request of an ASGI scope.
        clock: Returns the time, in seconds.
    """

    def __init__(
        self,
        per_s: float,
        caller: Caller | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cost_s = 1 / per_s if per_s else 0.0
        self._burst_s = max(BURST_S, self._cost_s) + ROUNDING_S
        self._caller, self._clock = caller or address_of, clock
        self._full_at: dict[Hashable, float] = {}  # when the bucket of a caller is full again
        self._sweep_at = SWEPT

    def admit(self, scope: Any) -> None:
        """Count a request.

        Args:
            scope: The ASGI scope of the request.

        Raises:
            Problem: The caller sent too many requests (429). ``Retry-After`` says after how many
                seconds there is room for one.
        """
        cost_s = self._cost_s
        if not cost_s:
            return
        who, now = self._caller(scope), self._clock()
        full_at = max(self._full_at.get(who, now), now) + cost_s
        if full_at - now > self._burst_s:
            raise _refusal(cost_s, full_at - now - self._burst_s)
        self._full_at[who] = full_at
        if len(self._full_at) > self._sweep_at:
            self._sweep(now)

    def _sweep(self, now: float) -> None:
        """Forget the callers whose buckets are full. Each request pays for a fixed part of it."""
        self._full_at = {who: at for who, at in self._full_at.items() if at > now}
        self._sweep_at = max(SWEPT, 2 * len(self._full_at))


def _refusal(cost_s: float, wait_s: float) -> Problem:
    # RFC 9110, 10.2.3: a whole number of seconds
    headers = {"retry-after": str(max(1, math.ceil(wait_s)))}
    rate = f"{1 / cost_s:g} per second"
    return Problem(f"requests: expected at most {rate}, found more", 429, headers=headers)


def address_of(scope: Any) -> str:
    """Return the address that a request came from, for counting.

    Args:
        scope: The ASGI scope of the request.

    Returns:
        The IPv4 address, or the first 64 bits of an IPv6 address: one customer has them all.
    """
    client = scope.get("client")
    return network_of(client[0]) if client else ""


def network_of(address: str) -> str:
    """Return the network that one customer of a provider has.

    Args:
        address: An IP address.

    Returns:
        An IPv4 address as it is, or the first 64 bits of an IPv6 address. Other text is cut.
    """
    if ":" not in address:
        return address[:64]
    try:
        number = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if number.ipv4_mapped is not None:
        return str(number.ipv4_mapped)
    return str(IPv6Address(int(number) >> 64 << 64))
