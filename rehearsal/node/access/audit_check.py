"""Verifies audit logs (:mod:`rehearsal.node.access.audit_log`) over all their segments."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from rehearsal.errors import InputError, shown, unreadable_file
from rehearsal.node.access.audit_segments import (
    CONTINUES,
    FILE_NAME,
    START,
    closed_segments,
    ends_of_segments,
    first_line,
    hashed_line,
    head_path,
    read_head,
)

# names of closed segments: by this program, and by others that rotate logs
CLOSED = re.compile(r".*(?:-\d{12}\.[^.]+|\.jsonl[.-].+)")


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """An unbroken chain of log lines."""

    lines: int  # number of the last line
    head: str  # hash of the last line, in hexadecimal
    first: int = 1  # number of the first line that was verified
    before: str = START  # hash of the line before it
    segments: tuple[Path, ...] = ()  # the files, the oldest first


def verify_log(path: Path | str, expected_head: str | None = None) -> VerifiedChain:
    """Verify a log line by line: all its segments that are in its folder, against its head.

    The oldest segments may be elsewhere. Then the chain is verified from the first line that is
    here, which states the hash of the line before it. A closed segment can be verified alone.

    Args:
        path: The log file, or a closed segment.
        expected_head: A hash noted earlier elsewhere, which some line must have.

    Returns:
        The lines that were verified.

    Raises:
        InputError: Names the first line that is changed, missing or out of order, or says how many
            lines are missing at the end.
    """
    path = Path(path)
    is_closed = CLOSED.fullmatch(path.name) is not None and not head_path(path).exists()
    end: tuple[int, str] | None = None
    log: BinaryIO
    try:
        if is_closed:
            log = path.open("rb")
            size = os.fstat(log.fileno()).st_size
        else:
            end, size, log = _as_of_now(path)
        with log:
            older, first, before = _segments(path, log, size, end)
            chain = _Chain(first, before, expected_head)
            for segment in older:
                with segment.open("rb") as file:
                    chain.walk(segment, file)
            chain.walk(path, _until(size, log))
    except OSError as error:
        raise InputError(
            path, "file", "an audit log and its head", unreadable_file(error)
        ) from None
    if end is not None:
        _compare_with_head(path, chain, *end)
    if not chain.seen:
        raise InputError(path, "head", f"a line with the hash {expected_head}", "no such line")
    return VerifiedChain(chain.number, chain.last, first, before, (*older, path))


def _segments(
    path: Path, log: BinaryIO, size: int, end: tuple[int, str] | None
) -> tuple[list[Path], int, str]:
    """Find the segments before a file.

    Returns them, the oldest first, with the number of the first line and the hash before it.
    Raises InputError when one is missing between others.
    """
    number, before = _beginning(log, size, end)
    older: list[Path] = []
    if end is None:  # a closed segment alone
        return older, number, before
    ends = ends_of_segments(path)
    while number > 1 and (segment := ends.get((number - 1, before))) is not None:
        older.insert(0, segment)
        with segment.open("rb") as file:
            number, before = _beginning(file, 1, None)
    if size == 0 and not older:  # the head tells how many lines were there
        return older, 1, START
    if number > 1:
        for other in set(closed_segments(path)) - set(older):
            with other.open("rb") as file:
                _refuse_gap(other, file, number)
    return older, number, before


def _refuse_gap(path: Path, file: BinaryIO, number: int) -> None:
    """Raise InputError for a segment that is older than the first line of the chain."""
    try:
        found = first_line(file.fileno())["n"]
    except OSError:  # other text
        return
    if found < number:
        expected = "the segment that ends with this line"
        raise InputError(
            path.parent,
            f"line {number - 1}",
            expected,
            f"none, but {path.name} with line {found}: a segment is missing or was changed",
        )


def _beginning(log: BinaryIO, size: int, end: tuple[int, str] | None) -> tuple[int, str]:
    """Return the number of the first line of a segment, and the hash of the line before it."""
    if size == 0:
        return (1, START) if end is None else (end[0] + 1, end[1])
    try:
        line = first_line(log.fileno())
    except OSError:
        return 1, START  # the walk names the line
    continued = line.get(CONTINUES)
    return (line["n"], continued) if isinstance(continued, str) else (1, START)


class _Chain:
    """Walks along the lines of a log.

    Args:
        first: Number of the first line.
        before: Hash of the line before it.
        expected_head: A hash that some line must have, or None.
    """

    def __init__(self, first: int, before: str, expected_head: str | None) -> None:
        self.number, self.last = first - 1, before
        self._expected = expected_head
        self.seen = expected_head in (None, START, before)

    def walk(self, path: Path, lines: Iterable[bytes]) -> None:
        """Verify the lines of one file. Raises InputError."""
        for text in lines:
            number = self.number + 1
            where = f"line {number}"
            try:
                line = orjson.loads(text)
                stated = line["hash"], line["n"]
            except (orjson.JSONDecodeError, KeyError, TypeError):
                expected = "a complete line of an audit log"
                raise InputError(path, where, expected, "other text") from None
            if stated[1] != number:
                found = f"number {shown(stated[1])}: a line is missing or was moved"
                raise InputError(path, where, f"number {number}", found)
            content = {key: one for key, one in line.items() if key != "hash"}
            if hashed_line(content, self.last)[0] != text:
                raise InputError(path, where, "the line as it was written", "a changed line")
            self.number, self.last = number, stated[0]
            self.seen = self.seen or self.last == self._expected


def _compare_with_head(path: Path, chain: _Chain, known: int, known_hash: str) -> None:
    """Compare a verified chain with the head of the log. Raises InputError."""
    lines = chain.number
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
    if known_hash != chain.last:
        raise InputError(path, f"line {lines}", "the hash of the log's head", "another hash")


def collect_logs(nodes: Mapping[str, Path], folder: Path) -> dict[str, dict[str, Any]]:
    """Verify the log in each node's folder and copy it with its segments and its head.

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
        verified = verify_log(node / FILE_NAME)
        found[country] = {"lines": verified.lines, "head": verified.head}
        stem = Path(FILE_NAME).stem
        for path in (*verified.segments, head_path(node / FILE_NAME)):
            shutil.copyfile(path, folder / f"{country}{path.name.removeprefix(stem)}")
    return found


def _as_of_now(path: Path) -> tuple[tuple[int, str], int, BinaryIO]:
    """Open a log between two writes of a node that may be serving.

    Returns the content of its head, its length, and the file. Raises InputError and OSError.
    """
    with head_path(path).open("rb") as head:
        fcntl.flock(head, fcntl.LOCK_SH)  # ends with the file
        log = path.open("rb")
        content, size = head.read(), os.fstat(log.fileno()).st_size
    try:
        return read_head(content), size, log
    except OSError:
        log.close()
        expected, found = "a line count and a hash", "damaged content"
        raise InputError(head_path(path), "head", expected, found) from None


def _until(size: int, log: BinaryIO) -> Iterator[bytes]:
    """Yield the lines in the first ``size`` bytes."""
    log.seek(0)
    at = 0
    while at < size and (text := log.readline()):
        at += len(text)
        yield text
