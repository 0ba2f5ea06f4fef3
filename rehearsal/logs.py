"""The log of a job, the progress that it reports, and notes about a run's inputs."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rehearsal.errors import InputError
from rehearsal.process_lifetime import end_with_run

_NOTES = logging.getLogger("rehearsal.notes")
_NOTES.addHandler(logging.NullHandler())  # jobs read the same inputs, and say nothing again
_NOTES.propagate = False
ENDED_BY_SIGNAL = 128 + signal.SIGTERM  # exit status, as shells define it


@contextmanager
def log_to_file(path: Path | str) -> Iterator[None]:
    """Send everything written to stdout and stderr, also by C libraries, to a file.

    The job ends when its run does (``rehearsal.process_lifetime``). An InputError puts its one
    line into the log, without a traceback, and ends the process with exit status 1.

    Args:
        path: The log file.

    Raises:
        SystemExit: An InputError ended the block.
    """
    end_with_run()
    for number in (signal.SIGTERM, signal.SIGHUP):  # unwind, which removes unfinished files
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


def note(text: str) -> None:
    """Tell the user something about an input with which the work goes on.

    Only a process that called :func:`show_notes` shows it.

    Args:
        text: One line.
    """
    _NOTES.warning("%s", text)


def show_notes() -> None:
    """Print the notes of this process to stderr, each once."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("Note: %(message)s"))
    handler.addFilter(_Once())
    _NOTES.handlers[:] = [handler]  # one, however often this is called


class _Once(logging.Filter):
    """Lets each text pass once."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        is_new = record.getMessage() not in self._said
        self._said.add(record.getMessage())
        return is_new


class Progress:
    """The progress of a long job: how much is done, and how long the rest will take.

    The estimate assumes that the rest takes as long per item as the part that is done. It prints
    at most one line per ``every_s`` seconds, so short jobs print nothing.

    Args:
        total: How many items there are.
        of: What they are, for the line: ``queries``.
        every_s: Least time between two lines, in seconds.
    """

    def __init__(self, total: float, of: str, every_s: float = 10.0) -> None:
        self._total, self._of, self._every_s = total, of, every_s
        self._done = 0.0
        self._begun = self._said = time.monotonic()

    def step(self, number: float = 1) -> None:
        """Count more items as done; print a line when it is time.

        Args:
            number: How many.
        """
        self._done += number
        now = time.monotonic()
        if now - self._said >= self._every_s:
            self._said = now
            left = in_words((now - self._begun) * (self._total - self._done) / self._done)
            done = f"{self._done:,.0f} of {self._total:,.0f} {self._of}"
            print(f"{done}, about {left} left", flush=True)


def in_words(seconds: float) -> str:
    """Write a duration for people: ``40 s``, ``12 min``, ``3.5 h``.

    Args:
        seconds: The duration in seconds.

    Returns:
        The text.
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
