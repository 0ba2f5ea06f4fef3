"""The log of a job, the progress that it reports, and notes about a run's inputs."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import FrameType
from typing import TypeVar

from rehearsal.compiled_code import compilations_told_to
from rehearsal.errors import InputError, PlainError, full_disk
from rehearsal.process_lifetime import end_with_run

Item = TypeVar("Item")
_NOTES = logging.getLogger("rehearsal.notes")
_NOTES.addHandler(logging.NullHandler())  # jobs read the same inputs, and say nothing again
_NOTES.propagate = False
_NOTED: list[str] = []
PROGRESS, ERROR = "Progress: ", "Error: "  # begin the lines of a log that a terminal shows
LOOK_AGAIN_S = 0.01  # after a signal that came where it would be lost
END_OF_LOG = 1 << 16  # bytes in which such a line is looked for


@contextmanager
def log_to_file(path: Path | str) -> Iterator[None]:
    """Send everything written to stdout and stderr, also by C libraries, to a file.

    The job ends when its run does (``rehearsal.process_lifetime``). An error ends it with exit
    status 1 and puts a line that begins with ``ERROR`` into the log, after a traceback unless it
    is an InputError, a PlainError or a full disk. A full disk is told to the former stderr too: the
    log may be on that disk. A signal ends it with such a line too.

    Args:
        path: The log file.

    Raises:
        SystemExit: An error or a signal ended the block.
    """
    end_with_run()
    sys.stdout.flush()
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", buffering=1) as log:  # noqa: PTH123 - the descriptor is what matters
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            with unwound_by(signal.SIGTERM, signal.SIGHUP), _compilations_told():
                yield
    except EndedBySignal as ended:
        os.write(2, f"{ERROR}{ended.words}\n".encode())
        raise SystemExit(ended.code) from None
    except (Exception, SystemExit) as error:
        line = _error_line(error)
        if line is None:
            raise
        if full_disk(error):
            os.write(terminal, f"{line}\n".encode())
        with suppress(OSError):
            sys.stdout.flush()  # what came before
            os.write(2, f"{ERROR}{line}\n".encode())
        raise SystemExit(1) from None
    finally:
        os.close(terminal)


class EndedBySignal(SystemExit):
    """A signal ended the work. Its ``code`` is the exit status, as shells define it.

    Args:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.words = f"it was ended by signal {number} ({signal.strsignal(number)})"


@contextmanager
def unwound_by(*numbers: int) -> Iterator[None]:
    """Unwind the block when a signal comes, which removes unfinished files.

    Args:
        numbers: The signals.

    Raises:
        EndedBySignal: One came, whatever the code that it met made of it: numba's compiler raises
            other errors on its way out.
    """
    came: list[EndedBySignal] = []

    def unwind(number: int, frame: FrameType | None) -> None:
        if number != signal.SIGALRM:
            came.append(EndedBySignal(number))
        if _would_be_lost(frame):
            signal.signal(signal.SIGALRM, unwind)
            signal.setitimer(signal.ITIMER_REAL, LOOK_AGAIN_S)
        else:
            raise came[0]

    for number in numbers:
        signal.signal(number, unwind)
    try:
        yield
    except (Exception, SystemExit):
        if came:
            raise came[0] from None
        raise


def _would_be_lost(frame: FrameType | None) -> bool:
    """Tell whether an error would not leave the code that runs: LLVM ignores those of callbacks."""
    while frame is not None:
        if "/llvmlite/" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def _error_line(error: BaseException) -> str | None:
    """Write what ended a job; print a traceback where only the code can tell more.

    Returns:
        The text; None for an exit without one.
    """
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, str) else None
    if isinstance(error, InputError):
        return str(error)
    if line := full_disk(error):
        return line
    if isinstance(error, PlainError):
        print(error, file=sys.stderr)
        return one_line(str(error))
    traceback.print_exc()
    return ": ".join(filter(None, [type(error).__name__, one_line(str(error))]))


def one_line(text: str) -> str:
    """Shorten a text to a sentence: its first line, and the last one where the first announces it.

    Args:
        text: Any text.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].endswith(":"):
        return f"{lines[0]} {lines[-1]}"
    return lines[0].rstrip(":") if lines else ""


def _compilations_told() -> AbstractContextManager[None]:
    """Tell of code that is compiled, in a process that has loaded the compiler."""
    if "numba" not in sys.modules:
        return nullcontext()
    return compilations_told_to(lambda function: tell_progress(f"compiling {function}"))


def last_told(path: Path | str, kind: str, since: float = 0.0) -> tuple[str, int]:
    """Find what a job has last put into its log for the terminal.

    Args:
        path: The log.
        kind: ``PROGRESS`` or ``ERROR``.
        since: When the job began, in seconds since 1970: an older log is that of another job.

    Returns:
        The text of the line, and how many lines follow it; empty text if there is none.
    """
    try:
        with Path(path).open("rb") as log:
            state = os.fstat(log.fileno())
            log.seek(max(0, state.st_size - END_OF_LOG))
            lines = log.read().decode(errors="replace").splitlines()
    except OSError:
        return "", 0
    if state.st_mtime >= since:
        for after, line in enumerate(reversed(lines)):
            if line.startswith(kind):
                return line.removeprefix(kind), after
    return "", 0


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
        print(f"{PROGRESS}{text}", flush=True)


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
            done = f"{self._done:,.0f} of {self._total:,.0f} {self._of}"
            tell_progress(f"{done}, {rate_in_words(per_s)}, about {left} left")


def in_progress(items: Collection[Item], of: str) -> Iterator[Item]:
    """Yield items, and tell how far that is, as :class:`Progress` does.

    Args:
        items: The items, each of which is done when the next is asked for.
        of: What they are.
    """
    progress = Progress(len(items), of)
    for item in items:
        yield item
        progress.step()


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


def rate_in_words(per_s: float) -> str:
    """Write a rate for people, in the unit in which it is not below one: ``12 per s``.

    Args:
        per_s: How many per second.

    Returns:
        The text.
    """
    for unit, seconds in (("s", 1), ("min", 60)):
        if per_s * seconds >= 1:
            return f"{per_s * seconds:,.{0 if per_s * seconds >= 10 else 1}f} per {unit}"
    return f"{per_s * 3600:.1f} per h"
