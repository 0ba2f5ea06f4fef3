"""Starts many processes of the command ``rehearsal`` quickly: forks of one that has its modules.

Starting a node is nearly all importing. A server imports once and forks at every request: what
comes of it is a process like any other, with a number, a session and a log of its own, which a
signal ends. The server is its parent and keeps the number of one that has ended until somebody
waits for it. It ends with its standard input, so also when the process that started it is killed;
what it forked ends with its parent then, as every node does.

Requests and replies are lines of JSON.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGKILL
from typing import Any

from rehearsal.web.server import signal_when_parent_ends

COMMAND = (sys.executable, "-m", "rehearsal")  # what it can start, with arguments behind it
PRELOADED = ("rehearsal.cli", "rehearsal.node.server", "rehearsal.network.server")


class Forked:
    """A process of the server: as much of ``subprocess.Popen`` as the launcher needs."""

    def __init__(self, server: ForkServer, pid: int) -> None:
        self._server, self.pid = server, pid
        self.returncode: int | None = None

    def has_ended(self) -> bool:
        """Whether it has; its number stays taken until somebody waits for it."""
        return self.returncode is not None or bool(self._server.ask("ended", self.pid, lost=True))

    def poll(self) -> int | None:
        return self.wait() if self.has_ended() else None

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = int(self._server.ask("wait", self.pid, lost=-SIGKILL))
        return self.returncode


class ForkServer:
    """The server as seen by the process that started it; for one thread at a time."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self.pid = process, process.pid
        self._is_lost = False

    def start(self, arguments: Sequence[str], log: Path, mode: str) -> Forked:
        """Start ``rehearsal`` with arguments, its words in ``log``, opened in ``mode``.

        Raises OSError when the server has ended or cannot fork.
        """
        pid = self.ask("start", list(arguments), str(log.absolute()), mode)
        if not isinstance(pid, int):
            raise ChildProcessError(pid or "the process that forks nodes has ended")
        return Forked(self, pid)

    def ask(self, *request: Any, lost: Any = None) -> Any:
        """The server's reply; ``lost`` when it has ended, and what it forked with it."""
        if self._is_lost:
            return lost
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        except (OSError, ValueError):  # a pipe that is closed, or a line that is not whole
            return lost
        except BaseException:  # interrupted: the next line would be the reply to this
            self._is_lost = True
            raise


@contextmanager
def fork_server() -> Iterator[ForkServer]:
    """Run the server for as long as the block runs. What it forked and nobody has waited for is
    killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rehearsal.network.forkserver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield ForkServer(process)
    finally:
        with suppress(OSError):
            process.stdin.close()
        process.wait()
        process.stdout.close()


def _serve() -> list[str] | None:
    """Answer requests until there are no more. In a fork: returns the arguments it is to run."""
    server, forked = os.getpid(), set()
    while line := sys.stdin.buffer.readline():
        match json.loads(line):
            case ["start", arguments, log, mode]:
                try:
                    reply: Any = os.fork()
                except OSError as error:  # those that are there go on
                    reply = f"the process that forks nodes could not: {error}"
                if reply == 0:
                    _stand_alone(Path(log), mode, server)
                    return arguments
                if isinstance(reply, int):
                    forked.add(reply)
            case ["ended", pid]:
                flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
                reply = os.waitid(os.P_PID, pid, flags) is not None
            case ["wait", pid]:
                reply = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                forked.discard(pid)
        sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
        sys.stdout.buffer.flush()
    for pid in forked:  # nobody knows of those whose start was interrupted
        with suppress(ProcessLookupError):
            os.kill(pid, SIGKILL)
        os.waitpid(pid, 0)
    return None


def _stand_alone(log: Path, mode: str, server: int) -> None:
    """Make this fork a process of its own: a session, no input, its words in its log.

    Until it looks after its parent itself, it is killed when that ends.
    """
    os.setsid()
    signal_when_parent_ends(SIGKILL)
    if os.getppid() != server:
        os._exit(1)
    with log.open(mode) as sink, open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)


def main() -> None:
    for module in PRELOADED:  # by name: the command line is above everything
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # no collection in a fork writes to what all share
    arguments = _serve()
    if arguments is not None:
        sys.argv[1:] = arguments
        runpy.run_module("rehearsal", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
