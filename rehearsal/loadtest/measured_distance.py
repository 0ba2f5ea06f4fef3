"""Measuring whether emulated distance agrees with the table of distances.

Every way of emulation that this machine supports is measured. With namespaces, the measurement is
the round trip of a TCP connection that the other side's kernel refuses: one packet each way, and no
process of ours at the far end. With ``delay``, it is the time that an answer waits in a node's
:class:`DelayedApp`. A control stands beside each: how late this process wakes from a plain wait,
which is what the load of the machine adds. Rows ``http`` come from the query suite: round trips to
real nodes, with their work.
"""

from __future__ import annotations

import asyncio
import select
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.errors import mismatch
from rehearsal.evaluation.latency import percentile
from rehearsal.machine import load_average
from rehearsal.network.emulation.realtime_priority import realtime_priority
from rehearsal.network.emulation.topology import emulated_distance, emulation_support, line_of_pairs
from rehearsal.web.network_delay import DelayedApp, Line

TOLERANCE_MS = 1.0
TRIES = 3  # repeats the measurement when the machine was busy for a moment
CLOSED_PORT = 9  # discard: nothing listens on it in our namespaces
WAIT_S = 5.0
CONTROL, CONTROL_S = "control", 0.02  # in the place of a country: a plain wait, in seconds
COLUMNS = {
    "country": "str",
    "way": "str",
    "measured_by": "str",  # tcp, answer or http
    "expected_ms": "float64",
    "measured_ms": "float64",  # the median
    "p95_ms": "float64",
    "control_ms": "float64",
    "off_ms": "float64",  # measured - expected
    "within": "bool",  # TOLERANCE_MS, plus the delay of the control
    "n": "int64",
    "load_average": "float64",
    "reason": "str",  # why this machine does not support the way
}

Times = dict[str, list[float]]  # ms by country


def measure_distance(
    network: Mapping[str, Any],
    pairs: pd.DataFrame,
    countries: Sequence[str],
    rounds: int,
    latency: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Measure round trips with every way of emulating distance.

    Args:
        network: The ``network`` section of the configuration.
        pairs: Round-trip times of pairs of countries, as ``rtt_matrix`` returns them.
        countries: The countries whose nodes are measured.
        rounds: Round trips to each node.
        latency: Latency table of the query suite, for rows ``http`` of the configured way; None
            for no such rows.

    Returns:
        One row per country and way, with the columns ``COLUMNS``. A way that this machine does not
        support is one row with the reason.
    """
    asker = network["asker"]
    lines = line_of_pairs(network, pairs)
    expected = {country: lines[asker, country].delay_ms for country in countries}
    rows = []
    for way, reason in emulation_support().items():
        if reason:
            rows.append({"country": "", "way": way, "n": 0, "reason": reason})
            continue
        for _ in range(TRIES):
            times, by = _times({**network, "emulation": way}, pairs, countries, rounds)
            found = _rows(way, by, expected, times)
            if all(row["within"] for row in found):
                break
        rows += found
    if latency is not None and network["emulation"] != "none":
        rows += _http_rows(network["emulation"], expected, latency)
    return (
        pd.DataFrame(rows, columns=list(COLUMNS))
        .fillna({"reason": "", "within": False})
        .astype(COLUMNS)
    )


def _times(
    network: Mapping[str, Any], pairs: pd.DataFrame, countries: Sequence[str], rounds: int
) -> tuple[Times, str]:
    with emulated_distance(network, pairs, countries) as topology, realtime_priority():
        if topology.lines:
            return asyncio.run(_waits(topology.lines, rounds)), "answer"
        hosts = {country: place.host for country, place in topology.places.items()}
        return _round_trips(hosts, rounds), "tcp"


def _rows(way: str, by: str, expected: Mapping[str, float], times: Times) -> list[dict[str, Any]]:
    control_ms = percentile(np.array(times[CONTROL]), 50)
    rows = []
    for country, expected_ms in expected.items():
        taken = np.array(times[country])
        measured_ms = percentile(taken, 50)
        off_ms = measured_ms - expected_ms
        rows.append(
            {
                "country": country,
                "way": way,
                "measured_by": by,
                "expected_ms": expected_ms,
                "measured_ms": measured_ms,
                "p95_ms": percentile(taken, 95),
                "control_ms": control_ms,
                "off_ms": off_ms,
                "within": -TOLERANCE_MS <= off_ms <= TOLERANCE_MS + control_ms,
                "n": len(taken),
                "load_average": load_average(),
            }
        )
    return rows


def _http_rows(
    way: str, expected: Mapping[str, float], latency: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    """List what the suite's control requests took. They are not judged: nodes work meanwhile."""
    control = latency[latency["kind"] == "control"].set_index("node")
    here = control.loc["empty handler", "p50_ms"]
    for country, expected_ms in expected.items():
        if country in control.index:
            row = control.loc[country]
            yield {
                "country": country,
                "way": way,
                "measured_by": "http",
                "expected_ms": expected_ms,
                "measured_ms": row["p50_ms"],
                "p95_ms": row["p95_ms"],
                "control_ms": here,
                "off_ms": row["p50_ms"] - expected_ms,
                "n": row["n"],
            }


def _round_trips(hosts: Mapping[str, str], rounds: int) -> Times:
    """Measure the times of refused connections, one to each host at a time."""
    times: Times = {name: [] for name in (*hosts, CONTROL)}
    for _ in range(rounds):
        start = time.perf_counter()
        select.select([], [], [], CONTROL_S)
        times[CONTROL].append(_ms_since(start) - CONTROL_S * 1000)
        for name, taken_ms in _one_round(hosts):
            times[name].append(taken_ms)
    if silent := [name for name, taken in times.items() if not taken]:
        expected = f"a packet from each of {', '.join(silent)}"
        raise OSError(mismatch("emulated distance", expected, "none"))
    return times


def _one_round(hosts: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    poll, begun = select.poll(), {}
    for name, host in hosts.items():
        one = socket.socket()
        one.setblocking(False)
        begun[one.fileno()] = (name, one, time.perf_counter())
        one.connect_ex((host, CLOSED_PORT))
        poll.register(one, select.POLLOUT | select.POLLERR)
    until = time.perf_counter() + WAIT_S
    while begun and time.perf_counter() < until:
        for descriptor, _ in poll.poll(100):
            name, one, start = begun.pop(descriptor)
            yield name, _ms_since(start)
            poll.unregister(descriptor)
            one.close()
    for _, one, _ in begun.values():  # lost
        one.close()


def _ms_since(start: float) -> float:
    return (time.perf_counter() - start) * 1000


async def _waits(lines: Mapping[str, Line], rounds: int) -> Times:
    """Measure the times of empty answers, from all distances at once."""
    apps = {name: DelayedApp(_nothing, line) for name, line in lines.items()}
    times: Times = {name: [] for name in (*apps, CONTROL)}
    clock = asyncio.get_running_loop().time

    async def once(name: str) -> None:
        start = clock()
        await apps[name]({"type": "http"}, _no_body, _thrown_away)
        times[name].append((clock() - start) * 1000)

    async def bare() -> None:
        start = clock()
        await asyncio.sleep(CONTROL_S)
        times[CONTROL].append((clock() - start - CONTROL_S) * 1000)

    for _ in range(rounds):
        await asyncio.gather(bare(), *(once(name) for name in apps))
    return times


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def _no_body() -> dict[str, Any]:
    return {"type": "http.request"}


async def _thrown_away(message: Any) -> None:
    pass


def distance_checks(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Make the checks of the measured distances for ``summary.json``.

    Args:
        table: What ``measure_distance`` returns.

    Returns:
        One check per way.
    """
    checks = []
    judged = table[table["measured_by"].isin(("tcp", "answer"))]
    for way, rows in judged.groupby("way", sort=False):
        near = int(rows["within"].sum())
        checks.append(
            {
                "name": f"distance by {way}: countries within {TOLERANCE_MS:g} ms at the median",
                "expected": len(rows),
                "observed": near,
                "passed": near == len(rows),
            }
        )
    return checks
