"""The processes that send queries, separate from the measuring process to avoid mutual delays."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import IO, Self

from rehearsal.errors import mismatch
from rehearsal.loadtest.load.sender import Call, ClosedLoop, OpenLoop, Sender, Sent

HEAD_START_S = 0.1  # seconds between sending a plan to the processes and its first request


class GeneratorError(RuntimeError):
    """A load generator has ended, so its measurements are lost."""


class _Generator:
    """One process that sends calls."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "rehearsal.loadtest.load.generators"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError(mismatch("load generator", "two pipes", "none"))
        self._input, self._output = self._process.stdin, self._process.stdout

    def write(self, value: object) -> None:
        try:
            _put(self._input, value)
        except OSError as error:
            raise GeneratorError("a load generator has ended") from error

    def read(self) -> list[Sent]:
        try:
            sent: list[Sent] = pickle.load(self._output)
        except (EOFError, pickle.UnpicklingError) as error:
            raise GeneratorError("a load generator has ended") from error
        return sent

    def kill(self) -> None:
        """End the process at once; its results are no longer needed."""
        self._process.kill()

    def close(self) -> None:
        self.kill()
        self._process.wait()
        with contextlib.suppress(OSError):  # unread data are lost with the process
            self._input.close()
        self._output.close()


class Generators:
    """Processes that send calls: ``with Generators(calls) as generators``.

    Each process ends with its standard input, so also when this process is killed.

    Args:
        calls: The calls that can be sent.
        number: How many processes there are.
    """

    def __init__(self, calls: Sequence[Call], number: int = 2) -> None:
        self._calls, self._number = list(calls), number
        self._processes: list[_Generator] = []

    def __enter__(self) -> Self:
        for _ in range(self._number):
            self._processes.append(_Generator())
        for process in self._processes:
            process.write(self._calls)
        for process in self._processes:
            process.read()
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.close()

    def send_open(
        self, at_s: Sequence[float], calls: Sequence[int], deadline_s: float, cold: bool = False
    ) -> list[Sent]:
        """Send requests at planned times; the processes take turns.

        Args:
            at_s: Times from the start, in seconds, sorted.
            calls: The index of each request's call.
            deadline_s: Deadline of a request, in seconds.
            cold: Whether each request opens its own connection.

        Returns:
            The outcome of each request, in the order of the times.
        """
        plan = OpenLoop(time.monotonic() + HEAD_START_S, at_s, calls, deadline_s, cold)
        n = self._number
        return self._send([replace(plan, at_s=at_s[i::n], calls=calls[i::n]) for i in range(n)])

    def send_closed(
        self,
        users: int,
        calls: Sequence[int],
        deadline_s: float,
        duration_s: float = math.inf,
    ) -> list[Sent]:
        """Send requests of users who wait for each answer before the next request.

        Users and calls are shared out among the processes.

        Args:
            users: How many users there are.
            calls: The index of each request's call.
            deadline_s: Deadline of a request, in seconds.
            duration_s: No request is sent after this time, in seconds.

        Returns:
            The outcome of each request, in the order of the times.
        """
        plan = ClosedLoop(time.monotonic() + HEAD_START_S, users, duration_s, calls, deadline_s)
        n = min(self._number, users)
        shares = [users // n + (i < users % n) for i in range(n)]
        return self._send(
            [replace(plan, users=share, calls=calls[i::n]) for i, share in enumerate(shares)]
        )

    def _send(self, plans: Sequence[OpenLoop | ClosedLoop]) -> list[Sent]:
        at_work = self._processes[: len(plans)]
        for process, plan in zip(at_work, plans, strict=True):
            process.write(plan)
        sent = [one for process in at_work for one in process.read()]
        return sorted(sent, key=lambda one: one.at_s)


def _put(stream: IO[bytes], value: object) -> None:
    pickle.dump(value, stream)
    stream.flush()


async def _work(received: IO[bytes], results: IO[bytes]) -> None:
    calls = await asyncio.to_thread(pickle.load, received)
    gc.collect()
    gc.freeze()  # keeps the garbage collector from scanning these objects while requests wait
    async with Sender(calls) as sender:
        _put(results, [])
        while True:
            try:
                plan = await asyncio.to_thread(pickle.load, received)
            except EOFError:
                return
            _put(results, await sender.send(plan))


if __name__ == "__main__":
    asyncio.run(_work(sys.stdin.buffer, sys.stdout.buffer))
