"""Responses with data: bytes of known length, of which a range may be requested, and streams."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rehearsal.errors import mismatch
from rehearsal.node.htsget.region_slicing import CHUNK, FileSlice

MEDIA_TYPE = "application/octet-stream"
RANGES = {"accept-ranges": "bytes"}
_BYTES = re.compile(r"bytes=([0-9]*)-([0-9]*)")


async def stream(request: Request, make: Callable[[], Iterator[bytes]]) -> Response:
    """Send bytes whose number is not known in advance.

    The first piece is made before the response begins. A file that is damaged from the start
    therefore gives an error response; damage further on closes the connection. For a range, the
    bytes are made twice: first to count them.

    Args:
        request: The request. A HEAD request gets no body.
        make: Makes the bytes, piece by piece; the same each time.

    Returns:
        The response.

    Raises:
        HTTPException: The request is HTTP/1.0, which has no such streams (505; RFC 9112, section
            6.1).
    """
    if request.scope.get("http_version") == "1.0":
        raise HTTPException(505, "A stream of unknown length needs HTTP/1.1.")
    if request.method == "HEAD":
        return StreamingResponse((), headers=RANGES, media_type=MEDIA_TYPE)
    if _BYTES.fullmatch(request.headers.get("range", "").strip()):
        return await _range_of_stream(request, make)
    pieces = make()
    first = await run_in_threadpool(next, pieces, b"")
    return StreamingResponse(chain((first,), pieces), headers=RANGES, media_type=MEDIA_TYPE)


async def _range_of_stream(request: Request, make: Callable[[], Iterator[bytes]]) -> Response:
    total = await run_in_threadpool(lambda: sum(map(len, make())))
    answer = _range_of(request, total)
    if answer.is_empty:
        return Response(status_code=answer.status, headers=answer.headers, media_type=MEDIA_TYPE)
    pieces = _cut(make(), answer.first, answer.last)
    return StreamingResponse(pieces, answer.status, answer.headers, MEDIA_TYPE)


def whole_or_range(
    request: Request, parts: Sequence[bytes | FileSlice], file: BinaryIO | None = None
) -> Response:
    """Send parts one after the other, or the requested range of them (RFC 9110).

    A request for several ranges, or for something other than a range of bytes, gets everything, as
    the RFC allows.

    Args:
        request: The request.
        parts: Bytes, and slices of ``file``.
        file: The file of the slices. It is closed at the end.

    Returns:
        The response: 200, 206, or 416 for a range outside the parts.
    """
    answer = _range_of(request, sum(map(len, parts)))
    if request.method == "HEAD" or answer.is_empty:
        if file is not None:
            file.close()
        return Response(status_code=answer.status, headers=answer.headers, media_type=MEDIA_TYPE)
    pieces = _pieces(parts, answer.first, answer.last, file)
    return StreamingResponse(pieces, answer.status, answer.headers, MEDIA_TYPE)


@dataclass(frozen=True, slots=True)
class _Range:
    """The bytes ``[first, last)`` that a request gets, with status and headers."""

    first: int
    last: int
    status: int
    headers: dict[str, str]

    @property
    def is_empty(self) -> bool:
        return self.first >= self.last


def _range_of(request: Request, total: int) -> _Range:
    """Decide what a request gets of a number of bytes."""
    first, last = 0, total
    status, headers = 200, dict(RANGES)
    wanted = _read_range(request.headers.get("range", ""), total)
    if wanted is not None:
        first, last = wanted
        status = 206 if first < last else 416
        shown = f"{first}-{last - 1}" if first < last else "*"
        headers["content-range"] = f"bytes {shown}/{total}"
    headers["content-length"] = str(last - first)
    return _Range(first, last, status, headers)


def _cut(pieces: Iterator[bytes], first: int, last: int) -> Iterator[bytes]:
    """Yield bytes ``[first, last)`` of pieces."""
    at = 0
    for piece in pieces:
        begin, end = max(first - at, 0), min(last - at, len(piece))
        if begin < end:
            yield piece[begin:end]
        at += len(piece)
        if at >= last:
            return


def _read_range(text: str, total: int) -> tuple[int, int] | None:
    """Read the header Range as ``[first, last)``; empty when no byte of it exists."""
    match = _BYTES.fullmatch(text.strip())
    if not match or len(text) > 60:
        return None
    if match[1]:
        return _range_from(int(match[1]), match[2], total)
    if match[2]:
        return max(0, total - int(match[2])), total
    return None


def _range_from(first: int, last: str, total: int) -> tuple[int, int] | None:
    """Compute the range from ``first`` to ``last`` inclusive; an empty ``last`` means the end."""
    if last and int(last) < first:
        return None  # not a range in the grammar of the RFC
    end = min(int(last) + 1, total) if last else total
    return (first, end) if first < total else (total, total)


def _pieces(
    parts: Sequence[bytes | FileSlice], first: int, last: int, file: BinaryIO | None
) -> Iterator[bytes]:
    """Yield bytes ``[first, last)`` of the parts in chunks."""
    with closing(file) if file is not None else nullcontext():
        at = 0  # first byte of the part
        for part in parts:
            begin, end = max(first - at, 0), min(last - at, len(part))
            at += len(part)
            if begin >= end:
                continue
            if isinstance(part, FileSlice):
                yield from _read(part.file, part.begin + begin, part.begin + end)
            else:
                yield part[begin:end]


def _read(file: BinaryIO, begin: int, end: int) -> Iterator[bytes]:
    """Yield bytes ``[begin, end)`` of a file in chunks."""
    file.seek(begin)
    while begin < end:
        chunk = file.read(min(CHUNK, end - begin))
        if not chunk:
            raise EOFError(mismatch("genomes", f"{end} bytes", f"{begin} bytes"))
        begin += len(chunk)
        yield chunk
