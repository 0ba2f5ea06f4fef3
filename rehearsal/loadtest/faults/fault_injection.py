"""The faults: each lasts as long as its block runs, and is removed at the end."""

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

from rehearsal.errors import InputError, mismatch
from rehearsal.loadtest.faults.faulty_proxy import FaultyProxy
from rehearsal.loadtest.faults.processes import NodeProcess, ServiceProcess
from rehearsal.network.issuer import TRUSTED, make_issuer
from rehearsal.node.access.audit_check import verify_log
from rehearsal.node.access.audit_segments import FILE_NAME as AUDIT_FILE

EXIT_BAD_INPUT = 2
ROOM = 40  # bytes that the full disk still takes: less than a line of the log
REFUSAL_S = 30.0
# a program that runs a module with a clock that is wrong by a number of seconds
CLOCK = (
    "import runpy, sys, time; true = time.time; offset = float(sys.argv.pop(1)); "
    "time.time = lambda: true() + offset; "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


@dataclass
class FaultInjection:
    """A fault and its times, in seconds of the monotonic clock."""

    service: ServiceProcess
    victim: NodeProcess | None  # process of the broken node, if a node is broken
    proxy: FaultyProxy | None  # server in front of it, if any
    folder: Path  # for temporary files
    applied_at: float = 0.0  # when the fault began
    healed_at: float = 0.0  # when its removal began
    message: str = ""  # what the broken node printed for its operator
    complaints: list[str] = field(default_factory=list)  # requirements that did not hold

    @property
    def node(self) -> NodeProcess:
        """The process of the node that is broken."""
        if self.victim is None:
            raise RuntimeError(mismatch("network", "a node to break", "none"))
        return self.victim

    def mark_applied(self) -> None:
        """Note that the fault begins now."""
        self.applied_at = time.monotonic()

    def mark_healed(self) -> None:
        """Note that the removal of the fault begins now."""
        self.healed_at = time.monotonic()


Fault = Callable[..., AbstractAsyncContextManager[None]]


@asynccontextmanager
async def misbehave(injection: FaultInjection, misbehaviour: str) -> AsyncIterator[None]:
    """Let something else answer at the node's address.

    Args:
        injection: The fault.
        misbehaviour: The kind of wrong answer: a key of ``faulty_proxy.RESPONSES``.

    Raises:
        RuntimeError: No proxy stands in front of the node.
    """
    if injection.proxy is None:
        raise RuntimeError(mismatch("network", "a proxy in front of the node", "none"))
    injection.proxy.misbehaviour = misbehaviour
    injection.mark_applied()
    yield
    injection.mark_healed()
    injection.proxy.misbehaviour = None


@asynccontextmanager
async def kill(injection: FaultInjection) -> AsyncIterator[None]:
    """Kill the node with SIGKILL while it has queries, and start it again later.

    Args:
        injection: The fault.
    """
    os.kill(injection.node.pid, signal.SIGKILL)
    injection.mark_applied()
    yield
    injection.mark_healed()
    await injection.node.start()


@asynccontextmanager
async def stop(injection: FaultInjection) -> AsyncIterator[None]:
    """Stop the node with SIGSTOP: connections stay open, but nothing is sent on them.

    Args:
        injection: The fault.
    """
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
    """Keep the node's files from growing: one write is cut short, the next one fails.

    A limit on the size of files has the effect of a full disk and needs no privileges.

    Args:
        injection: The fault.
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
        injection.complaints.append(f"the audit log is damaged: {error}")


@asynccontextmanager
async def damage(injection: FaultInjection, file: str, damage: str) -> AsyncIterator[None]:
    """Stop the node, damage one of its files, and try to start it.

    Args:
        injection: The fault.
        file: Name of the file in the node's folder.
        damage: A key of ``DAMAGES``.
    """
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
            f"the node ended with exit status {refused.returncode}: "
            f"{injection.message or 'no message'}"
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
    """Start the node with a wrong clock.

    Args:
        injection: The fault.
        offset_s: How far the clock is ahead, in seconds.
    """

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
    """Make the node trust other keys than those that sign the tokens.

    Args:
        injection: The fault.
    """
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
    """End the network service itself while it has queries, and start it again later.

    Args:
        injection: The fault.
        ended_by: Name of the signal: ``SIGKILL`` or ``SIGTERM``.
    """
    os.kill(injection.service.pid, signal.Signals[ended_by])
    injection.mark_applied()
    yield
    injection.mark_healed()
    await injection.service.start()


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (misbehave, kill, stop, full_disk, damage, clock, keys, restart)
}
