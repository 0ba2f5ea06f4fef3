"""The first process of a sandbox. It starts the algorithm, watches it, and is its only way out.

The node runs this file as a script, as process 1 of a namespace of processes: when it ends, the
kernel ends every other process of the namespace. It ends when its standard input does, so a sandbox
ends with its node. Its one argument is JSON (:class:`rehearsal.node.wes.sandbox.Orders`).

On standard input and output there are frames: a line of JSON with ``name`` and ``size``, then that
many bytes. Frames that come in become files in ``inbox/``. Files in ``outbox/`` go out as soon as
they are there, so the algorithm moves them in when they are complete. Files in ``outputs/`` go out
at the end. The last frame is ``end``, with the reason and the resources used. The node trusts
nothing that comes out.

This script uses the standard library only, so that it starts in milliseconds.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import stat
import sys
import time
from collections.abc import Iterator
from typing import Any

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
MB = 1 << 20
WATCH_S = 0.25  # seconds between two looks at what the processes use
PACE_S = 0.01  # at least between two looks at anything, however often the algorithm writes
LOG_SIZE = 64 << 10  # bytes of the end of the log
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 1, 4, 38, 22
SECCOMP_MODE_FILTER = 2
LAST_S = 2.0  # seconds that killed processes may take to be gone
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
OUT_FOLDERS = ("outbox", "outputs")
IN_CLOSE_WRITE, IN_MOVED_TO = 0x8, 0x80  # of inotify(7)


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def main() -> None:
    """Run the orders of the node."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders = json.loads(sys.argv[1])
    for folder in (*OUT_FOLDERS, "inbox", "tmp", "shm"):
        os.makedirs(folder, mode=0o777, exist_ok=True)
    for name, text in orders["files"].items():
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    news = News(OUT_FOLDERS[0])  # before the right to ask for it is gone
    _lower_rights(orders)
    limits = orders["limits"]
    began = time.monotonic()
    # held open: the algorithm can put anything else under its name
    log = os.open("log", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC)
    algorithm = _start(orders, log)
    watch = Watch(limits, began, algorithm, news)
    reason, code = watch.wait()
    _end_all()  # before anything is read: nobody changes it any more, or goes on unwatched
    if reason == "ended":
        for name, content in new_files(limits, watch.sent, complete=True):
            write_frame(name, content)
    size = os.fstat(log).st_size
    write_frame("log", os.pread(log, LOG_SIZE, max(0, size - LOG_SIZE)))
    wall_s = time.monotonic() - began
    end = {"reason": reason, "code": code, "wall_s": wall_s, "cpu_s": cpu_of_ended()}
    write_frame("end", json.dumps(end).encode())


def _end_all() -> None:
    """Kill every other process of the namespace, and wait for them."""
    until = time.monotonic() + LAST_S
    with contextlib.suppress(OSError):  # there are none, or none is left
        os.kill(-1, signal.SIGKILL)
        while time.monotonic() < until:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(PACE_S)


def _lower_rights(orders: dict[str, Any]) -> None:
    """Give up every right for ever: those of root, of setuid programs, and of system calls."""
    libc = ctypes.CDLL(None, use_errno=True)
    user = orders["user"]
    if user is not None:
        for folder, _, files in os.walk("."):
            for path in (folder, *(os.path.join(folder, file) for file in files)):
                os.chown(path, user, user)
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    # a change of user took away that this process ends with bubblewrap
    libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    # nobody may read this process's memory or use its descriptors, not even the same user
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    steps = bytes.fromhex(orders["filter"])
    if steps:
        buffer = ctypes.create_string_buffer(steps, len(steps))
        program = _FilterProgram(len(steps) // 8, ctypes.cast(buffer, ctypes.c_void_p))
        if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
            sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")


def _start(orders: dict[str, Any], log: int) -> int:
    """Start the algorithm as a child with limits, its output in the log. Returns its number."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        silent = os.open("/dev/null", os.O_RDWR)
        for target, source in ((0, silent), (1, log), (2, log)):
            os.dup2(source, target)
        for name, value in _limits(orders["limits"]):
            resource.setrlimit(name, (value, value))
        os.execve(orders["command"][0], orders["command"], orders["environment"])
    except BaseException as error:
        os.write(2, f"cannot start: {error}\n".encode())
    os._exit(127)


def _limits(limits: dict[str, float]) -> list[tuple[int, int]]:
    """Limits of one process. What all together use is watched."""
    known = (
        (resource.RLIMIT_CPU, limits["cpu_s"] + 1),
        (resource.RLIMIT_AS, limits["address_space_mb"] * MB),
        (resource.RLIMIT_FSIZE, limits["disk_mb"] * MB),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    )
    return [(name, int(value)) for name, value in known]


class News:
    """Tells when a file of a folder is complete, or a child process has ended.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: str) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._files = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        libc.inotify_add_watch(self._files, folder.encode(), IN_CLOSE_WRITE | IN_MOVED_TO)
        self._ends, told = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)

    def wait(self, seconds: float) -> bool:
        """Wait for news, or for something on standard input.

        Args:
            seconds: The longest wait.

        Returns:
            Whether there is something on standard input.
        """
        told = [one for one in (self._files, self._ends) if one >= 0]
        ready = select.select([0, *told], [], [], seconds)[0]
        for one in set(ready) - {0}:
            with contextlib.suppress(BlockingIOError):
                os.read(one, MB)
        return 0 in ready


class Watch:
    """Looks after the processes until the algorithm ends or oversteps a limit.

    Args:
        limits: The limits.
        began: When the algorithm began, of the monotonic clock.
        algorithm: Number of its first process.
        news: Tells when to look.
    """

    def __init__(self, limits: dict[str, float], began: float, algorithm: int, news: News) -> None:
        self._limits, self._began, self._algorithm = limits, began, algorithm
        self._news = news
        self.sent: dict[str, None] = {}
        self._inbox = FrameReader()

    def wait(self) -> tuple[str, int]:
        """Wait for the end.

        Returns:
            A reason: ``ended``, or the name of the limit that was overstepped. And the exit code of
            the algorithm, negative for a signal.
        """
        next_watch = 0.0
        while True:
            ended = self._reap()
            if ended is not None:
                return "ended", ended
            if (now := time.monotonic()) >= next_watch:
                next_watch = now + WATCH_S
                if overstepped := self._overstepped(now):
                    return overstepped, -signal.SIGKILL
            for name, content in new_files(self._limits, self.sent, complete=False):
                write_frame(name, content)
            time.sleep(PACE_S)
            if self._news.wait(WATCH_S):
                for name, content in self._inbox.read():
                    _place(name, content)

    def _reap(self) -> int | None:
        """Take leave of ended processes. Returns the exit code of the algorithm when it ended."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == self._algorithm:
                    return os.waitstatus_to_exitcode(status)
                if pid == 0:
                    return None
        return None

    def _overstepped(self, now: float) -> str | None:
        living = list(processes())
        cpu = cpu_of_ended() + sum(one for one, _ in living)
        used = {
            "wall_s": now - self._began,
            "cpu_s": cpu,
            "memory_mb": sum(memory for _, memory in living) / MB,
            "processes": len(living),
            "files": _files(),
        }
        return next((name for name, one in used.items() if one > self._limits[name]), None)


def _files() -> int:
    """Count the files in the algorithm's folder, which take memory that its size does not count."""
    disk = os.statvfs(".")
    return disk.f_files - disk.f_ffree


def processes() -> Iterator[tuple[float, int]]:
    """List the processes of the namespace but this one.

    Yields:
        CPU seconds, with those of children that it waited for, and bytes of memory.
    """
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or pid == "1":
            continue
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            ticks = sum(int(field) for field in fields[11:15])
            yield ticks / TICKS, int(fields[21]) * PAGE


def cpu_of_ended() -> float:
    """Return the CPU seconds of processes that this one waited for, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def new_files(
    limits: dict[str, float], sent: dict[str, None], *, complete: bool
) -> Iterator[tuple[str, bytes]]:
    """List the regular files in the folders out that are new.

    Args:
        limits: The limits.
        sent: Names of those that were sent. New ones are added.
        complete: Whether to list files of ``outputs/``, which are complete at the end only.

    Yields:
        Name with its folder, and content, which is cut one byte after the limit.
    """
    most = int(limits["output_mb"] * MB)
    for folder in OUT_FOLDERS if complete else OUT_FOLDERS[:1]:
        names = os.listdir(folder) if os.path.isdir(folder) else []
        for name in sorted(names)[: int(limits["output_files"])]:
            path = f"{folder}/{name}"
            if path in sent or name.startswith("."):
                continue
            content = _content(path, most + 1)
            if content is not None:
                sent[path] = None
                yield path, content


def _content(path: str, most: int) -> bytes | None:
    """Read a regular file. None: it is none, such as a link or a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _place(name: str, content: bytes) -> None:
    """Write a file into the inbox. What the algorithm did there does not stop this process."""
    aside = f"inbox/.{name}"
    with contextlib.suppress(OSError):  # the algorithm then waits in vain
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside)
        with os.fdopen(os.open(aside, NEW_FILE), "wb") as file:
            file.write(content)
        os.rename(aside, f"inbox/{name}")


def write_frame(name: str, content: bytes) -> None:
    """Send a file to the node.

    Args:
        name: Its name.
        content: Its content.
    """
    head = json.dumps({"name": name, "size": len(content)}).encode() + b"\n"
    for piece in (head, content):
        view = memoryview(piece)
        while view:
            view = view[os.write(1, view) :]


class FrameReader:
    """Reads frames from standard input. Ends the process, and so the sandbox, with the input."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._head: dict[str, Any] | None = None  # of a frame whose content is not complete yet

    def read(self) -> Iterator[tuple[str, bytes]]:
        """Read what is there.

        Yields:
            Name and content of complete frames.
        """
        piece = os.read(0, MB)
        if not piece:
            os._exit(1)
        self._waiting += piece
        while True:
            if self._head is None:
                end = self._waiting.find(b"\n")
                if end < 0:
                    return
                self._head = json.loads(self._waiting[:end])
                del self._waiting[: end + 1]
            size = self._head["size"]
            if len(self._waiting) < size:
                return
            content = bytes(self._waiting[:size])
            del self._waiting[:size]
            name, self._head = self._head["name"], None
            yield name, content


if __name__ == "__main__":
    main()
