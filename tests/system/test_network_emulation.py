"""Distance between real namespaces, and nothing of it left over whatever becomes of its maker."""

import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from math import nan
from pathlib import Path

import pandas as pd
import pytest

from rehearsal.model import InputError
from rehearsal.network.emulation import Place, check_possible, emulated, netem
from rehearsal.network.emulation.namespaces import in_namespace, namespaces

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]

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
    """Of a refused connection: the kernel over there answers at once."""
    begun = time.perf_counter()
    with socket.socket() as one, pytest.raises(ConnectionRefusedError):
        one.connect((host, 9))
    return (time.perf_counter() - begun) * 1000


@pytest.mark.parametrize("way", ["tun", "netem"])
def test_every_place_is_as_far_as_the_table_says(way):
    must_be_possible(way)
    before = NAMESPACE.readlink()
    with emulated({**NETWORK, "emulation": way}, PAIRS, COUNTRIES) as ground:
        for country, place in ground.places.items():
            found = statistics.median(round_trip_ms(place.host) for _ in range(5))
            assert RTT_MS[country] <= found < RTT_MS[country] + 15  # how busy the machine is
        with ground.places["FI"].entered():
            assert 30 <= round_trip_ms(ground.places["IT"].host) < 60
    assert NAMESPACE.readlink() == before


def test_processes_in_two_places_talk_and_nobody_outside_reaches_them():
    must_be_possible("tun")
    serve = "import socket; s = socket.create_server(('10.203.0.3', 80)); print(flush=True); "
    serve += "c, _ = s.accept(); c.sendall(b'hello'); c.close()"
    with emulated({**NETWORK, "emulation": "tun"}, PAIRS, COUNTRIES) as ground:
        place = ground.places["FI"]
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
    before = wires()
    home = NAMESPACE.readlink()
    with (
        pytest.raises(KeyboardInterrupt),
        emulated({**NETWORK, "emulation": "tun"}, PAIRS, COUNTRIES),
    ):
        assert len(wires()) == len(before) + 1
        raise KeyboardInterrupt
    assert wires() == before
    assert NAMESPACE.readlink() == home


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_killed_maker(number):
    must_be_possible("tun")
    script = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_network_emulation import COUNTRIES, NETWORK, PAIRS
from rehearsal.network.emulation import emulated
with emulated({{**NETWORK, "emulation": "tun"}}, PAIRS, COUNTRIES):
    print("here", flush=True)
    time.sleep(3600)
"""
    maker = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert maker.stdout.readline() == b"here\n"
    ours = wires(parent=maker.pid)
    assert len(ours) == 1
    maker.send_signal(number)
    maker.wait()
    maker.stdout.close()
    until = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in ours):
        assert time.monotonic() < until, "the wire is still there"
        time.sleep(0.05)


def wires(parent: int | None = None) -> set[int]:
    """Wires that this process, or another, has started."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            status = (folder / "status").read_text()
        except OSError:
            continue
        is_child = f"\nPPid:\t{parent or os.getpid()}\n" in status
        if b"emulation.wire" in command and is_child:
            found.add(int(folder.name))
    return found


def test_the_cables_of_netem_and_its_classes_work_without_its_delays():
    """All but the delay itself, for kernels that have no netem to try it with."""
    must_be_possible("tun")
    with namespaces(2) as made:
        places = {f"P{n}": Place(f"10.203.0.{n + 1}", one) for n, one in enumerate(made)}
        try:
            with netem.connected(places, {}, {}, shaped=False), places["P0"].entered():
                # the first one waits until a new cable lets packets through
                assert min(round_trip_ms(places["P1"].host) for _ in range(5)) < 50
        except OSError as error:
            pytest.skip(str(error))  # a kernel without veth


def test_a_kernel_that_lacks_netem_is_told_of_in_one_line():
    must_be_possible("tun")
    try:
        netem.check_netem()
    except OSError:
        with pytest.raises(InputError, match=r"network\.emulation: tun or delay: this kernel has"):
            check_possible("netem")
    else:
        check_possible("netem")


def test_a_command_that_fails_is_quoted():
    must_be_possible("tun")
    with (
        namespaces(1) as (one,),
        pytest.raises(OSError, match=r"ip link set nothing up: .*nothing"),
    ):
        in_namespace(one, ["ip", "link", "set", "nothing", "up"])
