"""The node's audit log: one line per decision, chained by hashes.

A line is JSON: ``n`` (1, 2, ...), ``time``, the decision, and ``hash``: the SHA-256 of the previous
line's hash followed by this line without its own hash. The file ``.head`` beside the log holds the
number of lines and the last hash. Changing, removing or reordering lines breaks the chain. Cutting
lines off the end contradicts the head. Somebody who can write both files can write a new chain. To
detect that, note the head elsewhere (``rehearsal audit verify`` prints it).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from rehearsal.errors import InputError, cause, mismatch, shown, unreadable_file

FILE_NAME = "audit.jsonl"
START = "0" * 64  # the hash before the first line
HEAD_SIZE = 20 + 1 + 64 + 1  # "00000000000000000012 hash\n"
HASH_KEY = b',"hash":"'


class AuditFailed(Exception):  # noqa: N818 - the answer is refused with it
    """A decision could not be logged, so it must not be carried out."""


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """A complete, unbroken chain of log lines."""

    lines: int  # number of lines
    head: str  # hash of the last line, in hexadecimal


class AuditLog:
    """An append-only log, safe for several processes at a time.

    A line has been handed to the operating system before :meth:`append` returns, so it survives the
    process. A power cut may lose the last seconds. The head then reveals the loss.

    Args:
        path: The log file. It and its folder are created when missing.

    Raises:
        InputError: The file cannot be written, or the end of the log is damaged.
    """

    def __init__(self, path: Path | str) -> None:
        """Open the log or create it.

        Args:
            path: The log file.

        Raises:
            InputError: The file cannot be written, or the end of the log is damaged.
        """
        self.path = Path(path)
        self._lock = threading.Lock()
        self._size, self._end = 0, (0, START)  # of the log: bytes; lines and the last hash
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._log = os.open(self.path, flags | os.O_APPEND, 0o600)
            self._head = os.open(head_path(self.path), flags, 0o600)
        except OSError as error:
            raise _unwritable(self.path, error) from None
        try:
            with self._alone():
                self._take_up()
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
            with self._alone():
                self._append(decisions)
        except (OSError, InputError) as error:
            raise AuditFailed(str(error)) from error

    def _append(self, decisions: Iterable[Mapping[str, Any]]) -> None:
        log = os.fstat(self._log)
        if 0 in (log.st_nlink, os.fstat(self._head).st_nlink):
            raise OSError(
                mismatch(
                    str(self.path), "the log and its head", "a removed file: lines would be lost"
                )
            )
        if log.st_size != self._size:  # another process wrote, or _take_back failed
            self._take_up()
        lines, last = self._end
        now, texts = round(time.time(), 6), []
        for decision in decisions:
            lines += 1
            text, last = _hashed_line({"n": lines, "time": now, **decision}, last)
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
        lines, last = _read_head(head)
        since = _lines_from(self._log, whole, lines)
        if lines:
            if not since:
                raise InputError(self.path, "log", f"{lines} lines, as in its head", "fewer lines")
            named = since.pop(0)
            if (named["n"], named["hash"]) != (lines, last):
                raise InputError(
                    self.path, f"line {lines}", "the number and hash of the log's head", "others"
                )
        for line in since:  # written before the crash, but not yet in the head
            lines, last = lines + 1, _digest_of(line, last)
            if (line["n"], line["hash"]) != (lines, last):
                raise InputError(
                    self.path, f"line {lines}", "the line as it was written", "a changed line"
                )
        if since:
            self._write_head(lines, last)
        self._size, self._end = whole, (lines, last)

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

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._lock:
            fcntl.flock(self._head, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._head, fcntl.LOCK_UN)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        path, "file", "a writable audit log", f"a file that cannot be used ({cause(error)})"
    )


def head_path(log: Path) -> Path:
    """Return the path of a log's head file.

    Args:
        log: The log file.

    Returns:
        The same path with ``.head`` appended.
    """
    return log.with_name(f"{log.name}.head")


def verify_log(path: Path | str, expected_head: str | None = None) -> VerifiedChain:
    """Verify a whole log, line by line, against its head.

    Args:
        path: The log file.
        expected_head: A hash noted earlier elsewhere, which some line must have.

    Returns:
        The number of lines and the last hash.

    Raises:
        InputError: Names the first line that is changed, missing or out of order, or says how many
            lines are missing at the end.
    """
    path = Path(path)
    try:
        with path.open("rb") as log:
            head, size = _as_of_now(path, log)
            lines, last, seen = _walk(path, _until(size, log), expected_head)
    except OSError as error:
        raise InputError(
            path, "file", "an audit log and its head", unreadable_file(error)
        ) from None
    try:
        known, known_hash = _read_head(head)
    except OSError:
        raise InputError(
            head_path(path), "head", "a line count and a hash", "damaged content"
        ) from None
    if known > lines:
        raise InputError(
            path,
            f"line {lines + 1}",
            f"{known - lines} more lines, as counted in the head",
            "the end of the file: the log was cut short",
        )
    if known < lines:
        raise InputError(
            path,
            f"line {known + 1}",
            f"the end of the log, as its head counts {known} lines",
            f"{lines - known} more lines",
        )
    if known_hash != last:
        raise InputError(path, f"line {lines}", "the hash of the log's head", "another hash")
    if not seen:
        raise InputError(path, "head", f"a line with the hash {expected_head}", "no such line")
    return VerifiedChain(lines, last)


def collect_logs(nodes: Mapping[str, Path], folder: Path) -> dict[str, dict[str, Any]]:
    """Verify the log in each node's folder and copy it with its head.

    Args:
        nodes: Node folders by country code.
        folder: Destination of ``{country}.jsonl`` and its head. Created when missing.

    Returns:
        ``lines`` and ``head`` of each chain, by country code.

    Raises:
        InputError: A log is incomplete or was changed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for country, node in nodes.items():
        found[country] = asdict(verify_log(node / FILE_NAME))
        copy = folder / f"{country}.jsonl"
        shutil.copy(node / FILE_NAME, copy)
        shutil.copy(head_path(node / FILE_NAME), head_path(copy))
    return found


def _as_of_now(path: Path, log: BinaryIO) -> tuple[bytes, int]:
    """Read the head and the log's length between two writes of a node that may be serving."""
    with head_path(path).open("rb") as head:
        fcntl.flock(head, fcntl.LOCK_SH)  # ends with the file
        return head.read(), os.fstat(log.fileno()).st_size


def _until(size: int, log: BinaryIO) -> Iterator[bytes]:
    """Yield the lines in the first ``size`` bytes."""
    at = 0
    while at < size and (text := log.readline()):
        at += len(text)
        yield text


def _walk(path: Path, log: Iterable[bytes], expected_head: str | None) -> tuple[int, str, bool]:
    last, number = START, 0
    seen = expected_head in (None, START)
    for number, text in enumerate(log, start=1):
        where = f"line {number}"
        try:
            line = orjson.loads(text)
            stated = line["hash"], line["n"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise InputError(path, where, "a complete line of an audit log", "other text") from None
        if stated[1] != number:
            found = f"number {shown(stated[1])}: a line is missing or was moved"
            raise InputError(path, where, f"number {number}", found)
        if _hashed_line({key: one for key, one in line.items() if key != "hash"}, last)[0] != text:
            raise InputError(path, where, "the line as it was written", "a changed line")
        last = stated[0]
        seen = seen or last == expected_head
    return number, last, seen


def _hashed_line(line: Mapping[str, Any], before: str) -> tuple[bytes, str]:
    """Return the line as written in the log, and its hash."""
    text = orjson.dumps(line)
    digest = hashlib.sha256(before.encode() + text).hexdigest()
    return text[:-1] + HASH_KEY + digest.encode() + b'"}\n', digest


def _digest_of(line: Mapping[str, Any], before: str) -> str:
    return _hashed_line({key: one for key, one in line.items() if key != "hash"}, before)[1]


def _lines_from(log: int, size: int, number: int) -> list[dict[str, Any]]:
    """Return the last lines of a log, from the one with this number on.

    The log must end with a complete line. Raises InputError for text that is not a log line.
    """
    step = 1 << 14
    while True:
        start = max(0, size - step)
        texts = os.pread(log, size - start, start).splitlines()
        lines = [_read_line(text) for text in (texts if start == 0 else texts[1:])]
        if start == 0 or (lines and lines[0]["n"] <= number):
            return [line for line in lines if line["n"] >= number]
        step *= 2


def _read_line(text: bytes) -> dict[str, Any]:
    try:
        line = orjson.loads(text)
        if isinstance(line["n"], int) and isinstance(line["hash"], str):
            return line
    except (orjson.JSONDecodeError, KeyError, TypeError):
        pass
    raise InputError(FILE_NAME, "last lines", "lines of an audit log", "other text")


def _read_head(content: bytes) -> tuple[int, str]:
    """Return the line count and the last hash. Raises OSError for a damaged head."""
    count, _, digest = content.rstrip(b"\n").partition(b" ")
    if len(content) != HEAD_SIZE or not count.isdigit() or len(digest) != 64:
        raise OSError(mismatch("head of the audit log", "a line count and a hash", "other content"))
    return int(count), digest.decode()
