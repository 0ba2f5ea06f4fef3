"""Limits on what a request may send: its URL, its headers, its body.

They are checked before a request is answered, so that nothing later has to expect long input.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request

from rehearsal.errors import shown
from rehearsal.web.problem import Problem

MAX_URL = 8 * 1024  # bytes of path and query string together
MAX_STEPS = 16  # of a path
MAX_HEADERS = 100
MAX_HEADER = 8 * 1024  # bytes of the value of a header
MAX_TOKEN = 64 * 1024  # bytes of a token in the header Authorization
SCHEME = 16  # bytes before a token
MAX_BODY = 64 * 1024  # bytes; a long list of filters takes a few thousand
BODY_TIMEOUT_S = 10.0
WHOLE_KEY = "rehearsal.whole"  # in the scope: the whole body has arrived
MAX_NESTED = 32  # levels of lists and objects in JSON
MAX_NESTING = 1000  # lists and objects in JSON; the longest list of filters has 100

# the next bracket, behind anything else and behind whole texts
_BRACKET = re.compile(rb'(?:[^"\[{\]}]++|"(?:[^"\\]++|\\.)*+")*+([\[{\]}])', re.DOTALL)


def check_head(scope: Any) -> None:
    """Check the length of a request's URL and of its headers.

    Args:
        scope: The ASGI scope of the request.

    Raises:
        Problem: The URL is too long (414) or has too many steps (404), or there are too many or
            too long headers (431).
    """
    path: str = scope["path"]
    size = len(scope.get("raw_path") or path) + len(scope["query_string"])
    if size > MAX_URL:
        raise Problem.mismatch("the URL", f"at most {MAX_URL} bytes", f"{size} bytes", 414)
    if path.count("/") > MAX_STEPS:
        found = f"{path.count('/')} steps"
        raise Problem.mismatch("the path", f"at most {MAX_STEPS} steps", found, 404)
    headers = scope["headers"]
    if len(headers) > MAX_HEADERS:
        found = f"{len(headers)} headers"
        raise Problem.mismatch("the headers", f"at most {MAX_HEADERS} headers", found, 431)
    for name, value in headers:
        most = MAX_TOKEN + SCHEME if name == b"authorization" else MAX_HEADER
        if len(value) > most:
            expected, found = f"at most {most} bytes", f"{len(value)} bytes"
            where = shown(name.decode("latin-1")).strip("'")
            raise Problem.mismatch(where, expected, found, 431)


def has_body(request: Request) -> bool:
    """Tell whether the headers of a request announce a body.

    Args:
        request: The request.
    """
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0"))
        for name, value in request.scope["headers"]
    )


async def read_body(request: Request, most: int = MAX_BODY) -> bytes:
    """Read the body of a request.

    A body that says that it is too long is refused before it is read. The connection drops the
    rest of a body that is not read (:mod:`rehearsal.web.connections`).

    Args:
        request: The request.
        most: Most bytes.

    Returns:
        The whole body.

    Raises:
        Problem: The body is too long (413), too slow (408), compressed (415) or cut off (400).
    """
    stated = 0
    for name, value in request.scope["headers"]:
        if name == b"content-encoding" and value != b"identity":
            raise Problem.mismatch(
                "content-encoding", "no encoding", shown(value.decode("latin-1")), 415
            )
        if name == b"content-length" and value.isdigit():
            stated = int(value[:20])
    if stated > most:
        raise _too_long(most, f"{stated} bytes")
    if WHOLE_KEY in request.scope:  # as of most requests: a timer would cost more than the reading
        return await _whole_body(request.receive, most)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await _whole_body(request.receive, most)
    except TimeoutError:
        expected = f"the whole body within {BODY_TIMEOUT_S:g} s"
        raise Problem.mismatch("the body", expected, "only a part of it", 408) from None


async def _whole_body(receive: Callable[[], Awaitable[Any]], most: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem.mismatch("the body", "a whole body", "a closed connection", 400)
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise _too_long(most, "more")
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _too_long(most: int, found: str) -> Problem:
    return Problem.mismatch("the body", f"at most {most} bytes", found, 413)


def check_nesting(body: bytes, most: int = MAX_NESTING) -> None:
    """Check how many lists and objects JSON has, and how deep they are nested, before it is read.

    Brackets in texts count too: to tell them apart takes as long as to read the JSON.

    Args:
        body: The JSON, or anything else.
        most: Most lists and objects together.

    Raises:
        Problem: They are nested too deep, or there are too many (400).
    """
    openings = body.count(b"[") + body.count(b"{")
    if openings <= MAX_NESTED:
        return
    if openings > most:
        expected = f"at most {most} of the brackets [ and {{"
        raise Problem.mismatch("the body", expected, str(openings))
    depth = 0
    for match in _BRACKET.finditer(body):
        if match[1] in b"[{":
            depth += 1
            if depth > MAX_NESTED:
                expected = f"at most {MAX_NESTED} levels of lists and objects"
                raise Problem.mismatch("the body", expected, "more levels")
        else:
            depth -= 1


def check_keys(body: bytes) -> None:
    """Check that no object in JSON has a key twice: which one counts, readers do not agree on.

    Args:
        body: Valid JSON, UTF-8.

    Raises:
        Problem: A key is repeated (400).
    """
    if not _keeps_its_keys(body):
        _PAIRS.decode(body.decode())


def _keeps_its_keys(body: bytes) -> bool:
    """Tell whether JSON has surely no key twice, in a tenth of the time that a look at each takes.

    Without escapes, each second piece between quotes is a text. Where no text is there twice, no
    key is, as in most look-ups. Otherwise: each key has a colon, and a reader keeps one of two
    equal keys. So no key is there twice if the JSON has as many colons after it was read and
    written. Where an escape may stand for a quote or colon, this is not known.
    """
    if b"\\" in body:
        return False
    texts = body.split(b'"')[1::2]
    if len(set(texts)) == len(texts):
        return True
    try:
        written = orjson.dumps(orjson.loads(body))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return False
    return written.count(b":") == body.count(b":")


def _once(pairs: list[tuple[str, Any]]) -> None:
    keys: set[str] = set()
    for key, _ in pairs:
        if key in keys:
            raise Problem.mismatch("the body", "each key of an object once", f"{shown(key)} twice")
        keys.add(key)


_PAIRS = json.JSONDecoder(object_pairs_hook=_once)
