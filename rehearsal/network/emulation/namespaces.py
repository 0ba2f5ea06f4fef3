"""Network namespaces without names, and how to enter one for a while."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from rehearsal.errors import mismatch

CLONE_NEWNET = 0x40000000  # linux/sched.h
_OWN = "/proc/thread-self/ns/net"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process runs.

    Args:
        host: Address at which it can be reached.
        namespace: File descriptor of its network namespace; None for the current one.
    """

    host: str = "127.0.0.1"
    namespace: int | None = None

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Enter the place's namespace for as long as the block runs.

        Sockets, devices and processes that are made meanwhile belong to it.
        """
        if self.namespace is None:
            yield
            return
        home = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        try:
            enter(self.namespace)
            try:
                yield
            finally:
                enter(home)
        finally:
            os.close(home)


HERE = Place()


@contextmanager
def namespaces(number: int) -> Iterator[list[int]]:
    """Create network namespaces with their loopback up. They vanish after the block, once unused.

    Args:
        number: How many.

    Yields:
        Their file descriptors.

    Raises:
        OSError: This process may not create namespaces.
    """
    with ExitStack() as stack:
        made = []
        for _ in range(number):
            made.append(_new_namespace())
            stack.callback(os.close, made[-1])
        for one in made:
            run_in(Place(namespace=one), ["ip", "link", "set", "lo", "up"])
        yield made


def enter(namespace: int) -> None:
    """Put the calling thread into a namespace.

    Args:
        namespace: File descriptor of the namespace.

    Raises:
        OSError: This is not permitted.
    """
    _call("setns", namespace, CLONE_NEWNET)


def run_in(place: Place, command: Sequence[str], text: str | None = None) -> None:
    """Run a command at a place.

    Args:
        place: The place.
        command: The command line.
        text: Text for its standard input.

    Raises:
        OSError: The command failed. The message quotes its output.
    """
    with place.entered():
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        output = " ".join(f"{done.stderr} {done.stdout}".split())
        found = f"exit code {done.returncode} ({output})"
        raise OSError(mismatch(f"command {' '.join(command)}", "exit code 0", found))


def _new_namespace() -> int:
    home = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("unshare", CLONE_NEWNET)
        try:
            return os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        finally:
            enter(home)
    finally:
        os.close(home)


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        number = ctypes.get_errno()
        message = mismatch(name, "a successful system call", os.strerror(number))
        error = OSError(number, message)  # becomes PermissionError where that is the cause
        raise error
