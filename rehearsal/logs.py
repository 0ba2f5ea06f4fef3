"""Where a job's words go, and how it says how far it is."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rehearsal.errors import InputError
from rehearsal.process_lifetime import end_with_run

ENDED_BY_SIGNAL = 128 + signal.SIGTERM  # exit status, as a shell has it


@contextmanager
def log_to_file(path: Path | str) -> Iterator[None]:
    """Send everything written to stdout and stderr, C libraries included, to a file.

    The job ends when its run does (``rehearsal.process_lifetime``). An InputError becomes its one
    line in the log and exit status 1, without a traceback.
    """
    end_with_run()
    for number in (signal.SIGTERM, signal.SIGHUP):  # unwind: what was begun is taken away
        signal.signal(number, lambda *_: sys.exit(ENDED_BY_SIGNAL))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    with open(path, "w", buffering=1) as log:  # noqa: PTH123 - the descriptor is what matters
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except InputError as error:
            print(error, file=sys.stderr)
            raise SystemExit(1) from None


class Progress:
    """Says how much of a long job is done and how long the rest will take, as the first took.

    A line at most every ``every_s`` seconds: short jobs say nothing.
    """

    def __init__(self, total: float, of: str, every_s: float = 10.0) -> None:
        self._total, self._of, self._every_s = total, of, every_s
        self._done = 0.0
        self._begun = self._said = time.monotonic()

    def step(self, number: float = 1) -> None:
        """So many more are done."""
        self._done += number
        now = time.monotonic()
        if now - self._said >= self._every_s:
            self._said = now
            left = in_words((now - self._begun) * (self._total - self._done) / self._done)
            done = f"{self._done:,.0f} of {self._total:,.0f} {self._of}"
            print(f"{done}, about {left} left", flush=True)


def in_words(seconds: float) -> str:
    """A duration for people: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
