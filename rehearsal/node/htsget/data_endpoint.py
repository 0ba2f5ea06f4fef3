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

from rehearsal.node.htsget.region_slicing import CHUNK, Slice

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
    request: Request, file: BinaryIO | None, parts: Sequence[bytes | Slice]
) -> Response:
    """The parts one after the other, or the range of them that is asked for (RFC 9110).

    Slices are of ``file``, which is closed at the end. Several ranges, and what is not a range of
    bytes, get everything, as the RFC allows.
    """
    total = sum(map(_length, parts))
    first, last = 0, total
    status, headers = 200, {"accept-ranges": "bytes"}
    wanted = _range(request.headers.get("range", ""), total)
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
    pieces = _pieces(file, parts, first, last)
    return StreamingResponse(pieces, status, headers, MEDIA_TYPE)


def _range(text: str, total: int) -> tuple[int, int] | None:
    """``[first, last)`` of a header Range; an empty one when it cannot be satisfied."""
    match = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", text.strip())
    if not match or not (match[1] or match[2]) or len(text) > 60:
        return None
    if not match[1]:
        return max(0, total - int(match[2])), total if int(match[2]) else 0
    first = int(match[1])
    last = int(match[2]) + 1 if match[2] else total
    if last <= first and match[2]:
        return None  # not a range by the RFC's grammar
    return (first, min(last, total)) if first < total else (total, total)


def _length(part: bytes | Slice) -> int:
    return len(part) if isinstance(part, bytes) else part[1] - part[0]


def _pieces(
    file: BinaryIO | None, parts: Sequence[bytes | Slice], first: int, last: int
) -> Iterator[bytes]:
    """Bytes ``[first, last)`` of the parts, a chunk at a time."""
    with closing(file) if file is not None else nullcontext():
        at = 0  # where the part begins
        for part in parts:
            begin, end = max(first - at, 0), min(last - at, _length(part))
            at += _length(part)
            if begin >= end:
                continue
            if isinstance(part, bytes):
                yield part[begin:end]
            else:
                yield from read_slice(file, part[0] + begin, part[0] + end)


def read_slice(file: BinaryIO, begin: int, end: int) -> Iterator[bytes]:
    """Bytes ``[begin, end)`` of a file, a chunk at a time."""
    file.seek(begin)
    while begin < end:
        chunk = file.read(min(CHUNK, end - begin))
        if not chunk:
            raise EOFError(f"the file ended at {begin} instead of {end}")
        begin += len(chunk)
        yield chunk
