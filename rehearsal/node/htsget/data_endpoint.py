"""Data blocks: bytes of known length, of which a client may ask a range, and streams."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from itertools import chain
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rehearsal.node.htsget.region_slicing import CHUNK, FileSlice

MEDIA_TYPE = "application/octet-stream"


async def stream(request: Request, pieces: Iterator[bytes]) -> Response:
    """Bytes whose number is not known before they are made.

    The first piece is made before the answer begins, so that what is wrong with a file from the
    start becomes an error; what is wrong further on breaks the connection off. HTTP/1.0 knows no
    such streams (RFC 9112, section 6.1): 505.
    """
    if request.scope.get("http_version") == "1.0":
        raise HTTPException(505, "a stream of unknown length needs HTTP/1.1")
    if request.method == "HEAD":
        return StreamingResponse((), media_type=MEDIA_TYPE)
    first = await run_in_threadpool(next, pieces, b"")
    return StreamingResponse(chain((first,), pieces), media_type=MEDIA_TYPE)


def whole_or_range(
    request: Request, parts: Sequence[bytes | FileSlice], file: BinaryIO | None = None
) -> Response:
    """The parts one after the other, or the range of them that is asked for (RFC 9110).

    ``file``, of which slices are, is closed at the end. Several ranges, and what is not a range
    of bytes, get everything, as the RFC allows.
    """
    total = sum(map(len, parts))
    first, last = 0, total
    status, headers = 200, {"accept-ranges": "bytes"}
    wanted = _read_range(request.headers.get("range", ""), total)
    if wanted is not None:
        first, last = wanted
        status = 206 if first < last else 416
        shown = f"{first}-{last - 1}" if first < last else "*"
        headers["content-range"] = f"bytes {shown}/{total}"
    headers["content-length"] = str(last - first)
    if request.method == "HEAD" or first >= last:
        if file is not None:
            file.close()
        return Response(status_code=status, headers=headers, media_type=MEDIA_TYPE)
    pieces = _pieces(parts, first, last, file)
    return StreamingResponse(pieces, status, headers, MEDIA_TYPE)


def _read_range(text: str, total: int) -> tuple[int, int] | None:
    """``[first, last)`` of a header Range; an empty one when it cannot be satisfied."""
    match = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", text.strip())
    if not match or len(text) > 60:
        return None
    if match[1]:
        return _range_from(int(match[1]), match[2], total)
    if match[2]:
        return max(0, total - int(match[2])), total
    return None


def _range_from(first: int, last: str, total: int) -> tuple[int, int] | None:
    """The range from a byte on, up to and with ``last``: the end of all bytes where it is empty."""
    if last and int(last) < first:
        return None  # not a range by the RFC's grammar
    end = min(int(last) + 1, total) if last else total
    return (first, end) if first < total else (total, total)


def _pieces(
    parts: Sequence[bytes | FileSlice], first: int, last: int, file: BinaryIO | None
) -> Iterator[bytes]:
    """Bytes ``[first, last)`` of the parts, a chunk at a time."""
    with closing(file) if file is not None else nullcontext():
        at = 0  # where the part begins
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
    """Bytes ``[begin, end)`` of a file, a chunk at a time."""
    file.seek(begin)
    while begin < end:
        chunk = file.read(min(CHUNK, end - begin))
        if not chunk:
            raise EOFError(f"the file ended at {begin} instead of {end}")
        begin += len(chunk)
        yield chunk
