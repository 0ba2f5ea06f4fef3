"""The lines and files of an audit log (:mod:`rehearsal.node.access.audit_log`)."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from rehearsal.errors import InputError, mismatch

FILE_NAME = "audit.jsonl"
SEGMENTS = "audit-"  # what the names of its closed segments begin with
START = "0" * 64  # the hash before the first line
HEAD_SIZE = 20 + 1 + 64 + 1  # "00000000000000000012 hash\n"
HASH_KEY = b',"hash":"'
CONTINUES = "continues"  # key of a segment's first line: the last hash of the segment before


def head_path(log: Path) -> Path:
    """Return the path of a log's head file.

    Args:
        log: The log file.

    Returns:
        The same path with ``.head`` appended.
    """
    return log.with_name(f"{log.name}.head")


def segment_path(log: Path, first: int) -> Path:
    """Return the path of a closed segment.

    Args:
        log: The log file.
        first: Number of the segment's first line.

    Returns:
        The log's path with the number in it: ``audit-000000000001.jsonl``.
    """
    return log.with_name(f"{log.stem}-{first:012}{log.suffix}")


def closed_segments(log: Path) -> list[Path]:
    """List the files beside a log that look like closed segments, whoever closed them.

    Args:
        log: The log file.

    Returns:
        Their paths: ``audit-*.jsonl``, ``audit.jsonl.*`` and ``audit.jsonl-*``.
    """
    places = (f"{log.stem}-*{log.suffix}", f"{log.name}.*", f"{log.name}-*")
    found = {path for place in places for path in log.parent.glob(place) if path.is_file()}
    return sorted(
        path for path in found - {head_path(log)} if not (log.exists() and path.samefile(log))
    )


def ends_of_segments(log: Path) -> dict[tuple[int, str], Path]:
    """Find number and hash of the last line of each closed segment.

    Args:
        log: The log file.

    Returns:
        The segments by their ends. Files that do not end with a line of a log are left out.
    """
    ends = {}
    for path in closed_segments(log):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            *_, line = lines_from(descriptor, os.fstat(descriptor).st_size, sys.maxsize, last=True)
            ends[line["n"], line["hash"]] = path
        except (InputError, ValueError):  # other text, or none
            continue
        finally:
            os.close(descriptor)
    return ends


def first_line(log: int) -> dict[str, Any]:
    """Read the first line of a segment.

    Args:
        log: Descriptor of the file.

    Returns:
        The line.

    Raises:
        OSError: The file does not begin with a line of a log.
    """
    step = 1 << 14
    while b"\n" not in (text := os.pread(log, step, 0)) and len(text) == step:
        step *= 2
    try:
        return _read_line(text.partition(b"\n")[0])
    except InputError as error:
        raise OSError(str(error)) from None


def hashed_line(line: Mapping[str, Any], before: str) -> tuple[bytes, str]:
    """Encode a line of a log.

    Args:
        line: The line without its hash.
        before: The hash of the line before it.

    Returns:
        The line as written in the log, and its hash.
    """
    text = orjson.dumps(line)
    digest = hashlib.sha256(before.encode() + text).hexdigest()
    return text[:-1] + HASH_KEY + digest.encode() + b'"}\n', digest


def digest_of(line: Mapping[str, Any], before: str) -> str:
    """Compute the hash that a line must have.

    Args:
        line: The line, with or without its hash.
        before: The hash of the line before it.
    """
    return hashed_line({key: one for key, one in line.items() if key != "hash"}, before)[1]


def lines_from(log: int, size: int, number: int, *, last: bool = False) -> list[dict[str, Any]]:
    """Read the last lines of a segment.

    Args:
        log: Descriptor of the file.
        size: Its size, at the end of a complete line.
        number: Number of the first line to read.
        last: Whether to read the very last line only.

    Returns:
        The lines.

    Raises:
        InputError: There is text that is not a line of a log.
    """
    step = 1 << 14
    while True:
        start = max(0, size - step)
        lines = _lines_of(os.pread(log, size - start, start), whole=start == 0)
        if last and lines:
            return lines[-1:]
        if start == 0 or (lines and lines[0]["n"] <= number):
            return [line for line in lines if line["n"] >= number]
        step *= 2


def _lines_of(text: bytes, *, whole: bool) -> list[dict[str, Any]]:
    """Read lines. The first one counts only if the text begins with a ``whole`` line."""
    texts = text.splitlines()
    return [_read_line(one) for one in (texts if whole else texts[1:])]


def _read_line(text: bytes) -> dict[str, Any]:
    try:
        line = orjson.loads(text)
        if isinstance(line["n"], int) and isinstance(line["hash"], str):
            return line
    except (orjson.JSONDecodeError, KeyError, TypeError):
        pass
    raise InputError(FILE_NAME, "last lines", "lines of an audit log", "other text")


def read_head(content: bytes) -> tuple[int, str]:
    """Read the head of a log.

    Args:
        content: Content of the head file.

    Returns:
        The line count and the last hash.

    Raises:
        OSError: The head is damaged.
    """
    count, _, digest = content.rstrip(b"\n").partition(b" ")
    if len(content) != HEAD_SIZE or not count.isdigit() or len(digest) != 64:
        raise OSError(mismatch("head of the audit log", "a line count and a hash", "other content"))
    return int(count), digest.decode()
