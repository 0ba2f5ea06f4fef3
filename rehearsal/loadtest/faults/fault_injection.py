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

from rehearsal.errors import InputError
from rehearsal.loadtest.faults.faulty_proxy import FaultyProxy
from rehearsal.loadtest.faults.processes import NodeProcess, ServiceProcess
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
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


@dataclass
class FaultInjection:
    """What is broken, and when. Times are of the monotonic clock, in seconds.

    ``victim``: the process of the node that is broken, where one is; ``proxy``: what stands before
    it, where something does.
    ``folder``: for scratch files. ``applied_at``, ``healed_at``: when the fault was there and when
    it was about to be taken away. ``complaints``: what should have held and did not; ``message``:
    what a broken node told its operator.
    """

    service: ServiceProcess
    victim: NodeProcess | None
    proxy: FaultyProxy | None
    folder: Path
    applied_at: float = 0.0
    healed_at: float = 0.0
    message: str = ""
    complaints: list[str] = field(default_factory=list)

    @property
    def node(self) -> NodeProcess:
        """The process of the node that is broken."""
        if self.victim is None:
            raise RuntimeError("this network has no node that is broken")
        return self.victim

    def mark_applied(self) -> None:
        self.applied_at = time.monotonic()

    def mark_healed(self) -> None:
        self.healed_at = time.monotonic()


Fault = Callable[..., AbstractAsyncContextManager[None]]


@asynccontextmanager
async def misbehave(injection: FaultInjection, misbehaviour: str) -> AsyncIterator[None]:
    """Something else answers at the node's address."""
    if injection.proxy is None:
        raise RuntimeError("nothing stands before the node that could misbehave")
    injection.proxy.misbehaviour = misbehaviour
    injection.mark_applied()
    yield
    injection.mark_healed()
    injection.proxy.misbehaviour = None


@asynccontextmanager
async def kill(injection: FaultInjection) -> AsyncIterator[None]:
    """SIGKILL, with questions under way; later somebody starts the node again."""
    os.kill(injection.node.pid, signal.SIGKILL)
    injection.mark_applied()
    yield
    injection.mark_healed()
    await injection.node.start()


@asynccontextmanager
async def stop(injection: FaultInjection) -> AsyncIterator[None]:
    """SIGSTOP: connections stay open, nothing is said on them."""
    pid = injection.node.pid
    os.kill(pid, signal.SIGSTOP)
    injection.mark_applied()
    try:
        yield
    finally:
        injection.mark_healed()
        os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def full_disk(injection: FaultInjection) -> AsyncIterator[None]:
    """The node's files cannot grow: a write stops short, the next one fails.

    A limit on the size of files does what a full disk does, without a disk: it needs no rights.
    """
    log = injection.node.folder / AUDIT_FILE
    pid = injection.node.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (log.stat().st_size + ROOM, hard))
    injection.mark_applied()
    try:
        yield
    finally:
        injection.mark_healed()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    try:
        verify_log(log)
    except InputError as error:
        injection.complaints.append(f"the audit log is not whole: {error}")


@asynccontextmanager
async def damage(injection: FaultInjection, file: str, damage: str) -> AsyncIterator[None]:
    """The node was down, and a file is damaged when it is to start again."""
    path = injection.node.folder / file
    whole = path.with_suffix(".whole")
    await injection.node.end()
    shutil.copyfile(path, whole)
    DAMAGES[damage](path)
    injection.mark_applied()
    refused = await asyncio.to_thread(
        subprocess.run,
        injection.node.command_line,
        capture_output=True,
        text=True,
        timeout=REFUSAL_S,
        check=False,
    )
    injection.message = " ".join(refused.stderr.split()).replace(f"{injection.node.folder}/", "")
    if refused.returncode != EXIT_BAD_INPUT or file not in refused.stderr:
        injection.complaints.append(
            f"the node ended with {refused.returncode}: {injection.message or 'nothing'}"
        )
    try:
        yield
    finally:
        injection.mark_healed()
        whole.replace(path)
    await injection.node.start()


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
async def clock(injection: FaultInjection, offset_s: float) -> AsyncIterator[None]:
    """The node's clock is wrong, by so much ahead."""

    def late(command: list[str]) -> list[str]:
        python, _, module, *arguments = command  # python -m MODULE ...
        return [python, "-c", CLOCK, str(offset_s), module, *arguments]

    await injection.node.start(late)
    injection.mark_applied()
    yield
    injection.mark_healed()
    await injection.node.start()


@asynccontextmanager
async def keys(injection: FaultInjection) -> AsyncIterator[None]:
    """The node trusts other keys than those that tokens are signed with now."""
    trusted = injection.node.folder / TRUSTED
    right = trusted.read_bytes()
    other = make_issuer(injection.folder / "other-issuer").folder / "jwks.json"
    shutil.copyfile(other, trusted)
    await injection.node.start()
    injection.mark_applied()
    try:
        yield
    finally:
        injection.mark_healed()
        trusted.write_bytes(right)
    await injection.node.start()


@asynccontextmanager
async def restart(injection: FaultInjection, ended_by: str) -> AsyncIterator[None]:
    """The network service itself is gone for a while, with questions under way."""
    os.kill(injection.service.pid, signal.Signals[ended_by])
    injection.mark_applied()
    yield
    injection.mark_healed()
    await injection.service.start()


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (misbehave, kill, stop, full_disk, damage, clock, keys, restart)
}
