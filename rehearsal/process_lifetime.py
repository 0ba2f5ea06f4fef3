"""What a process has started ends with it, whatever it dies of.

A process that is killed (SIGKILL) cannot end what it has started, so that must end by itself:

- a process watches the one that it must not outlive: ``end_with_parent``, ``end_with_run``;
- a ``Helper`` ends with its standard input, a pipe that only its starter holds open;
- what does neither is in a process group that a helper ends: ``watched_process_groups``.

Standard library only, and run as a script for the last of these: it starts in milliseconds.
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
LOOK_S = 1.0  # between looks at a process, on systems without descriptors of processes
GROUPS_GRACE_S = 2.0  # for groups that are asked to end
HELPER_GRACE_S = 5.0


# --- a process that must not outlive another ---


def end_with_run() -> None:
    """End this process by SIGTERM as soon as the run's first process is gone.

    Does nothing where that is none of its ancestors: jobs of a cluster live on.
    """
    run = os.environ.get(RUN, "")
    if run.isdigit() and int(run) in ancestors():
        end_with(int(run))


def end_with_parent() -> None:
    """End this process by SIGTERM as soon as the one that started it is gone."""
    end_with(os.getppid())


def end_with(pid: int) -> None:
    """End this process by SIGTERM as soon as another is gone; at once where it is gone already."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        _end()
        return
    except (AttributeError, OSError):  # neither macOS nor every container has them
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
    """The process that started this one, the one that started that, and so on."""
    pid = os.getppid()
    while pid > 0:
        yield pid
        try:
            with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - pathlib costs milliseconds
                status = file.read()
        except OSError:
            return
        pid = int(status.rpartition(")")[2].split()[1])  # a command's name may hold anything


# --- a helper, which ends with its standard input ---


class Helper:
    """A process that reads lines and writes lines, for as long as the block runs.

    Its program must end with its standard input: nobody else holds that open. ``descriptors``: of
    this process, which it inherits.
    """

    def __init__(self, command: Sequence[str], descriptors: Sequence[int] = ()) -> None:
        import subprocess  # the helper below does without: half of its start would be this

        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=descriptors,
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("subprocess gave no pipes")
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
        """Raises OSError when the helper has ended."""
        self._input.write(line + b"\n")
        self._input.flush()

    def read_line(self) -> bytes:
        """The next line with its end; less than that when the helper has ended."""
        return self._output.readline()

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()


# --- process groups, which a helper ends ---


class WatchedProcessGroups:
    """Process groups that are ended when this process has ended without forgetting them."""

    def __init__(self, helper: Helper) -> None:
        self._helper = helper

    def add(self, group: int) -> None:
        self._write(b"+%d" % group)

    def forget(self, group: int) -> None:
        self._write(b"-%d" % group)

    def forget_all(self) -> None:
        self._write(b"none")

    def _write(self, line: bytes) -> None:
        # a helper that somebody killed must not keep us from ending the groups ourselves
        with contextlib.suppress(OSError):
            self._helper.write_line(line)


@contextmanager
def watched_process_groups() -> Iterator[WatchedProcessGroups]:
    """A helper that knows which groups to end, for as long as the block runs."""
    # isolated and without site packages: it starts in milliseconds
    with Helper([sys.executable, "-I", "-S", __file__]) as helper:
        yield WatchedProcessGroups(helper)


def _end_groups_at_end_of_input(lines: Iterable[str]) -> None:
    """Read which groups to watch, to the end; then end those that are left."""
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    _end_groups(_read_groups(lines))


def _read_groups(lines: Iterable[str]) -> set[int]:
    """``+PGID`` watches a group, ``-PGID`` forgets it, ``none`` forgets all of them."""
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
    """Ask them to end, wait, and kill them."""
    for group in groups:
        signal_group(group, signal.SIGTERM)
    until = time.monotonic() + GROUPS_GRACE_S
    while groups and time.monotonic() < until:
        time.sleep(0.05)
        groups = {group for group in groups if signal_group(group, 0)}
    for group in groups:
        signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; False where there is none that may be signalled."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    _end_groups_at_end_of_input(sys.stdin)
