"""Network namespaces without names, and being in one for a while."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

CLONE_NEWNET = 0x40000000  # linux/sched.h
_OWN = "/proc/thread-self/ns/net"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process runs: the address at which it can be asked, and its namespace (a file
    descriptor; None: the one we are in)."""

    host: str = "127.0.0.1"
    namespace: int | None = None

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be in the place's namespace: sockets, devices and processes made here belong to it."""
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
    """So many new namespaces, each with its loopback up; gone when the block ends and nobody is
    in them any more.

    Raises OSError where that is not permitted.
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
    """Put the calling thread into a namespace. Raises OSError."""
    _call("setns", namespace, CLONE_NEWNET)


def run_in(place: Place, command: Sequence[str], text: str | None = None) -> None:
    """Run a command at a place with ``text`` on its standard input.

    Raises OSError that quotes the command's complaint.
    """
    with place.entered():
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        output = " ".join(f"{done.stderr} {done.stdout}".split())
        raise OSError(f"{' '.join(command)}: {output}")


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
        raise OSError(number, f"{name}: {os.strerror(number)}")
