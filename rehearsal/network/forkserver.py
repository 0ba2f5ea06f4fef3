"""Start many servers quickly, as forks of one process that has imported their modules.

Importing takes most of the start of a node. A fork server imports once and forks at every request.
Each fork is a process like any other, with an id, a session and a log of its own, and a signal ends
it. The fork server is its parent and keeps the id of an ended fork until it is waited for. The fork
server ends with its standard input, so also when the process that started it is killed; its forks
end with it.

Requests and replies are lines of JSON.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGKILL
from typing import Any

from rehearsal.errors import mismatch
from rehearsal.process_lifetime import Helper, end_with

# what it can start: modules with a function ``main`` that takes command-line arguments
NODE_SERVER, NETWORK_SERVER = "rehearsal.node.server", "rehearsal.network.server"


class ForkedProcess:
    """A process that a fork server has forked.

    Args:
        server: The fork server.
        pid: Process id.
    """

    def __init__(self, server: ForkServer, pid: int) -> None:
        self._server, self.pid = server, pid
        self.returncode: int | None = None

    def has_ended(self) -> bool:
        """Tell whether the process has ended. Its id stays reserved until :meth:`wait`."""
        return self.returncode is not None or bool(
            self._server.request("ended", self.pid, lost=True)
        )

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""
        return self.wait() if self.has_ended() else None

    def wait(self) -> int:
        """Wait for the end of the process and return its exit code."""
        if self.returncode is None:
            self.returncode = int(self._server.request("wait", self.pid, lost=-SIGKILL))
        return self.returncode


class ForkServer:
    """The fork server as its starter sees it. Threads that use it at the same time take turns.

    Args:
        helper: The process of the fork server.
    """

    def __init__(self, helper: Helper) -> None:
        self._helper, self.pid = helper, helper.pid
        self._is_lost = False
        self._lock = threading.Lock()  # a reply belongs to the request before it

    def start(self, module: str, arguments: Sequence[str], log: Path, mode: str) -> ForkedProcess:
        """Start a server as a fork.

        Args:
            module: Module with a function ``main`` that takes arguments of a command line.
            arguments: The arguments.
            log: File for its output.
            mode: "wb" to replace the log, "ab" to append to it.

        Returns:
            The process.

        Raises:
            OSError: The fork server has ended or cannot fork.
        """
        pid = self.request("start", module, list(arguments), str(log.absolute()), mode)
        if not isinstance(pid, int):
            found = pid or "one that has ended"
            raise ChildProcessError(mismatch("fork server", "a running process", found))
        return ForkedProcess(self, pid)

    def request(self, *request: Any, lost: Any = None) -> Any:
        """Send a request to the fork server.

        Args:
            *request: Name of the request and its arguments, as JSON values.
            lost: What to return when the fork server has ended, and its forks with it.

        Returns:
            The reply.
        """
        with self._lock:
            if self._is_lost:
                return lost
            try:
                self._helper.write_line(json.dumps(request).encode())
                return json.loads(self._helper.read_line())
            except (OSError, ValueError):  # a closed pipe, or an incomplete line
                return lost
            except BaseException:  # interrupted: the next line would be the reply to this request
                self._is_lost = True
                raise


@contextmanager
def fork_server() -> Iterator[ForkServer]:
    """Run a fork server for as long as the block runs.

    Forks that were never waited for are killed at the end.

    Yields:
        The fork server.
    """
    with Helper([sys.executable, "-m", "rehearsal.network.forkserver"]) as helper:
        yield ForkServer(helper)


def _answer_requests() -> tuple[str, list[str]] | None:
    """Answer requests until the input ends; in a fork, return module and arguments to run."""
    server, forked = os.getpid(), set()
    while line := sys.stdin.buffer.readline():
        reply: Any
        match json.loads(line):
            case ["start", module, arguments, log, mode]:
                try:
                    reply = os.fork()
                except OSError as error:  # the running forks go on
                    reply = f"one that cannot fork ({error})"
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
    for pid in forked:  # their starter never learned of them, or never waited for them
        with suppress(ProcessLookupError):
            os.kill(pid, SIGKILL)
        os.waitpid(pid, 0)
    return None


def _stand_alone(log: Path, mode: str, server: int) -> None:
    """Detach this fork: a session of its own, no input, its output in its log."""
    os.setsid()
    end_with(server)
    with log.open(mode) as sink, open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device, no file
        os.dup2(nothing.fileno(), 0)
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)


def main() -> None:
    """Run the fork server."""
    servers = {name: importlib.import_module(name) for name in (NODE_SERVER, NETWORK_SERVER)}
    gc.collect()
    gc.freeze()  # so that garbage collection in a fork does not write to shared memory
    to_run = _answer_requests()
    if to_run is not None:
        module, arguments = to_run
        servers[module].main(arguments)


if __name__ == "__main__":
    main()
