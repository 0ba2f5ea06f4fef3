"""Latencies as HdrHistogram logs: one histogram per second, which can be merged.

The format is HdrHistogram's log, version 1.2; values are microseconds with three significant
digits. A request belongs to the second of its planned time, counted from the log's base time.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader, HistogramLogWriter

from rehearsal.files import atomic_path

LOWEST_US, HIGHEST_US, DIGITS = 1, 120_000_000, 3
US = 1_000_000


def write_log(
    path: Path, latencies: Iterable[tuple[float, float]], begun: float, comment: str
) -> None:
    """Write latencies as a log.

    Args:
        path: The file.
        latencies: Planned time of a request from the log's start, and its latency, in seconds.
            Latencies above two minutes count as two minutes.
        begun: The start of the log, in seconds since the epoch.
        comment: A comment for the head of the file.
    """
    seconds: dict[int, HdrHistogram] = {}
    for at_s, latency_s in latencies:
        histogram = seconds.setdefault(int(at_s), new_histogram())
        histogram.record_value(_us(latency_s))
    with atomic_path(path) as aside, aside.open("w", encoding="utf-8") as file:
        writer = HistogramLogWriter(file)
        writer.output_comment(f"[{comment}; latencies in microseconds]")
        writer.output_log_format_version()
        writer.output_base_time(begun * 1000)
        writer.output_legend()
        for second, histogram in sorted(seconds.items()):
            # the writer treats a start of 0 as missing and then uses the histogram's own
            histogram.set_start_time_stamp(second * 1000)
            histogram.set_end_time_stamp((second + 1) * 1000)
            writer.output_interval_histogram(histogram, max_value_unit_ratio=1.0)


def read_log(path: Path) -> HdrHistogram:
    """Read a log and merge all its histograms.

    Args:
        path: The file.

    Returns:
        One histogram of latencies, in microseconds.
    """
    together = new_histogram()
    reader = HistogramLogReader(str(path), new_histogram())
    try:
        while reader.add_next_interval_histogram(together):
            pass
    finally:
        reader.close()
    return together


def new_histogram() -> HdrHistogram:
    """Make an empty histogram with the range and precision of the logs."""
    return HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)


def _us(seconds: float) -> int:
    return min(max(round(seconds * US), LOWEST_US), HIGHEST_US)
