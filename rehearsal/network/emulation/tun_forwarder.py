"""The process between the places of a ``tun`` emulation: it delays their packets.

Run as ``python -m rehearsal.network.emulation.tun_forwarder``. The first line of standard input is
JSON: ``places`` ([address, descriptor of its tun device, bytes per second or 0]), ``ways``
([address, address, delay_s, jitter_s, loss], one entry per direction) and ``seed``. The process
prints ``ready``. It ends with its standard input, so it never outlives its starter.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import time
from collections.abc import Mapping
from random import Random
from typing import Any

import orjson

from rehearsal.network.emulation.delay_queue import Address, DelayQueue, OneWay
from rehearsal.network.emulation.realtime_priority import realtime_priority

BATCH = 64  # packets that are read from one place before the next
LARGEST = 65_536
IPV4 = 4


def queue_of(description: Mapping[str, Any]) -> DelayQueue:
    """Build the queue of a description.

    Args:
        description: The JSON object of standard input.

    Returns:
        The queue.
    """
    ways = {
        (socket.inet_aton(a), socket.inet_aton(b)): OneWay(delay_s, jitter_s, loss)
        for a, b, delay_s, jitter_s, loss in description["ways"]
    }
    rates = {socket.inet_aton(address): rate for address, _, rate in description["places"] if rate}
    return DelayQueue(ways, rates, Random(description["seed"]))


def target_of(packet: bytes) -> Address | None:
    """Read the target of an IPv4 packet.

    Args:
        packet: The packet.

    Returns:
        The address; None for any other packet.
    """
    if len(packet) < 20 or packet[0] >> 4 != IPV4:
        return None
    return packet[16:20]


def run(queue: DelayQueue, devices: Mapping[Address, int], ends: int) -> None:
    """Forward packets until a descriptor becomes readable.

    Args:
        queue: The queue.
        devices: Descriptor of each tun device, by address.
        ends: Descriptor that becomes readable at the end.
    """
    addresses = {device: address for address, device in devices.items()}
    readable = [*addresses, ends]
    clock = time.monotonic
    while True:
        due = queue.next_due
        wait_s = None if due is None else max(0.0, due - clock())
        ready, _, _ = select.select(readable, [], [], wait_s)
        if ends in ready:
            return
        now = clock()
        for device in ready:
            _take(queue, device, addresses[device], now)
        for target, packet in queue.due(clock()):
            with contextlib.suppress(OSError):  # a full device loses packets, like any other
                os.write(devices[target], packet)


def _take(queue: DelayQueue, device: int, source: Address, now: float) -> None:
    for _ in range(BATCH):
        try:
            packet = os.read(device, LARGEST)
        except OSError:
            return
        target = target_of(packet)
        if target is not None:
            queue.put(packet, source, target, now)


def main() -> None:
    """Run the forwarder."""
    description = orjson.loads(sys.stdin.buffer.readline())
    devices = {socket.inet_aton(address): device for address, device, _ in description["places"]}
    print("ready", flush=True)
    with realtime_priority():  # waiting for a processor would add to every distance
        run(queue_of(description), devices, sys.stdin.fileno())


if __name__ == "__main__":
    main()
