"""What the operator of a service can watch: ``/metrics`` in the text format of Prometheus, 0.0.4.

The numbers are by route template and class of status, never by caller, question or person. Even so
they tell that somebody asked something, and they are for the operator alone: ``/metrics`` is
answered only on a direct connection from this machine. Through a proxy, from elsewhere, and with
credentials, a request for the path goes to the service, which may have metrics of another kind.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sized
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

from rehearsal.web.address import METRICS_PATH
from rehearsal.web.app import ROUTE_KEY
from rehearsal.web.forwarded import Scope, is_direct

MEDIA_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
CREDENTIALS = (b"authorization", b"x-auth-token")
OTHER = "other"  # route of requests for paths that are not served
# upper bounds of the histogram of durations, in seconds
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric with its samples.

    Args:
        name: Name. That of a counter ends with ``_total``.
        kind: Counter, gauge or histogram.
        text: What it says, for the operator.
        samples: For each sample, what follows the name, the labels and the value.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    samples: tuple[tuple[str, Labels, float], ...]

    @classmethod
    def single(
        cls, name: str, kind: Literal["counter", "gauge"], text: str, value: float
    ) -> Metric:
        """Build a metric with one sample and no labels.

        Args:
            name: Name.
            kind: Counter or gauge.
            text: What it says.
            value: Its value.

        Returns:
            The metric.
        """
        return cls(name, kind, text, (("", {}, value),))


Source = Callable[[], Iterable[Metric]]


@dataclass(slots=True)
class _RouteCounts:
    """What is counted of one route."""

    by_status: list[int] = field(default_factory=lambda: [0] * 6)  # by first digit; 0: no answer
    by_duration: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


class MeteredApp:
    """An ASGI application that counts the requests to another one, and answers ``/metrics``.

    Args:
        app: The other application.
        sources: Functions that return more metrics.
    """

    def __init__(self, app: Any, sources: Iterable[Source] = ()) -> None:
        self._app, self._sources = app, tuple(sources)
        self._routes: dict[str, _RouteCounts] = {}
        self._rate_limited = 0  # requests answered with status 429
        self.connections: Sized = ()  # those that are open

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == METRICS_PATH and _asks_for_text(scope):
            await _send_text(write_metrics(self.metrics()), send)
            return
        started, status = time.perf_counter(), 0

        def observe(message: Any) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        try:
            await self._app(scope, receive, observe)
        finally:
            self._count(scope, status, time.perf_counter() - started)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope.get(ROUTE_KEY) or _route_below(scope)
        counts = self._routes.get(route)
        if counts is None:
            counts = self._routes[route] = _RouteCounts()
        counts.by_status[status // 100] += 1
        self._rate_limited += status == 429
        counts.by_duration[bisect_left(BOUNDS, seconds)] += 1
        counts.seconds += seconds

    def metrics(self) -> list[Metric]:
        """Collect all metrics.

        Returns:
            The metrics of requests, connections, the process, and of the sources.
        """
        return [
            *self._of_requests(),
            Metric.single(
                "rehearsal_rate_limited_total",
                "counter",
                "Requests that were refused because their callers sent too many (status 429).",
                self._rate_limited,
            ),
            Metric.single(
                "rehearsal_connections", "gauge", "Open connections.", len(self.connections)
            ),
            *process_metrics(),
            *(metric for source in self._sources for metric in source()),
        ]

    def _of_requests(self) -> list[Metric]:
        requests: list[tuple[str, Labels, float]] = []
        durations: list[tuple[str, Labels, float]] = []
        for route, counts in sorted(self._routes.items()):
            for digit, number in enumerate(counts.by_status):
                if number:
                    status = f"{digit}xx" if digit else "none"
                    requests.append(("", {"route": route, "status": status}, number))
            sums = list(accumulate(counts.by_duration))
            for bound, number in zip((*map(str, BOUNDS), "+Inf"), sums, strict=True):
                durations.append(("_bucket", {"route": route, "le": bound}, number))
            durations.append(("_sum", {"route": route}, counts.seconds))
            durations.append(("_count", {"route": route}, sums[-1]))
        text = "Requests, by route template and class of status; none: left without an answer."
        return [
            Metric("rehearsal_requests_total", "counter", text, tuple(requests)),
            Metric(
                "rehearsal_request_seconds",
                "histogram",
                "Time from a request to the end of its answer, by route template.",
                tuple(durations),
            ),
        ]


def _asks_for_text(scope: Scope) -> bool:
    """Whether a request is the operator's. One that signs in asks the service, not the process."""
    return _is_operator(scope) and not any(name in CREDENTIALS for name, _ in scope["headers"])


def _is_operator(scope: Scope) -> bool:
    """Whether a request comes from this machine, and through no proxy."""
    if scope["method"] not in ("GET", "HEAD") or scope.get("client") is None:
        return False
    try:
        address = ip_address(scope["client"][0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback and is_direct(scope)


def _route_below(scope: Scope) -> str:
    """The route template of an application of Starlette, without the prefix of all paths."""
    route = getattr(scope.get("route"), "path", None)
    if route is None:
        return OTHER
    mounted = scope.get("root_path", "")
    return mounted.removeprefix(scope.get("app_root_path", mounted)) + route


async def _send_text(text: str, send: Any) -> None:
    body = text.encode()
    headers = [(b"content-type", MEDIA_TYPE), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def process_metrics() -> list[Metric]:
    """Collect what the operating system tells about this process, by Prometheus' own names.

    Returns:
        The metrics; those of Linux only where ``/proc`` has them.
    """
    times = os.times()
    found = [
        Metric.single(
            "process_cpu_seconds_total",
            "counter",
            "CPU time in seconds.",
            times.user + times.system,
        ),
        Metric.single(
            "process_max_fds",
            "gauge",
            "Most files that may be open.",
            resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        ),
    ]
    if sys.platform == "linux":
        resident = int(Path("/proc/self/statm").read_text().split()[1])
        number = resident * resource.getpagesize()
        open_files = sum(1 for _ in Path("/proc/self/fd").iterdir()) - 1  # that of the list itself
        found += [
            Metric.single(
                "process_resident_memory_bytes", "gauge", "Resident memory in bytes.", number
            ),
            Metric.single(
                "process_open_fds", "gauge", "Open files, connections included.", open_files
            ),
        ]
    return found


def write_metrics(metrics: Iterable[Metric]) -> str:
    """Write metrics in the text format of Prometheus, version 0.0.4.

    Args:
        metrics: The metrics.

    Returns:
        The text, with a newline at the end of each line.
    """
    lines: list[str] = []
    for one in metrics:
        text = one.text.replace("\\", r"\\").replace("\n", r"\n")
        lines += [f"# HELP {one.name} {text}", f"# TYPE {one.name} {one.kind}"]
        for ending, labels, value in one.samples:
            pairs = ",".join(f'{name}="{_escaped(label)}"' for name, label in labels.items())
            lines.append(f"{one.name}{ending}{f'{{{pairs}}}' if pairs else ''} {_number(value)}")
    return "".join(f"{line}\n" for line in lines)


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    """Write a number as Go reads it."""
    if value != value or value in (float("inf"), float("-inf")):
        return {float("inf"): "+Inf", float("-inf"): "-Inf"}.get(value, "NaN")
    return str(int(value)) if float(value).is_integer() else repr(float(value))
