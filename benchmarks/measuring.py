"""What every timing needs: a description of the machine, CPU seconds, memory, a served node."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

import numpy as np

from rehearsal.evaluation.latency import percentile
from rehearsal.machine import describe_machine, load_average

T = TypeVar("T")


def header() -> str:
    """Describe the machine, the time and the load, which belong to every figure."""
    machine = describe_machine()
    return (
        f"{datetime.now():%Y-%m-%d %H:%M}  {machine['processor']}, {machine['cores']} cores, "
        f"Python {sys.version.split()[0]}; load average {load_average():.2f}"
    )


def footer() -> str:
    """Describe the load at the end."""
    return f"load average {load_average():.2f} at the end"


# --- CPU time and memory ---


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its ended children."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Run a function and measure the CPU time of this process and of its ended children.

    Args:
        work: The function.

    Returns:
        CPU seconds, and the function's result.
    """
    start = cpu_seconds()
    result = work()
    return cpu_seconds() - start, result


def peak_gigabytes() -> float:
    """Return the peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def cpu_seconds_of(pid: int) -> float:
    """Return the CPU time of another process so far.

    Args:
        pid: The process.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> tuple[float, float]:
    """Return the resident memory of another process: current and peak.

    Args:
        pid: The process.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    now, most = (int(status.split(f"{key}:")[1].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
    return now, most


# --- lines of figures ---


def print_written(what: str, job: Callable[[], object], out: Path, baseline: float | None) -> float:
    """Run a job that writes a file, and print its CPU seconds, size and speed.

    Args:
        what: Name of the job.
        job: The job.
        out: The file it writes.
        baseline: CPU seconds to compare with. None compares with nothing.

    Returns:
        The job's CPU seconds.
    """
    seconds, _ = timed(job)
    ratio = f"{baseline / seconds:6.1f} x" if baseline else ""
    print(f"{what:<32} {seconds:8.2f} CPU s {out.stat().st_size / 1e6:9.2f} MB {ratio}", flush=True)
    return seconds


def print_latencies(name: str, seconds: Sequence[float], less_s: float = 0.0) -> None:
    """Print percentiles in milliseconds.

    Args:
        name: Name of the measurement.
        seconds: Latencies in seconds.
        less_s: Seconds to subtract from each.
    """
    values = (np.array(seconds) - less_s) * 1000
    shares = " ".join(f"p{share} {percentile(values, share):8.2f}" for share in (50, 95, 99, 100))
    print(f"{name:52} {shares} ms  (n = {len(values)})", flush=True)


# --- a node ---


class ServedNode(NamedTuple):
    """A running node, its process, and the seconds until it answered."""

    url: str
    pid: int
    start_s: float

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        place = urlsplit(self.url)
        return place.hostname or "", place.port or 0


@contextmanager
def served_node(
    folder: Path,
    program: Sequence[str] = (),
    options: Sequence[str] = (),
    checkout: Path | None = None,
) -> Iterator[ServedNode]:
    """Serve a node's folder while the context lasts.

    Args:
        folder: The node's folder.
        program: Arguments of Python instead of ``-m rehearsal node serve``.
        options: More options of the command.
        checkout: A checkout of the project whose code serves. None takes this one.
    """
    command = program or ("-m", "rehearsal", "node", "serve")
    if not checkout or (checkout / "rehearsal/web/rate_limit.py").exists():
        options = ["--requests-per-s", "0", *options]
    with _served([*command, folder, *options], folder / "endpoint.json", checkout) as node:
        yield node


@contextmanager
def served_network(
    nodes: Path, endpoint: Path, checkout: Path | None = None
) -> Iterator[ServedNode]:
    """Serve a network while the context lasts.

    Args:
        nodes: The registry of its nodes.
        endpoint: The endpoint file to write.
        checkout: A checkout of the project whose code serves. None takes this one.
    """
    command = ("-m", "rehearsal", "network", "serve", "--requests-per-s", "0", "--nodes", nodes)
    with _served(command, endpoint, checkout) as network:
        yield network


@contextmanager
def _served(
    command: Sequence[str | Path], endpoint: Path, checkout: Path | None
) -> Iterator[ServedNode]:
    environment = {**os.environ, "PYTHONPATH": str(checkout)} if checkout else None
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command, "--endpoint-file", endpoint],
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=checkout,
    )
    try:
        while not endpoint.exists():
            if process.poll() is not None:
                sys.exit(f"the service ended with exit code {process.returncode}")
            time.sleep(0.005)
        took = time.perf_counter() - started
        yield ServedNode(json.loads(endpoint.read_text())["url"], process.pid, took)
    finally:
        process.terminate()
        process.wait()
