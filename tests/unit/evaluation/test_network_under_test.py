"""The CPU time of processes is finer than the ticks of 10 ms in which /proc counts it."""

import os
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from rehearsal.evaluation.network_under_test import NetworkUnderTest
from rehearsal.network.registry import NodeEntry


def network_of(pid, url="http://127.0.0.1:1"):
    node = NodeEntry("BE", url, pid=pid)
    return NetworkUnderTest(node, [node, node], 1.0)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such clock")
def test_a_millisecond_of_work_is_seen():
    network = network_of(os.getpid())
    seen = [network.cpu_seconds()["network"]]
    for _ in range(5):
        begun = time.process_time()
        while time.process_time() < begun + 0.001:
            pass
        seen.append(network.cpu_seconds()["network"])
    spent = [after - before for before, after in pairwise(seen)]
    assert all(0.001 <= one < 0.01 for one in spent)
    assert network.cpu_seconds()["nodes"] == pytest.approx(2 * time.process_time(), rel=0.05)


def test_a_process_that_ended_or_is_elsewhere_has_no_known_time():
    done = subprocess.Popen(["true"])
    done.wait()
    for network in (
        network_of(done.pid),
        network_of(os.getpid(), "http://192.0.2.1:1"),
        network_of(None),
    ):
        assert all(seconds != seconds for seconds in network.cpu_seconds().values())
