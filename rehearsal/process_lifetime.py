"""Processes that end when the process that started them ends, however it ends.

A process that is killed (SIGKILL) cannot end its children, so they must end by themselves:

- A process watches the one that it must not outlive: ``end_with_run``, ``end_with_launcher``.
- A ``Helper`` ends with its standard input, a pipe that only its starter holds open.
- All others are in process groups that a helper ends: ``watched_process_groups``.

This module uses the standard library only, because the helper of the last case runs it as a script
that must start in milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

RUN = "REHEARSAL_RUN_PID"  # environment variable: the process that started the run
LAUNCHED = "REHEARSAL_LAUNCHED"  # environment variable: set for what must not outlive its starter
LOOK_S = 1.0  # seconds between checks of a process, on systems without process descriptors
GROUPS_GRACE_S = 2.0  # seconds between SIGTERM and SIGKILL of a group
HELPER_GRACE_S = 5.0  # seconds between the end of input and SIGKILL of a helper


# --- a process that must not outlive another ---


def end_with_run() -> None:
    """End this process by SIGTERM as soon as the run's first process has ended.

    Does nothing when the run's process is not an ancestor, as in jobs of a cluster.
    """
    run = os.environ.get(RUN, "")
    if run.isdigit() and int(run) in ancestors():
        end_with(int(run))


def end_with_launcher() -> None:
    """End this process by SIGTERM as soon as its launcher has ended.

    Does nothing when another started it, such as a shell: a service outlives that.
    """
    if os.environ.pop(LAUNCHED, None):
        end_with(os.getppid())


def end_with(pid: int) -> None:
    """End this process by SIGTERM as soon as another one has ended, even if it already has.

    Args:
        pid: The other process.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        _end()
        return
    except (AttributeError, OSError):  # macOS and some containers lack them
        descriptor = None
    threading.Thread(
        target=_end_after, args=(pid, descriptor), daemon=True, name=f"ends with process {pid}"
    ).start()


def _end_after(pid: int, descriptor: int | None) -> None:
    if descriptor is not None:
        select.select([descriptor], [], [])
    elif os.getppid() == pid:
        while os.getppid() == pid:
            time.sleep(LOOK_S)
    else:
        while _is_there(pid):
            time.sleep(LOOK_S)
    _end()


def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def ancestors() -> Iterator[int]:
    """List the ancestors of this process.

    Yields:
        Process ids: of the parent, of its parent, and so on.
    """
    pid = os.getppid()
    while pid > 0:
        yield pid
        try:
            with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - pathlib costs milliseconds
                status = file.read()
        except OSError:
            return
        pid = int(status.rpartition(")")[2].split()[1])  # a command's name may contain anything


# --- a helper, which ends with its standard input ---


class Helper:
    """A process that reads and writes lines for as long as the block runs.

    Its program must end when its standard input ends. Only this process holds that open.

    Args:
        command: The program and its arguments.
        descriptors: File descriptors of this process that the helper inherits.

    Raises:
        RuntimeError: The process has no pipes.
    """

    def __init__(self, command: Sequence[str], descriptors: Sequence[int] = ()) -> None:
        # imported here, because the script below must start without them
        import subprocess

        from rehearsal.errors import mismatch

        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=descriptors,
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError(mismatch("helper process", "two pipes", "none"))
        self._input, self._output = self._process.stdin, self._process.stdout
        self.pid = self._process.pid

    def __enter__(self) -> Helper:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._input.close()
        until = time.monotonic() + HELPER_GRACE_S
        while self._process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        self._process.kill()  # does nothing to one that has ended
        self._process.wait()
        self._output.close()

    def write_line(self, line: bytes) -> None:
        """Send a line to the helper.

        Args:
            line: The line, without its newline.

        Raises:
            OSError: The helper has ended.
        """
        self._input.write(line + b"\n")
        self._input.flush()

    def read_line(self) -> bytes:
        """Read the next line with its newline; it is incomplete when the helper has ended."""
        return self._output.readline()

    def poll(self) -> int | None:
        """Return the exit code of the helper, or None while it runs."""
        return self._process.poll()


# --- process groups, which a helper ends ---


class WatchedProcessGroups:
    """A list of process groups that a helper ends if this process ends before removing them.

    Args:
        helper: The helper, which runs this module as a script.
    """

    def __init__(self, helper: Helper) -> None:
        self._helper = helper

    def add(self, group: int) -> None:
        """Watch a process group.

        Args:
            group: Its id.
        """
        self._write(b"+%d" % group)

    def forget(self, group: int) -> None:
        """Stop watching a process group.

        Args:
            group: Its id.
        """
        self._write(b"-%d" % group)

    def forget_all(self) -> None:
        """Stop watching all process groups."""
        self._write(b"none")

    def _write(self, line: bytes) -> None:
        # if the helper was killed, this process still ends the groups itself
        with contextlib.suppress(OSError):
            self._helper.write_line(line)


@contextmanager
def watched_process_groups() -> Iterator[WatchedProcessGroups]:
    """Start a helper that ends process groups, for as long as the block runs."""
    # isolated and without site packages: it starts in milliseconds
    with Helper([sys.executable, "-I", "-S", __file__]) as helper:
        yield WatchedProcessGroups(helper)


def _end_groups_at_end_of_input(lines: Iterable[str]) -> None:
    """Read which groups to watch until the input ends, then end the groups still watched."""
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    _end_groups(_read_groups(lines))


def _read_groups(lines: Iterable[str]) -> set[int]:
    """Read lines: ``+PGID`` watches a group, ``-PGID`` forgets it, ``none`` forgets all."""
    groups: set[int] = set()
    for line in lines:
        if line.startswith("+"):
            groups.add(int(line[1:]))
        elif line.startswith("-"):
            groups.discard(int(line[1:]))
        else:
            groups.clear()
    return groups


def _end_groups(groups: set[int]) -> None:
    """End groups by SIGTERM, and by SIGKILL those that remain after a while."""
    for group in groups:
        signal_group(group, signal.SIGTERM)
    until = time.monotonic() + GROUPS_GRACE_S
    while groups and time.monotonic() < until:
        time.sleep(0.05)
        groups = {group for group in groups if signal_group(group, 0)}
    for group in groups:
        signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group.

    Args:
        group: Its id.
        number: The signal; 0 only checks whether the group exists.

    Returns:
        False when there is no such group, or this process may not signal it.
    """
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    _end_groups_at_end_of_input(sys.stdin)
