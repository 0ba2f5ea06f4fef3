"""The node's audit log: a line for every decision, each bound to the line before by its hash.

A line is JSON: ``n`` (1, 2, ...), ``time``, what was decided, and ``hash``: SHA-256 over the hash
of the line before and this line without its hash. Beside the log lies its head (``.head``): how
many lines there are, and the last hash. Who changes, removes or reorders lines breaks the chain;
who cuts lines off the end leaves a head that knows better. Who can write both can write a new
chain: note the head elsewhere (``rehearsal audit verify`` prints it) to be safe from its owner.
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

from rehearsal.errors import InputError

FILE_NAME = "audit.jsonl"
START = "0" * 64  # stands for the line before the first
HEAD_SIZE = 20 + 1 + 64 + 1  # "00000000000000000012 hash\n"
HASH_KEY = b',"hash":"'


class AuditFailed(Exception):  # noqa: N818 - the answer is refused with it
    """A decision could not be written down: it must not be carried out."""


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """A whole chain: its length and last hash."""

    lines: int
    head: str


class AuditLog:
    """Appends to a log; several processes may at a time. A line is written before this returns.

    Written is: handed to the system, so that it survives the process. A power cut may lose the
    last seconds, which the head then shows.
    """

    def __init__(self, path: Path | str) -> None:
        """Opens the log, or begins it. Raises InputError when it cannot be written or is broken
        at its end."""
        self.path = Path(path)
        self._lock = threading.Lock()
        self._size, self._end = 0, (0, START)  # of the log: bytes; lines and the last hash
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._log = os.open(self.path, flags | os.O_APPEND, 0o600)
            self._head = os.open(head_path(self.path), flags, 0o600)
        except OSError as error:
            raise InputError(self.path, "file", f"a log that can be written ({error})") from None
        try:
            with self._alone():
                self._take_up()
        except OSError as error:
            raise InputError(self.path, "file", f"a log that can be written ({error})") from None

    def close(self) -> None:
        os.close(self._log)
        os.close(self._head)

    def append(self, *decisions: Mapping[str, Any]) -> None:
        """Write decisions, each a line of its own. Raises AuditFailed when they cannot all be
        written whole; then none of them is."""
        try:
            with self._alone():
                self._append(decisions)
        except (OSError, InputError) as error:
            raise AuditFailed(str(error)) from error

    def _append(self, decisions: Iterable[Mapping[str, Any]]) -> None:
        log = os.fstat(self._log)
        if 0 in (log.st_nlink, os.fstat(self._head).st_nlink):
            raise OSError("the log was removed: what is written to it is lost")
        if log.st_size != self._size:  # another process wrote, or we could not take back
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
                raise OSError("the line could not be written whole")
            self._write_head(lines, last)
        except OSError:
            self._take_back()
            raise
        self._size, self._end = self._size + len(whole), (lines, last)

    def _take_back(self) -> None:
        """Leave log and head as they were before what could not be written whole. Where that
        fails too, the log is longer than it should be, and the next to write takes it up."""
        with suppress(OSError):
            os.ftruncate(self._log, self._size)
            self._write_head(*self._end)

    def _write_head(self, lines: int, digest: str) -> None:
        if os.pwrite(self._head, f"{lines:020} {digest}\n".encode(), 0) != HEAD_SIZE:
            raise OSError("the head of the log could not be written whole")

    def _take_up(self) -> None:
        """Go on where the log ends: after a crash the head may be behind by what was written at
        once."""
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
                raise InputError(self.path, "log", f"{lines} lines, as its head says")
            named = since.pop(0)
            if (named["n"], named["hash"]) != (lines, last):
                raise InputError(self.path, "log", "the last line that its head names")
        for line in since:  # the crash came between these and the head
            lines, last = lines + 1, _digest_of(line, last)
            if (line["n"], line["hash"]) != (lines, last):
                raise InputError(self.path, "log", f"line {lines} as it was written")
        if since:
            self._write_head(lines, last)
        self._size, self._end = whole, (lines, last)

    def _cut_torn_line(self, size: int) -> int:
        """Take off a line that a crash or a full disk left unfinished: no answer went out on it."""
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


def head_path(log: Path) -> Path:
    """Where a log's head lies."""
    return log.with_name(f"{log.name}.head")


def verify_log(path: Path | str, expected_head: str | None = None) -> VerifiedChain:
    """Walk the whole chain. ``expected_head``: a last hash that was noted elsewhere.

    Raises InputError that names the first line that is changed, missing or out of order, or says
    how many are missing at the end.
    """
    path = Path(path)
    try:
        with path.open("rb") as log:
            head, size = _as_of_now(path, log)
            lines, last, seen = _walk(path, _until(size, log), expected_head)
    except OSError as error:
        raise InputError(path, "file", f"an audit log with its head ({error})") from None
    try:
        known, known_hash = _read_head(head)
    except OSError:
        raise InputError(head_path(path), "head", "a count and a hash") from None
    if known > lines:
        raise InputError(path, f"line {lines + 1}", f"{known - lines} more: the log was cut short")
    if (known, known_hash) != (lines, last):
        raise InputError(path, f"line {known + 1}", f"the end of the log: its head knows {known}")
    if not seen:
        raise InputError(path, "head", f"a line with the hash {expected_head}")
    return VerifiedChain(lines, last)


def collect_logs(nodes: Mapping[str, Path], folder: Path) -> dict[str, dict[str, Any]]:
    """Verify the log in each node's folder and copy it, with its head, to ``folder`` by country.

    Returns lines and head of each chain by country. Raises InputError for a log that is not whole.
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
    """The head and the length of its log, between two writes of a node that may be serving."""
    with head_path(path).open("rb") as head:
        fcntl.flock(head, fcntl.LOCK_SH)  # ends with the file
        return head.read(), os.fstat(log.fileno()).st_size


def _until(size: int, log: BinaryIO) -> Iterator[bytes]:
    """The lines in the first ``size`` bytes."""
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
            raise InputError(path, where, "a whole line of an audit log") from None
        if stated[1] != number:
            raise InputError(path, where, f"number {number}, not {stated[1]}: missing or moved")
        if _hashed_line({key: one for key, one in line.items() if key != "hash"}, last)[0] != text:
            raise InputError(path, where, "the line that was written, after the line before it")
        last = stated[0]
        seen = seen or last == expected_head
    return number, last, seen


def _hashed_line(line: Mapping[str, Any], before: str) -> tuple[bytes, str]:
    """The line as it stands in the log, and its hash."""
    text = orjson.dumps(line)
    digest = hashlib.sha256(before.encode() + text).hexdigest()
    return text[:-1] + HASH_KEY + digest.encode() + b'"}\n', digest


def _digest_of(line: Mapping[str, Any], before: str) -> str:
    return _hashed_line({key: one for key, one in line.items() if key != "hash"}, before)[1]


def _lines_from(log: int, size: int, number: int) -> list[dict[str, Any]]:
    """The last lines of a log whose every line is whole, from the one with this number on.

    Raises InputError for anything that is no line.
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
    raise InputError(FILE_NAME, "last line", "a line of an audit log")


def _read_head(content: bytes) -> tuple[int, str]:
    """(lines, last hash). Raises OSError for what is no head."""
    count, _, digest = content.rstrip(b"\n").partition(b" ")
    if len(content) != HEAD_SIZE or not count.isdigit() or len(digest) != 64:
        raise OSError("the head of the log is damaged")
    return int(count), digest.decode()
