"""Stub nodes that do no work, for measurements of distance, hung nodes and the control.

One process runs them all, each on its own port. Every request gets the same small Beacon answer
after the node's round-trip time, or no answer. Measurements with them show the cost of the client,
the network and the machine alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Self

from rehearsal.errors import mismatch, shown
from rehearsal.process_lifetime import Helper

ANSWER = (
    b'{"meta":{"beaconId":"org.rehearsal.stub","apiVersion":"v2.0","returnedGranularity":"count"},'
    b'"responseSummary":{"exists":true,"numTotalResults":1},"response":{"resultSets":'
    b'[{"id":"D","setType":"dataset","exists":true,"resultsCount":1,"results":[]}]}}'
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
HANG, ANSWER_AGAIN = "hang", "answer"


class StubNodes:
    """Stub nodes for as long as the block runs: ``with StubNodes([0.01, 0.02], hung=1) as nodes``.

    The process ends with its standard input, so also when this process is killed.

    Args:
        rtt_s: The round-trip time of each node, in seconds.
        hung: How many of the last nodes hang from the start: they accept requests and never
            answer. :meth:`hang` changes this.
    """

    def __init__(self, rtt_s: Sequence[float], hung: int = 0) -> None:
        self._arguments = [",".join(f"{seconds:g}" for seconds in rtt_s), str(hung)]
        self.urls: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        module = "rehearsal.loadtest.stub_nodes"
        self._helper = Helper([sys.executable, "-m", module, *self._arguments])
        ports = json.loads(self._helper.read_line())
        self.urls = tuple(f"http://127.0.0.1:{port}" for port in ports)
        return self

    def __exit__(self, *error: object) -> None:
        self._helper.__exit__(*error)

    def hang(self, hangs: bool) -> None:
        """Make the last ``hung`` nodes hang, or answer again; it holds when this returns.

        Args:
            hangs: Whether they hang.
        """
        self._helper.write_line((HANG if hangs else ANSWER_AGAIN).encode())
        self._helper.read_line()


class _Stub(asyncio.Protocol):
    """A connection to a node; the only element of ``hangs`` says whether the node hangs."""

    def __init__(self, rtt_s: float, hangs: list[bool]) -> None:
        self._rtt_s, self._hangs, self._received = rtt_s, hangs, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.WriteTransport):
            raise TypeError(mismatch("connection", "a transport for writing", shown(transport)))
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (size := _request_size(self._received)) is not None:
            self._received = self._received[size:]
            if self._hangs[0]:
                continue
            answer = HEAD % len(ANSWER) + ANSWER
            if self._rtt_s:
                asyncio.get_running_loop().call_later(self._rtt_s, self._transport.write, answer)
            else:
                self._transport.write(answer)


def _request_size(received: bytes) -> int | None:
    """The number of bytes of the first request; None while it is incomplete."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    size = end + 4
    for line in received[:end].lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            size += int(line.split(b":")[1])
    return size if len(received) >= size else None


async def _serve(rtt_s: Sequence[float], hung: int) -> None:
    loop = asyncio.get_running_loop()
    never, switch = [False], [hung > 0]
    ports = []
    for number, seconds in enumerate(rtt_s):
        hangs = switch if number >= len(rtt_s) - hung else never

        def node(seconds: float = seconds, hangs: list[bool] = hangs) -> _Stub:
            return _Stub(seconds, hangs)

        server = await loop.create_server(node, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
    print(json.dumps(ports), flush=True)
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        switch[0] = line.decode().strip() == HANG
        print(flush=True)  # confirms the command


def main() -> None:
    """Run stub nodes: ``python -m rehearsal.loadtest.stub_nodes RTT_S,RTT_S,... HUNG``.

    The process ends with its standard input.
    """
    parser = argparse.ArgumentParser(description="Run stub nodes that do no work.")
    parser.add_argument("rtt_s", help="round-trip times, in seconds, separated by commas")
    parser.add_argument("hung", type=int, help="how many of the last nodes hang")
    options = parser.parse_args()
    asyncio.run(_serve([float(text) for text in options.rtt_s.split(",")], options.hung))


if __name__ == "__main__":
    main()
