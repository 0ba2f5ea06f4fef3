"""Places as namespaces that a router between them connects; the kernel's netem delays packets.

Each place has a cable (a veth pair) to the router, another namespace. What the router sends
towards a place it sorts by where it comes from: a class of ``htb`` with a ``netem`` for each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rehearsal.network.emulation.namespaces import Place, in_namespace, namespaces
from rehearsal.web.latency import Line

NAME = "wan0"
LIMIT = 20_000  # packets that a netem holds
UNLIMITED_MBPS = 100_000.0  # htb wants a rate

Lines = Mapping[tuple[str, str], Line]


@contextmanager
def connected(
    places: Mapping[str, Place], lines: Lines, rates: Mapping[str, float], shaped: bool = True
) -> Iterator[None]:
    """Packets pass between the places, later, as long as the block runs.

    ``lines`` and ``rates`` as in ``tun.connected``. ``shaped`` False: at once, for trying cables
    where there is no netem. Raises OSError where that is not permitted or not known.
    """
    with namespaces(1) as (router,):
        with Place(namespace=router).entered():
            _write("/proc/sys/net/ipv4/ip_forward", "1\n")
        numbers = {name: number for number, name in enumerate(places, start=1)}
        ours = os.getpid()
        cables = "".join(
            cable(number, places[name].host, f"/proc/{ours}/fd/{places[name].namespace}")
            for name, number in numbers.items()
        )
        in_namespace(router, ["ip", "-batch", "-"], cables)
        for name, number in numbers.items():
            text = place_end(number, places[name].host)
            in_namespace(places[name].namespace, ["ip", "-batch", "-"], text)
        if shaped:
            in_namespace(router, ["tc", "-batch", "-"], shaping(places, numbers, lines, rates))
        yield


def check_netem() -> None:
    """Raises OSError when this kernel has no netem."""
    with namespaces(1) as (one,):
        in_namespace(one, ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"])


def cable(number: int, host: str, namespace: str) -> str:
    """Commands for ``ip -batch`` in the router: a cable to a place, its other end over there."""
    return (
        f"link add w{number} type veth peer name {NAME} netns {namespace}\n"
        f"address add {_gateway(host)} peer {host} dev w{number}\n"
        f"link set w{number} up\n"
    )


def place_end(number: int, host: str) -> str:
    """Commands for ``ip -batch`` in a place: its end of the cable."""
    return (
        f"address add {host} peer {_gateway(host)} dev {NAME}\n"
        f"link set {NAME} up\n"
        f"route add default via {_gateway(host)}\n"
    )


def _gateway(host: str) -> str:
    """The router's address on a place's cable."""
    first, second, third, last = host.split(".")
    return f"{first}.{second}.{int(third) + 1}.{last}"


def shaping(
    places: Mapping[str, Place],
    numbers: Mapping[str, int],
    lines: Lines,
    rates: Mapping[str, float],
) -> str:
    """Commands for ``tc -batch`` in the router: half of a round trip in each direction."""
    both = {**lines, **{(b, a): line for (a, b), line in lines.items()}}
    commands = []
    for target, number in numbers.items():
        device = f"dev w{number}"
        mbps = rates.get(target, 0) * 8 / 1e6 or UNLIMITED_MBPS
        commands += [
            f"qdisc add {device} root handle 1: htb",
            f"class add {device} parent 1: classid 1:1 htb rate {mbps:g}mbit",
        ]
        for source, from_number in numbers.items():
            line = both.get((source, target))
            if line is None or source == target:
                continue
            own = f"{from_number + 1:x}"  # class numbers are hexadecimal
            up_mbps = min(rates.get(source, 0) * 8 / 1e6 or UNLIMITED_MBPS, mbps)
            commands += [
                f"class add {device} parent 1:1 classid 1:{own} htb rate {up_mbps:g}mbit",
                f"qdisc add {device} parent 1:{own} handle {own}: netem {netem(line)}",
                f"filter add {device} protocol ip parent 1: prio 1 u32 "
                f"match ip src {places[source].host}/32 flowid 1:{own}",
            ]
    return "\n".join(commands) + "\n"


def netem(line: Line) -> str:
    """One direction of a line as netem takes it."""
    text = f"limit {LIMIT} delay {line.delay_ms / 2:g}ms"
    if line.jitter_ms:
        text += f" {line.jitter_ms / 2:g}ms"
    return f"{text} loss {line.loss * 100:g}%" if line.loss else text


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:  # noqa: PTH123 - no file, a switch
        file.write(text)
