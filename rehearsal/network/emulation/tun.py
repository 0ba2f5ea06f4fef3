"""Places as namespaces with a tun device each. A process of ours forwards packets between them."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import orjson

from rehearsal.errors import mismatch
from rehearsal.network.emulation.namespaces import Place, run_in
from rehearsal.process_lifetime import Helper
from rehearsal.web.network_delay import Line

DEVICE = "/dev/net/tun"
NAME = "wan0"
SUBNET = 24
MTU, QUEUE = 1500, 2000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h

Lines = Mapping[tuple[str, str], Line]


@contextmanager
def connected(
    places: Mapping[str, Place], lines: Lines, rates: Mapping[str, float]
) -> Iterator[None]:
    """Forward packets between places, with a delay, for as long as the block runs.

    Args:
        places: Places by name.
        lines: Lines by pair of names. Other pairs are not connected.
        rates: Bytes per second of a place's own line, by name; 0 or missing for no limit.

    Raises:
        OSError: This is not permitted, or the forwarder ended early.
    """
    with ExitStack() as stack:
        devices = {}
        for name, place in places.items():
            devices[name] = _open_device(place)
            stack.callback(os.close, devices[name])
            run_in(place, ["ip", "-batch", "-"], set_up(place.host))
        described = describe(places, lines, rates, devices)
        forwarder = stack.enter_context(_forwarder(described, list(devices.values())))
        yield
        if (ended := forwarder.poll()) is not None:
            raise OSError(
                mismatch("forwarder of packets", "a running process", f"exit code {ended}")
            )


def describe(
    places: Mapping[str, Place],
    lines: Lines,
    rates: Mapping[str, float],
    devices: Mapping[str, int],
) -> dict[str, object]:
    """Build the input of the forwarder (:mod:`rehearsal.network.emulation.tun_forwarder`).

    Args:
        places: Places by name.
        lines: Lines by pair of names.
        rates: Bytes per second of a place's own line, by name.
        devices: File descriptor of each place's tun device, by name.

    Returns:
        The JSON object.
    """
    ways = []
    for (first, second), line in lines.items():
        one, other = places[first].host, places[second].host
        way = (line.delay_ms / 2000, line.jitter_ms / 2000, line.loss)
        ways += [(one, other, *way), (other, one, *way)]
    ends = [(place.host, devices[name], rates.get(name, 0)) for name, place in places.items()]
    return {"places": ends, "ways": ways, "seed": 0}


def set_up(host: str) -> str:
    """Build the commands that configure a tun device.

    Args:
        host: Address of the place.

    Returns:
        Input of ``ip -batch``.
    """
    return (
        f"address add {host}/{SUBNET} dev {NAME}\nlink set {NAME} mtu {MTU} txqueuelen {QUEUE} up\n"
    )


def _open_device(place: Place) -> int:
    """Open a tun device in the place's namespace. It vanishes with its last descriptor."""
    with place.entered():
        device = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            request = struct.pack("16sH22x", NAME.encode(), IFF_TUN | IFF_NO_PI)
            fcntl.ioctl(device, TUNSETIFF, request)
        except OSError:
            os.close(device)
            raise
        return device


@contextmanager
def _forwarder(described: dict[str, object], devices: Sequence[int]) -> Iterator[Helper]:
    command = [sys.executable, "-m", "rehearsal.network.emulation.tun_forwarder"]
    with Helper(command, devices) as forwarder:
        forwarder.write_line(orjson.dumps(described))
        if forwarder.read_line() != b"ready\n":
            raise OSError(mismatch("forwarder of packets", "the line 'ready'", "another output"))
        yield forwarder
