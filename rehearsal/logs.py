"""The log of a job, the progress that it reports, and notes about a run's inputs."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rehearsal.errors import InputError, full_disk
from rehearsal.process_lifetime import end_with_run

_NOTES = logging.getLogger("rehearsal.notes")
_NOTES.addHandler(logging.NullHandler())  # jobs read the same inputs, and say nothing again
_NOTES.propagate = False
_NOTED: list[str] = []
ENDED_BY_SIGNAL = 128 + signal.SIGTERM  # exit status, as shells define it


@contextmanager
def log_to_file(path: Path | str) -> Iterator[None]:
    """Send everything written to stdout and stderr, also by C libraries, to a file.

    The job ends when its run does (``rehearsal.process_lifetime``). An InputError puts its one
    line into the log, without a traceback, and ends the process with exit status 1. So does a
    full disk, whose line also goes to the former stderr: the log may be on that disk.

    Args:
        path: The log file.

    Raises:
        SystemExit: An InputError or a full disk ended the block.
    """
    end_with_run()
    for number in (signal.SIGTERM, signal.SIGHUP):  # unwind, which removes unfinished files
        signal.signal(number, lambda *_: sys.exit(ENDED_BY_SIGNAL))
    sys.stdout.flush()
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", buffering=1) as log:  # noqa: PTH123 - the descriptor is what matters
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            yield
    except InputError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    except Exception as error:
        if (line := full_disk(error)) is None:
            raise
        os.write(terminal, f"{line}\n".encode())  # the disk may have no room for the log
        with suppress(OSError):
            os.write(2, f"{line}\n".encode())
        raise SystemExit(1) from None
    finally:
        os.close(terminal)


def note(text: str) -> None:
    """Tell the user something about an input with which the work goes on.

    Only a process that called :func:`show_notes` shows it.

    Args:
        text: One line.
    """
    _NOTED.append(text)
    _NOTES.warning("%s", text)


def noted() -> list[str]:
    """Return the notes of this process, each once."""
    return list(dict.fromkeys(_NOTED))


def show_notes() -> None:
    """Print the notes of this process to stderr, each once."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("Note: %(message)s"))
    handler.addFilter(_Once())
    _NOTES.handlers[:] = [handler]  # one, however often this is called


@contextmanager
def notes_begin_with(prepare: Callable[[], None]) -> Iterator[None]:
    """Call a function before each note of this process that is shown.

    Args:
        prepare: It gives the note a line of its own.
    """

    def first(_: logging.LogRecord) -> bool:
        prepare()
        return True

    handlers = list(_NOTES.handlers)
    for handler in handlers:
        handler.addFilter(first)  # after the filter that lets each text pass once
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(first)


class _Once(logging.Filter):
    """Lets each text pass once."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        is_new = record.getMessage() not in self._said
        self._said.add(record.getMessage())
        return is_new


_LISTENERS: list[Callable[[str], None]] = []


@contextmanager
def progress_told_to(listener: Callable[[str], None]) -> Iterator[None]:
    """Hand the lines of progress of this process to a function instead of stdout.

    Args:
        listener: Called with each line.
    """
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.pop()


def tell_progress(text: str) -> None:
    """Tell how far a long job is.

    Args:
        text: One line.
    """
    if _LISTENERS:
        _LISTENERS[-1](text)
    else:
        print(text, flush=True)


class Progress:
    """The progress of a long job: how much is done, how fast, and how long the rest will take.

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
        if self._done < self._total and now - self._said >= self._every_s:
            self._said = now
            per_s = self._done / (now - self._begun)
            left = in_words((self._total - self._done) / per_s)
            rate = f"{per_s:,.0f} per s" if per_s >= 10 else f"{per_s:.2g} per s"
            done = f"{self._done:,.0f} of {self._total:,.0f} {self._of}"
            tell_progress(f"{done}, {rate}, about {left} left")


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
