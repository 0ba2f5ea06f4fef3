"""Serve hostile and honest callers at the same time; watch memory and the honest answers.

Hostile callers hold idle connections, send heads and bodies slowly, do not read answers, and send
the requests of fuzz.py as fast as they can, each from its own address. An honest caller sends a few
sound requests per second. The exit status is 1 if an honest request has no right answer within 5 s,
if a process ends, if memory grows, or after a status from 500 on that is not documented.

    python benchmarks/soak.py --minutes 10
"""

from __future__ import annotations

import argparse
import random
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fuzz import DOCUMENTED, Findings, Fuzzer, Service, judge_growth, report, services
from measuring import header, memory_mb
from node import START

from rehearsal.network.issuer import Issuer

HONEST_S = 5.0  # the longest time of an honest answer
PAUSE_S = 0.2  # between honest requests
PARTS = 20  # of the time, at whose beginnings memory is measured
HELD = 150  # idle or slow connections of each hostile kind
HONEST = (
    f"GET /g_variants?referenceName=22&start={START}&referenceBases=A&alternateBases=G"
    " HTTP/1.1\r\nHost: x\r\n\r\n"
).encode()
ABOUT = b"GET /service-info HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = b"POST /g_variants HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n"
# what a hostile connection sends: nothing, half a head, half a body, a question for a long answer
BEGUN = (b"", HALF, HALF + b"\r\n{", b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 16)


class Caller(threading.Thread):
    """Does something again and again until the end.

    Args:
        ended: Set at the end.
        work: What is done.
        pause_s: Time between, in seconds.
    """

    def __init__(
        self, ended: threading.Event, work: Callable[[], None], pause_s: float = 0.0
    ) -> None:
        super().__init__(daemon=True)
        self._ended, self._work, self._pause_s = ended, work, pause_s

    def run(self) -> None:
        """Do it."""
        while not self._ended.wait(self._pause_s):
            self._work()


@contextmanager
def hostile(
    running: list[Service], issuer: Issuer, seed: int, findings: Findings
) -> Iterator[None]:
    """Attack the services for as long as the block runs.

    Args:
        running: The services.
        issuer: The issuer of the fuzzer's tokens.
        seed: Seed of the requests.
        findings: Where faults are noted.

    Yields:
        Nothing.
    """
    ended, held = threading.Event(), list[socket.socket]()
    fuzzer, order = Fuzzer(seed, issuer), random.Random(seed)
    attackers = [Service(one.name, one.url, one.process, one.targets) for one in running]

    def fuzz() -> None:
        attacker = order.choice(attackers)
        raw = fuzzer.request(attacker)
        status, _ = attacker.send(raw)
        findings.statuses[f"{attacker.name} {status}"] += 1
        if status >= 500 and status not in DOCUMENTED.get(attacker.name, {503}):
            findings.fault(f"{attacker.name}: status {status}", raw)

    def hold() -> None:
        service, begun = order.choice(running), order.choice(BEGUN)
        with suppress(OSError):
            source = (f"127.0.0.{order.randrange(2, 10)}", 0)
            one = socket.create_connection(service.address, 1, source)
            one.setblocking(False)
            held.append(one)
            one.send(begun)
        if len(held) > HELD * len(BEGUN):
            held.pop(order.randrange(len(held))).close()

    callers = [Caller(ended, fuzz), Caller(ended, hold, 0.01)]
    for one in callers:
        one.start()
    try:
        yield
    finally:
        ended.set()
        for one in callers:
            one.join()
        for connection in held:
            connection.close()


def ask_honestly(service: Service, findings: Findings) -> float:
    """Send one sound request, and note a fault if there is no right answer in time.

    Args:
        service: The service.
        findings: Where faults are noted.

    Returns:
        The seconds that it took.
    """
    raw = ABOUT if service.name == "issuer" else HONEST
    started = time.monotonic()
    status, _ = service.send(raw)
    took_s = time.monotonic() - started
    # the protected node may refuse, as its budget is spent
    if status not in (200, 403) or took_s > HONEST_S:
        findings.fault(f"{service.name}: honest: status {status} after {took_s:.1f} s", raw)
    return took_s


def run(minutes: float, seed: int, top: Path) -> int:
    """Let hostile and honest callers meet, and return the exit status.

    Args:
        minutes: The duration.
        seed: Seed of the hostile requests.
        top: A new folder.

    Returns:
        0 without a fault, else 1.
    """
    findings = Findings()
    seconds: list[float] = []
    with services(top) as (running, issuer), hostile(running, issuer, seed, findings):
        started, memory = time.monotonic(), list[dict[str, float]]()
        while (gone_s := time.monotonic() - started) < minutes * 60:
            seconds += [ask_honestly(one, findings) for one in running]
            for one in running:
                if one.process.poll() is not None:
                    findings.fault(f"{one.name}: the process ended", b"")
                    return report(findings)
            if gone_s > len(memory) * minutes * 60 / PARTS:
                memory.append({one.name: memory_mb(one.process.pid)[0] for one in running})
            time.sleep(PAUSE_S)
        for one in running:
            print(f"{one.name:10} MB by time:", *(f"{part[one.name]:.0f}" for part in memory))
        judge_growth(running, memory[PARTS // 4], findings)
    print(f"{len(seconds)} honest answers, the slowest after {max(seconds):.2f} s")
    return report(findings)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="default: %(default)g")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    options = parser.parse_args()
    print(header(), flush=True)
    with tempfile.TemporaryDirectory() as top:
        sys.exit(run(options.minutes, options.seed, Path(top)))


if __name__ == "__main__":
    main()
