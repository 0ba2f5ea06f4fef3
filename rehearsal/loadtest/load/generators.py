"""The processes that ask: apart from whoever measures, so that neither holds the other up."""

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
from types import TracebackType
from typing import BinaryIO, Self

from rehearsal.loadtest.load.sender import Call, ClosedLoop, OpenLoop, Sender, Sent

HEAD_START_S = 0.1  # between handing out a plan and its first request


class GeneratorError(RuntimeError):
    """A generator ended: what it measured is lost, and no figure may be made of it."""


class Generators:
    """``number`` processes that send calls: ``with Generators(calls) as generators``.

    Each ends with its standard input, so also when this process is killed.
    """

    def __init__(self, calls: Sequence[Call], number: int = 2) -> None:
        self._calls, self._number = list(calls), number
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "rehearsal.loadtest.load.generators"]
        for _ in range(self._number):
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._processes.append(process)
        for process in self._processes:
            self._tell(process, self._calls)
        for process in self._processes:
            self._get(process)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes:
            process.kill()  # nothing that it holds is wanted any more
            process.wait()
            with contextlib.suppress(OSError):  # what it has not read is lost with it
                process.stdin.close()
            process.stdout.close()

    def send_open(
        self, at_s: Sequence[float], calls: Sequence[int], deadline_s: float, cold: bool = False
    ) -> list[Sent]:
        """Requests at their times, dealt out in turn, in the order of their times."""
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
        """Users who wait for their answers; they and the calls are shared among the processes."""
        plan = ClosedLoop(time.monotonic() + HEAD_START_S, users, duration_s, calls, deadline_s)
        n = min(self._number, users)
        shares = [users // n + (i < users % n) for i in range(n)]
        return self._send(
            [replace(plan, users=share, calls=calls[i::n]) for i, share in enumerate(shares)]
        )

    def _send(self, plans: Sequence[OpenLoop | ClosedLoop]) -> list[Sent]:
        at_work = self._processes[: len(plans)]
        for process, plan in zip(at_work, plans, strict=True):
            self._tell(process, plan)
        sent = [one for process in at_work for one in self._get(process)]
        return sorted(sent, key=lambda one: one.at_s)

    def _get(self, process: subprocess.Popen[bytes]) -> list[Sent]:
        try:
            return pickle.load(process.stdout)
        except (EOFError, pickle.UnpicklingError) as error:
            raise GeneratorError("a load generator has ended") from error

    def _tell(self, process: subprocess.Popen[bytes], what: object) -> None:
        try:
            _put(process.stdin, what)
        except OSError as error:
            raise GeneratorError("a load generator has ended") from error


def _put(stream: BinaryIO, what: object) -> None:
    pickle.dump(what, stream)
    stream.flush()


async def _work(received: BinaryIO, told: BinaryIO) -> None:
    calls = await asyncio.to_thread(pickle.load, received)
    gc.collect()
    gc.freeze()  # what is here now stays: no collection looks at it while requests wait
    async with Sender(calls) as sender:
        _put(told, [])
        while True:
            try:
                plan = await asyncio.to_thread(pickle.load, received)
            except EOFError:
                return
            _put(told, await sender.send(plan))


if __name__ == "__main__":
    asyncio.run(_work(sys.stdin.buffer, sys.stdout.buffer))
