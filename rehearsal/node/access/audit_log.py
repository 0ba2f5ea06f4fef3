"""The node's audit log: one line per decision, chained by hashes.

A line is JSON: ``n`` (1, 2, ...), ``time``, the decision, and ``hash``: the SHA-256 of the previous
line's hash followed by this line without its own hash. The file ``.head`` beside the log holds the
number of lines and the last hash. Changing, removing or reordering lines breaks the chain. Cutting
lines off the end contradicts the head. Somebody who can write both files can write a new chain. To
detect that, note the head elsewhere (``rehearsal audit verify`` prints it).

A log of :data:`SEGMENT_SIZE` bytes is closed: it gets the number of its first line as part of its
name and is read-only. The first line of the next segment, ``continues``, repeats the last hash, so
that a segment can be verified without those before it. A program that moves the log away and makes
an empty one has the same effect. The lock on the head, which never moves, keeps several processes
apart.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from rehearsal.errors import InputError, cause, mismatch
from rehearsal.node.access.audit_segments import (
    CONTINUES,
    HEAD_SIZE,
    START,
    digest_of,
    ends_of_segments,
    first_line,
    hashed_line,
    head_path,
    lines_from,
    read_head,
    segment_path,
)

log = logging.getLogger(__name__)

CHECK_S = 1.0  # at least between two looks at whether the log can be written
SEGMENT_SIZE = 64 << 20  # bytes after which a new segment begins
FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


class AuditFailed(Exception):  # noqa: N818 - the answer is refused with it
    """A decision could not be logged, so it must not be carried out."""


class AuditLog:
    """An append-only log, safe for several processes at a time.

    A line has been handed to the operating system before :meth:`append` returns, so it survives the
    process. A power cut may lose the last seconds. The head then reveals the loss.
    """

    def __init__(self, path: Path | str, segment_size: int = SEGMENT_SIZE) -> None:
        """Open the log or create it.

        Args:
            path: The log file. It and its folder are created when missing.
            segment_size: Bytes after which a new segment begins.

        Raises:
            InputError: The file cannot be written, or the end of the log is damaged.
        """
        self.path, self._segment_size = Path(path), segment_size
        self._name = str(self.path)
        self._lock = threading.Lock()
        self._has_failed, self._next_check = False, 0.0
        self._size, self._end = -1, (0, START)  # of the log: bytes; lines and the last hash
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._use(os.open(self.path, FLAGS | os.O_APPEND, 0o600))
            self._head = os.open(head_path(self.path), FLAGS, 0o600)
        except OSError as error:
            raise _unwritable(self.path, error) from None
        try:
            self._alone(self._follow)
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def close(self) -> None:
        """Close the log and its head."""
        os.close(self._log)
        os.close(self._head)

    def append(self, *decisions: Mapping[str, Any]) -> None:
        """Write decisions, one line each: either all of them or none.

        Args:
            *decisions: JSON objects without ``n``, ``time`` and ``hash``, which are added.

        Raises:
            AuditFailed: The lines could not be written completely.
        """
        try:
            self._alone(partial(self._append, decisions))
        except (OSError, InputError) as error:
            self._has_failed = True
            raise AuditFailed(str(error)) from error
        self._has_failed = False

    def is_writable(self) -> bool:
        """Tell whether decisions can be logged, as far as is known from a second ago.

        After a failure a line is written as a try: without it, a node that gets no more questions
        because it says that it is down would say so for ever.
        """
        if time.monotonic() >= self._next_check:
            self._next_check = time.monotonic() + CHECK_S
            with suppress(AuditFailed):
                self.append(*([{"rule": "written again"}] if self._has_failed else []))
        return not self._has_failed

    def _append(self, decisions: Iterable[Mapping[str, Any]]) -> None:
        self._follow()
        if self._size >= self._segment_size:
            self._close_segment()
        lines, last = self._end
        now, texts = _now(), []
        for decision in decisions:
            lines += 1
            text, last = hashed_line({"n": lines, "time": now, **decision}, last)
            texts.append(text)
        whole = b"".join(texts)
        try:
            if os.write(self._log, whole) != len(whole):  # a full disk
                raise OSError(
                    mismatch(str(self.path), "complete lines", "a line cut off by the disk")
                )
            self._write_head(lines, last)
        except OSError:
            self._take_back()
            raise
        self._size, self._end = self._size + len(whole), (lines, last)

    def _follow(self) -> None:
        """Go to the present end of the log, where another process may have put it.

        Raises OSError for a removed log.
        """
        try:
            there = os.stat(self._name)  # noqa: PTH116 - half the time of Path.stat
        except FileNotFoundError:
            there = None
        if there is None or not os.fstat(self._head).st_nlink:
            found = "a removed file: lines would be lost"
            raise OSError(mismatch(str(self.path), "the log and its head", found))
        if (there.st_dev, there.st_ino) != self._file:
            log = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            os.close(self._log)
            self._use(log)
        if there.st_size != self._size:  # another process wrote, or _take_back failed
            self._take_up()

    def _use(self, log: int) -> None:
        """Use a file as the present segment."""
        found = os.fstat(log)
        self._log, self._file, self._size = log, (found.st_dev, found.st_ino), -1

    def _close_segment(self) -> None:
        """Close the segment and begin the next one. The log has its name at any time.

        When that fails, lines are added to the present segment.
        """
        lines, last = self._end
        aside = self.path.with_name(f".{self.path.name}.next")
        try:
            closed = segment_path(self.path, first_line(self._log)["n"])
            new = os.open(aside, FLAGS | os.O_APPEND | os.O_TRUNC, 0o600)
        except OSError as error:
            log.error("%s: the segment stays open: %s", self.path, error)
            return
        old, self._log = self._log, new
        try:
            self._begin_segment(lines, last, write_head=False)
            if not closed.exists():  # else a crash came after this step
                os.link(self.path, closed)
            if not os.path.samestat(closed.stat(), os.fstat(old)):
                raise FileExistsError(mismatch(str(closed), "no file", "a file"))
            aside.replace(self.path)
        except OSError as error:
            self._log = old
            os.close(new)
            log.error("%s: the segment stays open: %s", self.path, error)
            return
        with suppress(OSError):
            os.fchmod(old, 0o400)
        os.close(old)
        self._use(new)
        self._take_up()

    def _begin_segment(self, lines: int, last: str, *, write_head: bool = True) -> None:
        """Write the first line of a segment that continues another one."""
        begun = {"n": lines + 1, "time": _now(), CONTINUES: last}
        text, digest = hashed_line(begun, last)
        if os.write(self._log, text) != len(text):
            raise OSError(mismatch(str(self.path), "complete lines", "a line cut off by the disk"))
        if write_head:
            self._write_head(lines + 1, digest)
            self._size, self._end = len(text), (lines + 1, digest)

    def _take_back(self) -> None:
        """Restore log and head to their state before an incomplete write.

        If that fails too, the log is longer than recorded, and the next writer re-reads its end.
        """
        with suppress(OSError):
            os.ftruncate(self._log, self._size)
            self._write_head(*self._end)

    def _write_head(self, lines: int, digest: str) -> None:
        if os.pwrite(self._head, f"{lines:020} {digest}\n".encode(), 0) != HEAD_SIZE:
            raise OSError(
                mismatch(str(head_path(self.path)), "a complete head", "one cut off by the disk")
            )

    def _take_up(self) -> None:
        """Find the end of the log. After a crash the head may be behind by one batch of lines."""
        size = os.fstat(self._log).st_size
        head = os.pread(self._head, HEAD_SIZE, 0)
        if not size and not head:
            self._write_head(0, START)
            self._size, self._end = 0, (0, START)
            return
        whole = self._cut_torn_line(size)
        lines, last = read_head(head)
        if not whole and (lines, last) in ends_of_segments(self.path):
            self._begin_segment(lines, last)  # somebody else closed the segment
            return
        since = lines_from(self._log, whole, lines)
        begins_here = bool(since) and since[0].get(CONTINUES) == last
        if lines and not begins_here:
            if not since:
                raise InputError(self.path, "log", f"{lines} lines, as in its head", "fewer lines")
            named = since.pop(0)
            if (named["n"], named["hash"]) != (lines, last):
                raise InputError(
                    self.path, f"line {lines}", "the number and hash of the log's head", "others"
                )
        self._size, self._end = whole, self._check_unheaded(since, lines, last)

    def _check_unheaded(
        self, since: list[dict[str, Any]], lines: int, last: str
    ) -> tuple[int, str]:
        """Check the lines written before a crash and not yet in the head. Write the head."""
        for line in since:
            lines, last = lines + 1, digest_of(line, last)
            if (line["n"], line["hash"]) != (lines, last):
                raise InputError(
                    self.path, f"line {lines}", "the line as it was written", "a changed line"
                )
        if since:
            self._write_head(lines, last)
        return lines, last

    def _cut_torn_line(self, size: int) -> int:
        """Remove a line left incomplete by a crash or a full disk. No answer was sent for it."""
        step, at = 1 << 16, size
        while at > 0:
            start = max(0, at - step)
            found = os.pread(self._log, at - start, start).rfind(b"\n")
            if found >= 0:
                at = start + found + 1
                break
            at = start
        if at < size:
            os.ftruncate(self._log, at)
        return at

    def _alone(self, work: Callable[[], None]) -> None:
        with self._lock:
            fcntl.flock(self._head, fcntl.LOCK_EX)
            try:
                work()
            finally:
                fcntl.flock(self._head, fcntl.LOCK_UN)


def _now() -> float:
    """The seconds since 1970, to the microsecond. To round a float takes ten times as long."""
    return time.time_ns() // 1000 / 1e6


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        path, "file", "a writable audit log", f"a file that cannot be used ({cause(error)})"
    )
