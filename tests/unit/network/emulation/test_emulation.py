"""Lines, the queue of packets under way, and the input of the forwarder."""

import socket
from math import nan
from random import Random

import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.network.emulation import topology, tun
from rehearsal.network.emulation.delay_queue import LONGEST_WAIT_S, DelayQueue, OneWay
from rehearsal.network.emulation.namespaces import Place
from rehearsal.network.emulation.topology import ASKER, check_possible, emulated_distance
from rehearsal.network.emulation.tun_forwarder import queue_of, target_of
from rehearsal.web.network_delay import TIMEOUT_S, Line

A, B, C = (socket.inet_aton(f"10.203.0.{number}") for number in (1, 2, 3))
PLACES = {ASKER: Place("10.203.0.1", 7), "FI": Place("10.203.0.2", 8)}
LINES = {(ASKER, "FI"): Line(40.0, jitter_ms=4.0, loss=0.02)}
NETWORK = {"asker": "BE", "bandwidth_mbps": 1000, "jitter_ms": 3, "loss": 0.1}
PAIRS = pd.DataFrame(
    [("BE", "BE", 1.5), ("BE", "FI", 38.0), ("FI", "BE", 38.0), ("FI", "FI", 1.5)],
    columns=["asker", "country", "rtt_ms"],
).assign(bandwidth_mbps=[nan, 50.0, 50.0, nan])


def queue(way: OneWay, rates=None) -> DelayQueue:
    return DelayQueue({(A, B): way, (B, A): way}, rates or {}, Random(1))


def leaving(one: DelayQueue) -> list[tuple[float, bytes]]:
    """Return the time at which each packet leaves, and the packet."""
    left = []
    while one.next_due is not None:
        now = one.next_due
        left += [(now, packet) for _, packet in one.due(now)]
    return left


def test_a_packet_leaves_after_its_way_and_not_before():
    one = queue(OneWay(0.02))
    one.put(b"x", A, B, now=5.0)
    assert one.next_due == pytest.approx(5.02)
    assert list(one.due(5.019)) == []
    assert list(one.due(5.021)) == [(B, b"x")]
    assert one.next_due is None


def test_a_packet_to_nobody_goes_nowhere():
    one = queue(OneWay(0.02))
    one.put(b"x", A, C, now=0.0)
    assert one.next_due is None


def test_the_bandwidth_makes_packets_wait_for_each_other_and_a_full_line_loses_them():
    one = queue(OneWay(0.01), {A: 1000.0})  # bytes per second
    for _ in range(3):
        one.put(b"x" * 100, A, B, now=0.0)
    assert [time for time, _ in leaving(one)] == pytest.approx([0.11, 0.21, 0.31])
    for _ in range(20):
        one.put(b"x" * 100, A, B, now=10.0)
    assert one.lost == 20 - int(LONGEST_WAIT_S / 0.1) - 1


def test_the_line_of_whom_packets_go_to_counts_as_well():
    one = queue(OneWay(0.01), {B: 1000.0})
    one.put(b"x" * 100, A, B, now=0.0)
    assert one.next_due == pytest.approx(0.11)


def test_jitter_spreads_packets_and_keeps_their_order():
    one = queue(OneWay(0.02, jitter_s=0.01))
    for number in range(500):
        one.put(b"%d" % number, A, B, now=number * 0.02)
    left = leaving(one)
    assert [int(packet) for _, packet in left] == list(range(500))
    waited = [time - int(packet) * 0.02 for time, packet in left]
    assert 0.01 <= min(waited) < 0.012
    assert 0.028 < max(waited) <= 0.03


def test_a_share_of_packets_is_lost():
    one = queue(OneWay(0.0, loss=0.1))
    for _ in range(2000):
        one.put(b"x", A, B, now=0.0)
    assert one.lost == pytest.approx(200, abs=50)
    assert len(leaving(one)) == 2000 - one.lost


def test_a_lost_packet_costs_a_node_that_waits_a_retransmission_timeout():
    line, chance = Line(40.0, loss=0.05), Random(2)
    waits = [line.exchange_s(300, chance) for _ in range(4000)]
    assert min(waits) == pytest.approx(0.04)
    slow = [wait for wait in waits if wait > 0.041]
    assert min(slow) == pytest.approx(0.04 + 0.04 + TIMEOUT_S)
    assert len(slow) / len(waits) == pytest.approx(1 - 0.95**2, abs=0.02)


def test_a_packet_lost_in_the_middle_of_a_long_answer_costs_a_round_trip():
    line = Line(40.0, loss=0.002)
    waits = {round(line.lost_s(1_000_000, Random(seed)), 3) for seed in range(200)}
    assert {0.0, 0.04} <= waits


def test_jitter_of_a_round_trip_is_within_its_limits_and_about_the_table_in_the_middle():
    line, chance = Line(40.0, jitter_ms=10.0), Random(3)
    trips = sorted(line.round_trip_s(chance) for _ in range(4001))
    assert 0.030 <= trips[0] < 0.032
    assert 0.048 < trips[-1] <= 0.050
    assert trips[2000] == pytest.approx(0.040, abs=0.0005)


def test_the_forwarder_reads_where_a_packet_goes():
    packet = bytes([0x45]) + bytes(11) + A + B + b"payload"
    assert target_of(packet) == B
    assert target_of(b"\x60" + bytes(60)) is None  # IPv6
    assert target_of(b"\x45short") is None


def test_what_the_forwarder_is_told_becomes_half_a_round_trip_each_way():
    described = tun.describe(PLACES, LINES, {"FI": 125e6}, {ASKER: 11, "FI": 12})
    assert described["places"] == [("10.203.0.1", 11, 0), ("10.203.0.2", 12, 125e6)]
    one = queue_of(described)
    for source, target in ((A, B), (B, A)):
        one.put(b"x", source, target, now=0.0)
    times = [time for time, _ in leaving(one)]
    assert all(0.018 <= time <= 0.0221 for time in times)


def test_without_namespaces_nodes_are_here_and_wait_by_the_configuration():
    with emulated_distance({**NETWORK, "emulation": "delay"}, PAIRS, ["BE", "FI"]) as found:
        assert found.lines["FI"] == Line(38.0, 50.0, 3, 0.1), "the bandwidth of the pair"
        assert found.lines["BE"] == Line(1.5, 1000, 3, 0.1), "of the configuration"
        assert {place.host for place in found.places.values()} == {"127.0.0.1"}
    with emulated_distance({**NETWORK, "emulation": "none"}, PAIRS, ["FI"]) as found:
        assert found.lines["FI"].is_plain


def test_a_way_that_is_not_permitted_is_told_in_one_line(monkeypatch):
    def refused(_):
        raise PermissionError(1, "unshare: Operation not permitted")

    monkeypatch.setattr(topology, "namespaces", refused)
    monkeypatch.setattr(topology.shutil, "which", lambda _: "/usr/sbin/ip")
    with pytest.raises(
        InputError, match=r"my\.yaml: network\.emulation: expected delay, or CAP_SYS_ADMIN"
    ):
        check_possible("tun", "my.yaml")
    monkeypatch.setattr(topology.shutil, "which", lambda _: None)
    with pytest.raises(InputError, match="iproute2"):
        check_possible("tun", "my.yaml")
