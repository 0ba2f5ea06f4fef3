"""The faults: each is there as long as its block runs, and taken away at its end."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.loadtest.faults.fault_proxy import Front
from rehearsal.loadtest.faults.processes import NodeProcess, ServiceProcess
from rehearsal.model import InputError
from rehearsal.network.issuer import TRUSTED, make_issuer
from rehearsal.node.access.audit_log import FILE_NAME as AUDIT_FILE
from rehearsal.node.access.audit_log import verify_log

EXIT_BAD_INPUT = 2
ROOM = 40  # bytes that a full disk still takes: less than a line of the log
REFUSAL_S = 30.0
# a process whose clock is off by a number of seconds: what runs in it sees no other time
CLOCK = (
    "import runpy, sys, time; true = time.time; offset = float(sys.argv.pop(1)); "
    "time.time = lambda: true() + offset; "
    "runpy.run_module('rehearsal', run_name='__main__', alter_sys=True)"
)


@dataclass
class Injection:
    """What is broken, and when. Times are of the monotonic clock, in seconds.

    ``victim``: a node's process; ``front``: what stands before it, where something does.
    ``folder``: for scratch files. ``applied_at``, ``healed_at``: when the fault was there and when
    it was about to be taken away. ``complaints``: what should have held and did not; ``said``:
    what a broken node told its operator.
    """

    service: ServiceProcess
    victim: NodeProcess | None
    front: Front | None
    folder: Path
    applied_at: float = 0.0
    healed_at: float = 0.0
    said: str = ""
    complaints: list[str] = field(default_factory=list)

    def is_there(self) -> None:
        self.applied_at = time.monotonic()

    def goes(self) -> None:
        self.healed_at = time.monotonic()


Fault = Callable[..., AbstractAsyncContextManager[None]]


@asynccontextmanager
async def manner(one: Injection, manner: str) -> AsyncIterator[None]:
    """Something else answers at the node's address."""
    one.front.manner = manner
    one.is_there()
    yield
    one.goes()
    one.front.manner = None


@asynccontextmanager
async def kill(one: Injection) -> AsyncIterator[None]:
    """SIGKILL, with questions under way; later somebody starts the node again."""
    os.kill(one.victim.entry.pid, signal.SIGKILL)
    one.is_there()
    yield
    one.goes()
    await one.victim.start()


@asynccontextmanager
async def stop(one: Injection) -> AsyncIterator[None]:
    """SIGSTOP: connections stay open, nothing is said on them."""
    pid = one.victim.entry.pid
    os.kill(pid, signal.SIGSTOP)
    one.is_there()
    try:
        yield
    finally:
        one.goes()
        os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def full_disk(one: Injection) -> AsyncIterator[None]:
    """The node's files cannot grow: a write stops short, the next one fails.

    A limit on the size of files does what a full disk does, without a disk: it needs no rights.
    """
    log = one.victim.folder / AUDIT_FILE
    pid = one.victim.entry.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (log.stat().st_size + ROOM, hard))
    one.is_there()
    try:
        yield
    finally:
        one.goes()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    try:
        verify_log(log)
    except InputError as error:
        one.complaints.append(f"the audit log is not whole: {error}")


@asynccontextmanager
async def damage(one: Injection, file: str, damage: str) -> AsyncIterator[None]:
    """The node was down, and a file is damaged when it is to start again."""
    path = one.victim.folder / file
    whole = path.with_suffix(".whole")
    await one.victim.end()
    shutil.copyfile(path, whole)
    DAMAGES[damage](path)
    one.is_there()
    refused = await asyncio.to_thread(
        subprocess.run,
        one.victim.command_line,
        capture_output=True,
        text=True,
        timeout=REFUSAL_S,
        check=False,
    )
    one.said = " ".join(refused.stderr.split()).replace(f"{one.victim.folder}/", "")
    if refused.returncode != EXIT_BAD_INPUT or file not in refused.stderr:
        one.complaints.append(f"the node ended with {refused.returncode}: {one.said or 'nothing'}")
    try:
        yield
    finally:
        one.goes()
        whole.replace(path)
    await one.victim.start()


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def _flip_a_bit(path: Path) -> None:
    with path.open("r+b") as file:
        middle = path.stat().st_size // 2
        file.seek(middle)
        (byte,) = file.read(1)
        file.seek(middle)
        file.write(bytes((byte ^ 1,)))


DAMAGES: dict[str, Callable[[Path], None]] = {"truncated": _truncate, "bit flipped": _flip_a_bit}


@asynccontextmanager
async def clock(one: Injection, offset_s: float) -> AsyncIterator[None]:
    """The node's clock is wrong, by so much ahead."""

    def late(command: list[str]) -> list[str]:
        python, _, _, *rest = command  # python -m rehearsal ...
        return [python, "-c", CLOCK, str(offset_s), *rest]

    await one.victim.start(late)
    one.is_there()
    yield
    one.goes()
    await one.victim.start()


@asynccontextmanager
async def keys(one: Injection) -> AsyncIterator[None]:
    """The node trusts other keys than those that tokens are signed with now."""
    trusted = one.victim.folder / TRUSTED
    right = trusted.read_bytes()
    other = make_issuer(one.folder / "other-issuer").folder / "jwks.json"
    shutil.copyfile(other, trusted)
    await one.victim.start()
    one.is_there()
    try:
        yield
    finally:
        one.goes()
        trusted.write_bytes(right)
    await one.victim.start()


@asynccontextmanager
async def restart(one: Injection, signal: str) -> AsyncIterator[None]:
    """The network service itself is gone for a while, with questions under way."""
    os.kill(one.service.entry.pid, _SIGNALS[signal])
    one.is_there()
    yield
    one.goes()
    await one.service.start()


_SIGNALS = signal.Signals
FAULTS: dict[str, Fault] = {
    one.__name__: one for one in (manner, kill, stop, full_disk, damage, clock, keys, restart)
}
