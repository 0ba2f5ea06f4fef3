"""Distance between real namespaces; nothing is left over, however its maker ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from math import nan
from pathlib import Path

import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.network.emulation.namespaces import Place, namespaces, run_in
from rehearsal.network.emulation.topology import check_possible, emulated_distance

from .starting import wait_until_ended

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]

TESTS = Path(__file__).resolve().parents[1]
NAMESPACE = Path("/proc/self/ns/net")
COUNTRIES = ("BE", "FI", "IT")
RTT_MS = {"BE": 2.0, "FI": 40.0, "IT": 20.0}
PAIRS = pd.DataFrame(
    [(a, b, RTT_MS[b] if a == "BE" else 30.0) for a in COUNTRIES for b in COUNTRIES],
    columns=["asker", "country", "rtt_ms"],
).assign(bandwidth_mbps=nan)
NETWORK = {"asker": "BE", "bandwidth_mbps": 1000, "jitter_ms": 0, "loss": 0}


def must_be_possible(way: str) -> None:
    try:
        check_possible(way)
    except InputError as error:
        pytest.skip(error.expected)


def round_trip_ms(host: str) -> float:
    """Time a refused connection, which the remote kernel answers at once."""
    begun = time.perf_counter()
    with socket.socket() as one, pytest.raises(ConnectionRefusedError):
        one.connect((host, 9))
    return (time.perf_counter() - begun) * 1000


def test_every_place_is_as_far_as_the_table_says():
    must_be_possible("tun")
    before = NAMESPACE.readlink()
    with emulated_distance({**NETWORK, "emulation": "tun"}, PAIRS, COUNTRIES) as topology:
        for country, place in topology.places.items():
            # the shortest, because a busy machine can only make it longer
            found = min(round_trip_ms(place.host) for _ in range(10))
            assert RTT_MS[country] <= found < RTT_MS[country] + 15
        with topology.places["FI"].entered():
            found = min(round_trip_ms(topology.places["IT"].host) for _ in range(10))
            assert 30 <= found < 60
    assert NAMESPACE.readlink() == before


def test_processes_in_two_places_talk_and_nobody_outside_reaches_them():
    must_be_possible("tun")
    serve = "import socket; s = socket.create_server(('10.203.0.3', 80)); print(flush=True); "
    serve += "c, _ = s.accept(); c.sendall(b'hello'); c.close()"
    with emulated_distance({**NETWORK, "emulation": "tun"}, PAIRS, COUNTRIES) as topology:
        place = topology.places["FI"]
        with place.entered():
            server = subprocess.Popen([sys.executable, "-c", serve], stdout=subprocess.PIPE)
        server.stdout.readline()
        with socket.create_connection((place.host, 80), timeout=10) as connection:
            assert connection.recv(5) == b"hello"
        server.wait()
        server.stdout.close()
    assert not [line for line in Path("/proc/net/dev").read_text().splitlines() if "wan0" in line]


def test_an_exception_undoes_everything():
    must_be_possible("tun")
    before = forwarders()
    home = NAMESPACE.readlink()
    with (
        pytest.raises(KeyboardInterrupt),
        emulated_distance({**NETWORK, "emulation": "tun"}, PAIRS, COUNTRIES),
    ):
        assert len(forwarders()) == len(before) + 1
        raise KeyboardInterrupt
    assert forwarders() == before
    assert NAMESPACE.readlink() == home


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_killed_maker(number):
    must_be_possible("tun")
    script = f"""
import sys, time
sys.path.insert(0, {str(TESTS)!r})
from system.test_network_emulation import COUNTRIES, NETWORK, PAIRS
from rehearsal.network.emulation.topology import emulated_distance
with emulated_distance({{**NETWORK, "emulation": "tun"}}, PAIRS, COUNTRIES):
    print("here", flush=True)
    time.sleep(3600)
"""
    maker = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert maker.stdout.readline() == b"here\n"
    ours = forwarders(parent=maker.pid)
    assert len(ours) == 1
    maker.send_signal(number)
    maker.wait()
    maker.stdout.close()
    for pid in ours:
        wait_until_ended(pid)


def forwarders(parent: int | None = None) -> set[int]:
    """Process ids of the forwarders that a process has started."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            status = (folder / "status").read_text()
        except OSError:
            continue
        is_child = f"\nPPid:\t{parent or os.getpid()}\n" in status
        if b"emulation.tun_forwarder" in command and is_child:
            found.add(int(folder.name))
    return found


def test_a_command_that_fails_is_quoted():
    must_be_possible("tun")
    with (
        namespaces(1) as (one,),
        pytest.raises(OSError, match=r"ip link set nothing up: .*nothing"),
    ):
        run_in(Place(namespace=one), ["ip", "link", "set", "nothing", "up"])
