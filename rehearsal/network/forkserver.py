"""Starts many servers quickly: forks of one process that has their modules.

Starting a node is nearly all importing. A fork server imports once and forks at every request: what
comes of it is a process like any other, with a number, a session and a log of its own, which a
signal ends. The fork server is its parent and keeps the number of one that has ended until somebody
waits for it. It ends with its standard input, so also when the process that started it is killed;
what it forked ends with its parent then, as every node does.

Requests and replies are lines of JSON.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGKILL
from typing import Any

from rehearsal.process_lifetime import Helper, end_with

# what it can start: modules with a function ``main`` that takes arguments of a command line
NODE_SERVER, NETWORK_SERVER = "rehearsal.node.server", "rehearsal.network.server"


class ForkedProcess:
    """A process that a fork server has forked."""

    def __init__(self, server: ForkServer, pid: int) -> None:
        self._server, self.pid = server, pid
        self.returncode: int | None = None

    def has_ended(self) -> bool:
        """Whether it has; its number stays taken until somebody waits for it."""
        return self.returncode is not None or bool(
            self._server.request("ended", self.pid, lost=True)
        )

    def poll(self) -> int | None:
        return self.wait() if self.has_ended() else None

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = int(self._server.request("wait", self.pid, lost=-SIGKILL))
        return self.returncode


class ForkServer:
    """The fork server as seen by the process that started it; for one thread at a time."""

    def __init__(self, helper: Helper) -> None:
        self._helper, self.pid = helper, helper.pid
        self._is_lost = False

    def start(self, module: str, arguments: Sequence[str], log: Path, mode: str) -> ForkedProcess:
        """Start ``main`` of a server's module with arguments, its output in ``log``, opened in
        ``mode``.

        Raises OSError when the fork server has ended or cannot fork.
        """
        pid = self.request("start", module, list(arguments), str(log.absolute()), mode)
        if not isinstance(pid, int):
            raise ChildProcessError(pid or "the process that forks nodes has ended")
        return ForkedProcess(self, pid)

    def request(self, *request: Any, lost: Any = None) -> Any:
        """The fork server's reply; ``lost`` when it has ended, and what it forked with it."""
        if self._is_lost:
            return lost
        try:
            self._helper.write_line(json.dumps(request).encode())
            return json.loads(self._helper.read_line())
        except (OSError, ValueError):  # a pipe that is closed, or a line that is not whole
            return lost
        except BaseException:  # interrupted: the next line would be the reply to this
            self._is_lost = True
            raise


@contextmanager
def fork_server() -> Iterator[ForkServer]:
    """Run a fork server for as long as the block runs. What it forked and nobody has waited for is
    killed at the end."""
    with Helper([sys.executable, "-m", "rehearsal.network.forkserver"]) as helper:
        yield ForkServer(helper)


def _answer_requests() -> tuple[str, list[str]] | None:
    """Answer requests until there are no more. In a fork: returns the module and the arguments that
    it is to run."""
    server, forked = os.getpid(), set()
    while line := sys.stdin.buffer.readline():
        reply: Any
        match json.loads(line):
            case ["start", module, arguments, log, mode]:
                try:
                    reply = os.fork()
                except OSError as error:  # those that are there go on
                    reply = f"the process that forks nodes could not: {error}"
                if reply == 0:
                    _stand_alone(Path(log), mode, server)
                    return module, arguments
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
    """Make this fork a process of its own: a session, no input, its output in its log."""
    os.setsid()
    end_with(server)
    with log.open(mode) as sink, open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device, no file
        os.dup2(nothing.fileno(), 0)
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)


def main() -> None:
    servers = {name: importlib.import_module(name) for name in (NODE_SERVER, NETWORK_SERVER)}
    gc.collect()
    gc.freeze()  # no collection in a fork writes to what all share
    to_run = _answer_requests()
    if to_run is not None:
        module, arguments = to_run
        servers[module].main(arguments)


if __name__ == "__main__":
    main()
